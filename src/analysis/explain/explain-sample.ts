import { REFRIGERATOR } from '../../model/edge-marks.ts';
import type { ExplainedGroup, Finding, KindCounts } from '../../model/finding.ts';
import type { LockWait, Observation, Sample } from '../../model/sample.ts';
import { parseFrame, type Stack } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { KEEPS_CPU } from '../rules/general.ts';
import { explain } from './explain.ts';
import { heldByItself, OWN_LOCK_CAUSES } from './own-locks.ts';
import { withWork } from './work.ts';

/**
 * The finding for one task. Tasks with the same stack get the same object, except where their states make a difference;
 * those without a stack do not.
 */
export function explainObservation(observation: Observation): Finding {
  const seen = explainSeen(observation);
  const owner = observation.facts?.lock?.owner;
  if (owner !== undefined && owner === observation.task.id.tid && seen.kind === 'blocked') return explainOwnLock(seen);
  const { state, facts } = observation;
  if (facts?.hardLockup === true && seen.kind !== 'blocked') return explainLockup(seen, ofHardLockups, hardLockup);
  if (seen.kind === 'idle' && state === 'R' && facts?.onCpuMs !== undefined)
    return explainLockup(seen, ofLockups, idleLockup);
  switch (observation.waitsBy) {
    case 'frozen':
      return seen.rule?.startsWith('stop-freez') === true ? seen : explainFrozen(observation, seen);
    case 'futex':
      return seen.kind === 'blocked' ? seen : explainHeldLock(seen);
    default:
      return seen;
  }
}

type Lockups = WeakMap<Finding, Finding>;
const ofLockups: Lockups = new WeakMap();
const ofHardLockups: Lockups = new WeakMap();

/** A task of which the kernel says that it has kept its CPU. */
function explainLockup(seen: Finding, known: Lockups, toldBy: (seen: Finding) => Finding): Finding {
  let finding = known.get(seen);
  if (finding === undefined) {
    finding = { ...toldBy(seen), kind: 'running', next: KEEPS_CPU, undo: [] };
    known.set(seen, finding);
  }
  return finding;
}

const idleLockup = (seen: Finding): Finding => ({
  ...seen,
  waitsFor: 'nothing: it has kept its CPU, though it idles, or in an interrupt',
  causes: 'A hypervisor or firmware did not let this CPU run, or an interrupt took all of its time.',
});

/** Its CPU does not even handle interrupts. */
function hardLockup(seen: Finding): Finding {
  const { innermost, kind, waitsFor } = seen;
  const where = innermost === undefined ? '' : `, in ${functionName(innermost.symbol)}`;
  const doing =
    kind === 'running'
      ? waitsFor.replace(/^nothing: /, '').replace('it is on a CPU, or ready to run', 'it has kept its CPU')
      : `it has kept its CPU${where}${kind === 'idle' ? ', though it idles there' : ''}`;
  const causes =
    kind === 'idle'
      ? 'A hypervisor or firmware did not let this CPU run, or nothing woke it.'
      : 'It loops there, spins on a lock that is not released, or a hypervisor or firmware did not let this CPU run.';
  return { ...seen, waitsFor: `nothing: with interrupts off, ${doing}`, causes };
}

const ofOwnLocks = new WeakMap<Finding, Finding>();

/** A task of which the kernel says that it has the lock that it waits for. */
function explainOwnLock(seen: Finding): Finding {
  let finding = ofOwnLocks.get(seen);
  if (finding === undefined) {
    finding = { ...seen, waitsFor: heldByItself(seen.waitsFor), causes: OWN_LOCK_CAUSES };
    ofOwnLocks.set(seen, finding);
  }
  return finding;
}

function explainSeen({ stack, state, task, facts }: Observation): Finding {
  if (task.own === true && state === 'R') return OWN;
  if ('value' in stack) return explain(withWork(stack.value, facts?.work), state);
  if (state === 'R') {
    const untold = stack.unread === 'notTold' ? ' (the text has no stack of it)' : '';
    return { ...explain(NO_FRAMES, state), waitsFor: `nothing: it is on a CPU, or ready to run${untold}` };
  }
  if (stack.unread === 'notTold' && (state === 'D' || facts?.lock !== undefined)) return blockedUntold(facts?.lock);
  const why =
    stack.unread === 'notTold' ? 'the text has no stack of it' : `the stack could not be read (${stack.unread})`;
  return { ...explain(NO_FRAMES), waitsFor: `unknown: ${why}` };
}

/** The stack whose finding tasks have that were frozen where they slept. */
export const FROZEN: Stack = { id: -1, frames: [parseFrame(REFRIGERATOR)] };

/** Groups of tasks are told by their findings: one for each stack. */
const frozen = new WeakMap<Stack, Finding>();

/** A task that was frozen where it slept, which has no part in what it waits for. */
function explainFrozen({ stack }: Observation, { innermost }: Finding): Finding {
  const known = 'value' in stack ? frozen.get(stack.value) : undefined;
  if (known !== undefined) return known;
  const finding = { ...explain(FROZEN, 'D'), frame: undefined, innermost };
  if ('value' in stack) frozen.set(stack.value, finding);
  return finding;
}

const ofHeldLocks = new WeakMap<Finding, Finding>();

/** A task that waits for a user-space lock, where a wait for work would look the same. */
function explainHeldLock(seen: Finding): Finding {
  let finding = ofHeldLocks.get(seen);
  if (finding === undefined) {
    const causes =
      'Its holder waits for something else, or runs with it. If it waits for this task, that is a deadlock.';
    finding = { ...seen, kind: 'blocked', waitsFor: 'a user-space lock (futex) that another task holds', causes };
    ofHeldLocks.set(seen, finding);
  }
  return finding;
}

const LOCKS: Readonly<Record<LockWait['kind'], string>> = {
  mutex: 'a mutex',
  semaphore: 'a semaphore',
  'rwsem-read': 'an rw-semaphore, to read',
  'rwsem-write': 'an rw-semaphore, to write',
};

/** The kernel says that a task is blocked, and the text has no stack of it. */
function blockedUntold(lock: LockWait | undefined): Finding {
  const what = lock === undefined ? 'something unknown' : LOCKS[lock.kind];
  return { ...explain(NO_FRAMES), kind: 'blocked', waitsFor: `${what} (the text has no stack of it)` };
}

const NO_FRAMES = { id: -1, frames: [] };
/** Its stack is that of the system call that reads it. */
const OWN: Finding = {
  ...explain(NO_FRAMES, 'R'),
  waitsFor: 'nothing: it is kstack, which takes this sample',
  next: [],
};

export function kindOf(observation: Observation): Finding['kind'] {
  return explainObservation(observation).kind;
}

/**
 * Groups the tasks of a sample by stack and what it means in their state, and those without a stack by what they wait
 * for. The largest group comes first; among groups of equal size, blocked ones do.
 */
export function explainGroups(sample: Sample): ExplainedGroup[] {
  const groups = new Map<unknown, ExplainedGroup & { observations: Observation[] }>();
  for (const observation of sample.observations) {
    const { stack } = observation;
    const interned = 'value' in stack && stack.value.frames.length > 0 ? stack.value : undefined;
    const finding = explainObservation(observation);
    const key = interned === undefined ? finding.waitsFor : finding;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { stack: interned, observations: [observation], finding });
    else group.observations.push(observation);
  }
  return [...groups.values()].sort(
    (a, b) =>
      b.observations.length - a.observations.length || KINDS.indexOf(a.finding.kind) - KINDS.indexOf(b.finding.kind),
  );
}

/** The kinds, most urgent first. */
export const KINDS: readonly Finding['kind'][] = ['blocked', 'unexplained', 'running', 'idle'];

/** How many tasks of each kind were seen, including those left out. */
export function countKinds({ observations, leftOut }: Pick<Sample, 'observations' | 'leftOut'>): KindCounts {
  return kindCounts(observations.map(explainObservation), leftOut);
}

/** The same of tasks by their findings. */
export function kindCounts(findings: readonly Finding[], leftOut: Sample['leftOut']): KindCounts {
  const { blocked = 0, idle = 0, running = 0, unexplained = 0 } = leftOut;
  const counts = { blocked, idle, running, unexplained };
  for (const { kind } of findings) counts[kind]++;
  return counts;
}

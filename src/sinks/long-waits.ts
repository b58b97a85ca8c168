import type { ExplainedGroup, Finding } from '../model/finding.ts';
import type { Root, Wait, WaitGraph, WaitReason } from '../model/wait.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

/** The most task numbers shown on one line, and the most lines about holders in a group. */
const MOST_NUMBERS = 8;
const MOST_LINES = 4;

const REASONS: Record<WaitReason, string> = {
  mutex: 'the mutex',
  semaphore: 'the semaphore',
  'rwsem-read': 'the rw-semaphore, to read,',
  'rwsem-write': 'the rw-semaphore, to write,',
  vfork: 'the memory of vfork(2)',
  ptrace: 'the tracer',
};
const MOST_ROOTS = 5;

/** Returns a function that names a task of these groups by its TID. */
export function namesOf(groups: readonly ExplainedGroup[]): (tid: number) => string {
  const names = new Map<number, string>();
  for (const { observations } of groups)
    for (const { task } of observations)
      if (task.id.tid !== undefined) names.set(task.id.tid, escapeUnsafe(task.comm ?? '?'));
  return (tid) => `${tid} ${names.get(tid) ?? '(ended, or not seen)'}`;
}

/** Who holds up whom: `4713 touch holds up 2 tasks, and itself ...`. The task that holds up most comes first. */
export function waitLines(
  { roots, cycles }: WaitGraph,
  groups: readonly ExplainedGroup[],
  names: (tid: number) => string,
): string[] {
  const findings = new Map<number, Finding>();
  for (const { observations, finding } of groups)
    for (const { task } of observations) if (task.id.tid !== undefined) findings.set(task.id.tid, finding);
  const lines = cycles.map(
    (cycle) => `deadlock: ${cycle.map((wait) => `${names(wait.tid)} waits for ${holding(wait, names)}`).join('; ')}`,
  );
  for (const root of roots.slice(0, MOST_ROOTS)) {
    const { tid, waits, observation } = root;
    const finding = findings.get(tid);
    const itself = finding === undefined || observation?.state === 'R' ? stateOf(root) : whatForWithin(finding);
    lines.push(`${names(tid)} holds up ${waits.length} ${waits.length === 1 ? 'task' : 'tasks'}, and itself ${itself}`);
    for (const [wait, tids] of byHolder(waits))
      lines.push(`  ${someNames(tids, names)} ${tids.length === 1 ? 'waits' : 'wait'} for ${holding(wait, names)}`);
  }
  if (roots.length > MOST_ROOTS) lines.push(`... ${roots.length - MOST_ROOTS} more tasks hold up others`);
  return lines;
}

function stateOf({ observation }: Root): string {
  if (observation === undefined) return 'was not seen';
  return observation.state === 'R' ? 'is on a CPU, or ready to run' : `is in state ${observation.state}`;
}

function holding({ holder, reason, inferred }: Wait, names: (tid: number) => string): string {
  if (reason === 'vfork') return `its vfork child ${names(holder)} to execute a program or end`;
  if (reason === 'ptrace') return `its tracer ${names(holder)}`;
  return `${REASONS[reason]} that ${names(holder)}${inferred === true ? ' likely' : ''} holds`;
}

/** Merges the waits with the same holder and reason, and lists their waiters. */
function byHolder(waits: readonly Wait[]): [Wait, number[]][] {
  const alike = new Map<string, [Wait, number[]]>();
  for (const wait of waits) {
    const key = `${wait.holder} ${wait.reason}`;
    const entry = alike.get(key);
    if (entry === undefined) alike.set(key, [wait, [wait.tid]]);
    else entry[1].push(wait.tid);
  }
  return [...alike.values()];
}

function someNames(tids: readonly number[], names: (tid: number) => string): string {
  const more = tids.length - MOST_NUMBERS;
  return `${tids.slice(0, MOST_NUMBERS).map(names).join(', ')}${more > 0 ? ` ... (+${more})` : ''}`;
}

/** Who holds the locks that the group's tasks wait for, or that nobody does, if the rule knows it. */
export function behindLines({ observations, finding }: ExplainedGroup, names: (tid: number) => string): string[] {
  const waits = observations.flatMap(({ task, facts }): Wait[] =>
    facts?.lock?.owner === undefined || task.id.tid === undefined
      ? []
      : [{ tid: task.id.tid, holder: facts.lock.owner, reason: facts.lock.kind }],
  );
  const lines = byHolder(waits).map(
    ([wait, tids]) => `${holding(wait, names)}${tids.length === 1 ? '' : `  x ${tids.length}`}`,
  );
  if (finding.rule?.includes('frozen') === true && lines.length === 0)
    return ['no task holds it: the file system is frozen until it is thawed'];
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `(${lines.length - MOST_LINES} others)`] : lines;
}

/** What a group's tasks wait for, as a sentence without its subject. */
export function whatFor({ kind, waitsFor }: Finding): string {
  if (kind === 'running') return escapeUnsafe(waitsFor.replace(/^nothing: /, ''));
  return escapeUnsafe(kind === 'unexplained' ? waitsFor : `waits for ${waitsFor}`);
}

/** The same, and where: for tasks that share a stack. */
export function whatForWithin(finding: Finding): string {
  return finding.within === undefined ? whatFor(finding) : `${whatFor(finding)}, ${escapeUnsafe(finding.within)}`;
}

import { type Alike, alikeIn, waitersOf } from '../analysis/holders/alike.ts';
import { isShortOfCpu } from '../analysis/holders/patience.ts';
import { type Deadlock, type HeldUp, hiddenIn, type Verdict } from '../analysis/holders/verdict.ts';
import type { Edge, NodeKey } from '../model/edge.ts';
import { NO_TASK } from '../model/selection.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { counted } from './counted.ts';
import { deadlockTitle, MOST_NAMES, namesOf, shownComm, someNames, whatForWithin } from './long-waits.ts';
import { nameOf } from './unread.ts';

export function namesIn({ sample: { observations, holders, resources } }: Verdict): (key: NodeKey) => string {
  return namesOf([{ observations }, { observations: holders }], resources);
}

/** What a verdict is about: all tasks of this host, those of a selection, or those of a sample that may be either. */
export type Scope = 'host' | 'selection' | 'sample';

/** The verdict in a sentence, and another one if the host is short of CPUs. */
export function sentenceOf(verdict: Verdict, scope: Scope, names = namesIn(verdict)): string {
  return `${heldUpSentence(verdict, scope, names)}${scope === 'host' ? cpuSentence(verdict) : ''}`;
}

/** Empty if tasks do not wait for CPUs. */
function cpuSentence({ sample: { pressure }, ready }: Verdict): string {
  if (!isShortOfCpu(pressure)) return '';
  const [runs, is] = ready.length === 1 ? ['runs', 'is'] : ['run', 'are'];
  const now = ready.length === 0 ? '' : ` now ${counted(ready.length, 'task')} ${runs} or ${is} ready to run;`;
  const share = `in ${pressure?.cpu?.some} % of the last 10 seconds, some did (/proc/pressure/cpu)`;
  return ` Tasks wait for a CPU:${now} ${share}.`;
}

function heldUpSentence(verdict: Verdict, scope: Scope, names: (key: NodeKey) => string): string {
  const { sample, deadlocks, heldUp, blocked, tasks, isBlind, isCut, untimed, unreadStacks } = verdict;
  const [deadlock] = deadlocks;
  if (deadlock !== undefined) return `${deadlockSentence(deadlock, names)}${othersSentence(verdict, 1)}`;
  const [first] = alikeIn(heldUp);
  if (first !== undefined) {
    const { length } = waitersOf(first);
    return (
      `${counted(length, 'task')} ${waits(length)}, directly or through others, for ` +
      `${rootsText(first, names)}.${othersSentence(verdict, first.length)}`
    );
  }
  if (blocked.length > 0) {
    const count = blocked.reduce((sum, { observations }) => sum + observations.length, 0);
    return `${counted(count, 'task')} ${count === 1 ? 'is' : 'are'} blocked, and nobody is known to hold ${count === 1 ? 'it' : 'them'} up.`;
  }
  if (tasks === 0) return `${NO_TASK}, so there is no verdict.`;
  const hidden = hiddenIn(sample);
  if (hidden !== undefined) return `There is no verdict: ${nameOf(hidden.what)} are hidden from kstack.`;
  if (isBlind) return 'There is no verdict: no kernel stack could be read.';
  const none = 'none has been blocked for long, is in a known deadlock, or waits for one that is stuck';
  const whom = heldUpWhom(tasks, scope);
  if (untimed > 0 && !isCut)
    return `Nothing is known to hold ${whom.up}, but it is not known since when ${counted(untimed, 'task')} in D ${waits(untimed)}: ${whom.of}${none}, as far as that is known.`;
  return isCut
    ? `Nothing is known to hold ${whom.up}, but the search was cut short: ${whom.of}${none}, as far as it went.`
    : unreadStacks > 0
      ? `Nothing holds ${whom.up}, as far as could be read (${counted(unreadStacks, 'kernel stack')} could not): ${whom.of}${none}.`
      : `Nothing holds ${whom.up}: ${whom.of}${none}.`;
}

/** Of a selection, nothing is said about the host. */
function heldUpWhom(tasks: number, scope: Scope): { readonly up: string; readonly of: string } {
  if (scope === 'host') return { up: 'this host up', of: `of ${counted(tasks, 'task')}, ` };
  const kind = scope === 'selection' ? 'selected' : 'seen';
  return { up: tasks === 1 ? `up the ${kind} task` : `up the ${tasks} ${kind} tasks`, of: '' };
}

/** `4711 vi, which is stopped by a signal`; `8 x vi (4711, 4713, ...), each of which is stopped by a signal`. */
export function rootsText(alike: Alike, names: (key: NodeKey) => string): string {
  const [first, ...others] = alike;
  const condition = conditionOf(first);
  if (others.length === 0) return `${names(first.root.key)}${condition === '' ? '' : `, which ${condition}`}`;
  const numbers = alike.slice(0, MOST_NAMES).map(({ root }) => root.key);
  const more = alike.length > MOST_NAMES ? ', ...' : '';
  const name = escapeUnsafe(shownComm(first.root.observation?.task.comm));
  const text = `${alike.length} x ${name} (${numbers.join(', ')}${more})`;
  return condition === '' ? text : `${text}, each of which ${condition}`;
}

/** Those whose waiters are not shown. */
export function othersText({ length }: readonly HeldUp[]): string {
  return length === 1 ? 'the other one' : `the other ${length}`;
}

/** After `which`; empty if there is nothing to say. */
function conditionOf({ trouble, root, finding }: HeldUp): string {
  const { observation, resource } = root;
  if (trouble === 'stopped') return 'is stopped by a signal';
  if (trouble === 'traced') return 'its tracer has stopped';
  if (resource?.condition !== undefined)
    return `${escapeUnsafe(resource.condition)}${resource.inferred === true ? ' (inferred)' : ''}`;
  if (observation?.state === 'R') return 'is on a CPU, or ready to run';
  return finding === undefined ? '' : `itself ${whatForWithin(finding)}`;
}

function deadlockSentence({ edges, behind, isConfirmed }: Deadlock, names: (key: NodeKey) => string): string {
  const others = behind.length;
  const more = others === 0 ? '' : `, and ${counted(others, 'more task')} ${waits(others)} for them`;
  const members = someNames(taskKeys(edges), names, MOST_NAMES);
  return `${deadlockTitle(isConfirmed)}: ${members} wait for each other${more}.`;
}

/** What the sentence about the first ones leaves out. Empty if there is no other. */
function othersSentence({ deadlocks, heldUp }: Verdict, told: number): string {
  const others = deadlocks.length + heldUp.length - told;
  if (others === 0) return '';
  const all = new Set([
    ...deadlocks.flatMap(({ edges, behind }) => [...taskKeys(edges), ...behind]),
    ...waitersOf(heldUp),
  ]).size;
  return ` ${others} more ${others === 1 ? 'holds' : 'hold'} up others: ${counted(all, 'task')} ${waits(all)} in all.`;
}

/** The tasks that wait in these edges, each once. */
export function taskKeys(edges: readonly Edge[]): number[] {
  return [...new Set(edges.flatMap(({ from }) => (typeof from === 'number' ? from : [])))];
}

function waits(count: number): string {
  return count === 1 ? 'waits' : 'wait';
}

import { changing, filledAdvice } from '../analysis/advice.ts';
import { type Alike, alikeIn, longestOf, waitersOf } from '../analysis/holders/alike.ts';
import { type Advice, adviceOn, adviceOnDeadlock } from '../analysis/holders/root-advice.ts';
import { type Blocked, type Deadlock, isHeldUp, type Verdict } from '../analysis/holders/verdict.ts';
import type { Edge, NodeKey } from '../model/edge.ts';
import type { HostState } from '../model/host-state.ts';
import { PRESSURES } from '../model/pressure.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { counted } from './counted.ts';
import { edgePhrase } from './edge-phrases.ts';
import { byTarget, deadlockText, MOST_NAMES, someNames, whatForWithin } from './long-waits.ts';
import { longestWaiter, taskEvidence } from './why-evidence.ts';
import { namesIn, othersText, rootsText, type Scope, sentenceOf, taskKeys } from './why-sentence.ts';

/** One screen. */
const MAX_ROOTS = 4;
const MAX_EDGES = 6;
const MAX_BLOCKED = 6;
const MAX_NEXT = 2;
const MAX_EVIDENCE = 20;
const MAX_UNKNOWN = 5;

/** Numbers and names of more than a few tasks. */
const LONG_LIST = / \([^()]*, \.\.\.\)/;

export interface WhyContext {
  readonly colour: boolean;
  /** Whether to show what each sentence was read from. */
  readonly evidence: boolean;
  readonly host: HostState;
  readonly scope: Scope;
  /** What could not be found out. */
  readonly unknown: readonly string[];
}

const STYLE = { bold: 1, dim: 2, red: 31 } as const;

/** What holds a host up: a sentence, the roots, what is blocked beside them, and how busy the host is. */
export function* formatWhy(verdict: Verdict, context: WhyContext): Generator<string> {
  const names = namesIn(verdict);
  const style = (name: keyof typeof STYLE, text: string) =>
    context.colour ? `\x1b[${STYLE[name]}m${text}\x1b[0m` : text;
  yield `${style(isHeldUp(verdict) ? 'red' : 'bold', sentenceOf(verdict, context.scope, names))}\n`;
  const { deadlocks, heldUp, blocked } = verdict;
  if (isHeldUp(verdict)) {
    for (const deadlock of deadlocks.slice(0, MAX_ROOTS)) yield* deadlockLines(deadlock, verdict, names, context);
    const alike = alikeIn(heldUp);
    for (const group of alike.slice(0, MAX_ROOTS)) yield* heldUpLines(group, verdict, names, context);
    const more = Math.max(0, deadlocks.length - MAX_ROOTS) + alike.slice(MAX_ROOTS).flat().length;
    if (more > 0) yield `\n... and ${more} more that hold up others (-f json has all)\n`;
    if (blocked.length > 0) yield '\nBlocked, and nobody is known to hold them up:\n';
    for (const group of blocked.slice(0, MAX_BLOCKED)) yield* blockedLines(group, verdict, names, context);
    if (blocked.length > MAX_BLOCKED) yield `  ... and ${blocked.length - MAX_BLOCKED} other waits\n`;
    yield '\n';
  }
  yield* stoppedLines(verdict, names);
  if (context.scope === 'host') yield* readyLines(verdict, names);
  yield `${style('dim', stateLine(verdict, context.host))}\n`;
  const unknown = unknownOf(verdict, context);
  for (const line of unknown.slice(0, MAX_UNKNOWN)) yield `not known: ${escapeUnsafe(line.replace(LONG_LIST, ''))}\n`;
  if (unknown.length > MAX_UNKNOWN) yield `not known: ... and ${unknown.length - MAX_UNKNOWN} more\n`;
}

/**
 * What could not be found out, and of selected tasks, how many waits lead to nobody where no other is known to last. Of a
 * host, most are those of threads that wait for work.
 */
export function unknownOf(verdict: Verdict, { unknown, scope }: WhyContext): readonly string[] {
  const { ownerless } = verdict;
  if (scope === 'host' || ownerless === 0 || isHeldUp(verdict)) return unknown;
  const some = `${counted(ownerless, 'task')} that ${ownerless === 1 ? 'waits' : 'wait'}`;
  return [...unknown, `who would wake ${some} for a lock or an event of their program (futex)`];
}

/** Those that may hold up others that cannot be known. */
function* stoppedLines({ stopped }: Verdict, names: (key: NodeKey) => string): Generator<string> {
  const { bySignal, byFreezer } = stopped;
  if (bySignal.length > 0) yield `stopped by a signal: ${someNames(bySignal, names, MOST_NAMES)}\n`;
  if (byFreezer.length > 0) yield `in a frozen control group: ${someNames(byFreezer, names, MOST_NAMES)}\n`;
}

/** Those that use the CPUs up. */
function* readyLines({ ready }: Verdict, names: (key: NodeKey) => string): Generator<string> {
  if (ready.length === 0) return;
  yield `on a CPU, or ready to run: ${someNames(ready, names, MOST_NAMES)}\n`;
  // Others hang where a process is stuck that they look at.
  yield* adviceLines({ next: ['kstack -R -L -f long'], undo: [] });
}

function* heldUpLines(
  alike: Alike,
  { sample }: Verdict,
  names: (key: NodeKey) => string,
  context: WhyContext,
): Generator<string> {
  const [{ root }, ...others] = alike;
  yield `\n${rootsText(alike, names)}\n`;
  const verb = others.length === 0 ? 'holds up ' : 'hold up  ';
  yield `  ${verb}  ${counted(waitersOf(alike).length, 'task')}${longest(longestOf(alike))}\n`;
  yield* edgeLines(root.edges, names, context);
  if (others.length > 0) yield `    ... and so on for ${othersText(others)}\n`;
  yield* adviceLines(adviceOn(alike));
  if (!context.evidence) return;
  for (const { place, text } of root.resource?.evidence ?? [])
    yield `  evidence   ${names(root.key)}: ${escapeUnsafe(place)}: ${escapeUnsafe(text)}\n`;
  const waiter = longestWaiter(taskKeys(root.edges), sample);
  yield* evidenceLines([root.observation, waiter], sample, names);
}

/** About tasks themselves. */
function* evidenceLines(
  tasks: readonly (Observation | undefined)[],
  sample: Sample,
  names: (key: NodeKey) => string,
): Generator<string> {
  for (const observation of tasks)
    if (observation?.task.id.tid !== undefined)
      for (const line of taskEvidence(observation, sample))
        yield `  evidence   ${names(observation.task.id.tid)}: ${line}\n`;
}

function* deadlockLines(
  deadlock: Deadlock,
  { sample }: Verdict,
  names: (key: NodeKey) => string,
  context: WhyContext,
): Generator<string> {
  const { edges, isConfirmed, behind, longestMs } = deadlock;
  yield `\n${deadlockText(isConfirmed)}${longest(longestMs)}\n`;
  yield* edgeLines(edges, names, context);
  if (behind.length > 0)
    yield `  holds up   ${counted(behind.length, 'more task')}: ${someNames(behind, names, MOST_NAMES)}\n`;
  const pids = new Map(sample.observations.map(({ task }) => [task.id.tid, task.pid]));
  yield* adviceLines(adviceOnDeadlock(deadlock, (tid) => pids.get(tid)));
  if (context.evidence) yield* evidenceLines([longestWaiter([...taskKeys(edges), ...behind], sample)], sample, names);
}

function* edgeLines(
  edges: readonly Edge[],
  names: (key: NodeKey) => string,
  { evidence }: WhyContext,
): Generator<string> {
  const alike = byTarget(edges);
  for (const [edge, keys] of alike.slice(0, MAX_EDGES))
    yield `    ${someNames(keys, names, MOST_NAMES)} ${keys.length === 1 ? 'waits' : 'wait'} for ${edgePhrase(edge, names)}\n`;
  if (alike.length > MAX_EDGES) yield `    ... and ${alike.length - MAX_EDGES} other waits behind these\n`;
  if (!evidence) return;
  const shown = alike
    .slice(0, MAX_EDGES)
    .flatMap(([edge]) => edges.filter(({ to, by }) => to === edge.to && by === edge.by).slice(0, 2));
  for (const edge of shown.slice(0, MAX_EVIDENCE))
    for (const { place, text } of edge.evidence)
      yield `  evidence   ${names(edge.from)}, ${edge.by}: ${escapeUnsafe(place)}: ${escapeUnsafe(text)}\n`;
  const more = edges.length - Math.min(shown.length, MAX_EVIDENCE);
  if (more > 0) yield `  evidence   ... of ${counted(more, 'more wait')}: -f json\n`;
}

function* blockedLines(
  group: Blocked,
  { sample }: Verdict,
  names: (key: NodeKey) => string,
  { evidence }: WhyContext,
): Generator<string> {
  const { observations, finding, longestMs } = group;
  const keys = observations.flatMap(({ task }) => task.id.tid ?? []);
  yield `  ${someNames(keys, names, MOST_NAMES)}${longest(longestMs)}: ${whatForWithin(finding)}\n`;
  yield* adviceLines(filledAdvice(finding, observations));
  if (evidence) yield* evidenceLines([longestWaiter(keys, sample)], sample, names);
}

function* adviceLines({ next, undo }: Advice): Generator<string> {
  for (const line of next.slice(0, MAX_NEXT)) yield `  look at    ${escapeUnsafe(line)}\n`;
  for (const line of undo.slice(0, MAX_NEXT)) yield `  undo       ${changing(escapeUnsafe(line))}\n`;
}

/** `pressure io 43 % (all tasks: 40 %), ...; load 53.2 51.0 40.1 on 2 CPUs; 6 of 812 tasks in D`. */
function stateLine({ sample, tasks, inD }: Verdict, { load, cpus }: HostState): string {
  const stalls = PRESSURES.flatMap((name) => {
    const { some, full = 0 } = sample.pressure?.[name] ?? {};
    return some === undefined ? [] : [`${name} ${some} %${full === 0 ? '' : ` (all tasks: ${full} %)`}`];
  });
  const parts = [
    ...(stalls.length === 0 ? [] : [`pressure ${stalls.join(', ')}`]),
    ...(load === undefined ? [] : [`load ${load.join(' ')}${cpus === undefined ? '' : ` on ${counted(cpus, 'CPU')}`}`]),
    `${inD} of ${counted(tasks, 'task')} in D`,
  ];
  return parts.join('; ');
}

function longest(longestMs: number | undefined): string {
  return longestMs === undefined ? '' : `, for up to ${formatDuration(longestMs)}`;
}

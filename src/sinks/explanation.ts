import { adviceOnWait, changing } from '../analysis/advice.ts';
import { explainCutName } from '../analysis/explain/cut-name.ts';
import { explainObservation, KINDS } from '../analysis/explain/explain-sample.ts';
import { changesBetween } from '../model/changes.ts';
import { edgesOf } from '../model/edge.ts';
import type { Finding } from '../model/finding.ts';
import type { KernelFacts, Observation, Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import { forDuration, formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { Behind } from './behind.ts';
import { keyOf } from './explanation-key.ts';
import type { Format, Samples, WriteContext } from './format.ts';
import { type HolderLines, holderLines, NORMALLY } from './holder-lines.ts';
import { shownComm, whatForWithin } from './long-waits.ts';
import { type Reported, Stays } from './stays.ts';

/** The output of kstack explain: a paragraph for each different stack, and a summary line. */
export const format: Format = { fields: [], facts: false, binary: false, write: formatExplanations };

/** A finding, and the tasks that share it. */
interface Explanation {
  readonly finding: Finding;
  /** How often each named task was reported with this stack. */
  readonly tasks: Map<string, Named>;
  /** How many different tasks: a task that is reported each two minutes is one; each stack without a name is one. */
  count: number;
  /** The first tasks, for the commands. */
  readonly first: Observation[];
  isOneFunction: boolean;
  /** For how long one of them ran without a break, if the kernel complained about it. */
  ranMs: number;
  /** Of its tasks without a name. */
  sum: Sum;
  readonly behind: Behind;
  /** The text tells that the tasks wait, but not where. */
  readonly isUntold: boolean;
}

interface Named extends Reported {
  readonly text: string;
  /** '' if the text does not tell. */
  readonly host: string;
  sum: Sum;
  /** The kernel only says that it was more than `forMs`. */
  isAtLeast: boolean;
}

/** What tracers have added up. */
interface Sum {
  readonly times: number;
  readonly offCpuMs: number;
}

const NO_SUM: Sum = { times: 0, offCpuMs: 0 };

/** An observation that was counted. */
interface Added {
  readonly named?: Named;
}

const MAX_SHOWN = 8;
/** Bounds the memory that the explanation of a text of any size takes. */
const MAX_NAMED = 10_000;
const MAX_EXPLANATIONS = 20_000;
const MAX_WAIT_LINES = 100;

/** Blocked stacks first, idle ones last; within a kind what ran longest, then the most frequent first. `full` adds the rules behind it. */
async function* formatExplanations(samples: Samples, { full }: WriteContext): AsyncGenerator<string> {
  const found = new Map<string, Explanation>();
  const stays = new Stays();
  const waits = new Map<string, Set<string>>();
  const normal = new Map<string, Set<string>>();
  let left = 0;
  let last: Sample | undefined;
  for await (const sample of samples) {
    // A recording has millions of observations, of which few are news.
    const { gone, come } = changesBetween(last, sample);
    stays.leave(gone);
    for (const observation of come) {
      const added = add(found, observation, sample);
      if (added === undefined) left++;
      else if (added.named !== undefined) stays.come(observation, sample, added.named);
    }
    for (const observation of sample.holders) if (add(found, observation, sample) === undefined) left++;
    stays.next(sample);
    if (mayTellHolders(sample, come)) {
      const lines = holderLines(sample);
      addAll(waits, sample.host ?? '', lines.stuck);
      addAll(normal, sample.host ?? '', lines.normal);
      noteBehind(found, sample, lines.behind);
    }
    last = sample;
  }
  stays.end();
  countUntold([...found.values()]);
  const explanations = [...found.values()]
    .filter(({ count }) => count > 0)
    .sort(
      (a, b) => KINDS.indexOf(a.finding.kind) - KINDS.indexOf(b.finding.kind) || b.ranMs - a.ranMs || b.count - a.count,
    );
  const hosts = new Set(explanations.flatMap(({ tasks }) => [...tasks.values()].map(({ host }) => host)));
  const titled = (host: string, lines: Iterable<string>) =>
    `${[...(hosts.size > 1 ? [hostTitle(host)] : []), ...lines].join('\n')}\n\n`;
  const isIdle = ({ finding }: Explanation) => finding.kind === 'idle';
  const options = { full, several: hosts.size > 1 };
  const shown = (explanation: Explanation) => `${linesOf(explanation, options).map(escapeUnsafe).join('\n')}\n\n`;
  for (const [host, lines] of waits) yield titled(host, lines);
  for (const explanation of explanations) if (!isIdle(explanation)) yield shown(explanation);
  for (const [host, lines] of normal) yield titled(host, [NORMALLY, ...lines]);
  for (const explanation of explanations) if (isIdle(explanation)) yield shown(explanation);
  if (left > 0) yield `${left} more stacks were different from all of these, and are not explained.\n\n`;
  yield `${summary(explanations)}\n`;
}

/** Notes what each blocked task of a sample waits for, by who holds it. */
function noteBehind(found: ReadonlyMap<string, Explanation>, sample: Sample, behind: HolderLines['behind']): void {
  for (const observation of [...sample.observations, ...sample.holders]) {
    const { tid } = observation.task.id;
    const phrases = tid === undefined ? [] : behind(tid);
    if (tid === undefined || phrases.length === 0) continue;
    const finding = findingOf(observation);
    if (finding.kind === 'blocked') found.get(keyOf(observation, finding))?.behind.add(tid, phrases);
  }
}

/** Adds the waits of a host. */
function addAll(waits: Map<string, Set<string>>, host: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const known = waits.get(host) ?? new Set();
  for (const line of lines) if (known.size < MAX_WAIT_LINES) known.add(line);
  waits.set(host, known);
}

const hostTitle = (host: string): string => `${host === '' ? 'unknown host' : escapeUnsafe(host)}:`;

/** Whether it may tell of a wait that the samples before it do not. */
function mayTellHolders({ holders, edges = [] }: Sample, come: readonly Observation[]): boolean {
  return holders.length + edges.length > 0 || come.some((observation) => edgesOf(observation).length > 0);
}

/** Counts it, and returns how its task is named, if it has one; undefined if there are too many different stacks to take one more. */
function add(
  found: Map<string, Explanation>,
  observation: Observation,
  { host = '', bootId }: Sample,
): Added | undefined {
  const { stack, state, task, facts } = observation;
  const finding = findingOf(observation);
  const key = keyOf(observation, finding);
  let explanation = found.get(key);
  if (explanation === undefined) {
    if (found.size >= MAX_EXPLANATIONS) return undefined;
    const isUntold = finding.kind === 'blocked' && 'unread' in stack && stack.unread === 'notTold';
    explanation = {
      finding,
      tasks: new Map(),
      count: 0,
      first: [],
      isOneFunction: false,
      ranMs: 0,
      sum: NO_SUM,
      behind: new Behind(),
      isUntold,
    };
    found.set(key, explanation);
  }
  if (explanation.first.length < MAX_SHOWN) explanation.first.push(observation);
  explanation.isOneFunction ||= 'value' in stack && stack.cut === true;
  const { comm, id } = task;
  const parts = [
    comm === undefined ? undefined : shownComm(comm),
    id.tid,
    state === undefined ? undefined : `(${state})`,
  ];
  const isNamed = comm !== undefined || id.tid !== undefined;
  const text = isNamed ? parts.filter((part) => part !== undefined).join(' ') : '';
  const boot = bootId !== undefined && 'value' in bootId ? bootId.value : '';
  // A host may be renamed.
  const name = `${boot === '' ? host : boot}\n${text}`;
  const named = id.tid === undefined ? undefined : explanation.tasks.get(name);
  const forMs = { blocked: facts?.offCpuMs, running: facts?.onCpuMs, idle: undefined, unexplained: undefined }[
    finding.kind
  ];
  if (finding.kind === 'running') explanation.ranMs = Math.max(explanation.ranMs, forMs ?? 0);
  if (named !== undefined) {
    named.times++;
    named.sum = sumOf(named.sum, facts);
    if (forMs !== undefined) {
      named.forMs = forMs;
      named.isAtLeast = facts?.atLeast === true;
    }
    return { named };
  }
  explanation.count++;
  if (text === '' || explanation.tasks.size >= MAX_NAMED) {
    explanation.sum = sumOf(explanation.sum, facts);
    return {};
  }
  const isAtLeast = facts?.atLeast === true;
  const first: Named = { text, host, times: 1, forMs, isAtLeast, sum: sumOf(NO_SUM, facts) };
  explanation.tasks.set(id.tid === undefined ? `${name}\n${explanation.count}` : name, first);
  return { named: first };
}

function sumOf({ times, offCpuMs }: Sum, { traced = {} }: KernelFacts = {}): Sum {
  return { times: times + (traced.times ?? 0), offCpuMs: offCpuMs + (traced.offCpuMs ?? 0) };
}

/** A task that is reported once with its stack and once without, such as at the cut end of a log, is one. */
function countUntold(explanations: readonly Explanation[]): void {
  const told = new Map<string, Named>();
  for (const { tasks, isUntold, finding } of explanations)
    if (!isUntold && finding.kind === 'blocked') for (const [name, named] of tasks) told.set(name, named);
  for (const explanation of explanations) {
    if (!explanation.isUntold) continue;
    for (const [name, { times, forMs, isAtLeast }] of explanation.tasks) {
      const named = told.get(name);
      if (named === undefined) continue;
      named.times += times;
      if (forMs !== undefined && forMs >= (named.forMs ?? 0)) {
        named.forMs = forMs;
        named.isAtLeast = isAtLeast;
      }
      explanation.tasks.delete(name);
      explanation.count--;
    }
  }
}

function findingOf(observation: Observation): Finding {
  const { stack, state, wchan } = observation;
  const isOfPs = 'value' in stack && stack.cut === true && wchan !== undefined;
  return isOfPs && state !== 'R' && state !== 'Z'
    ? explainCutName(stack.value, state)
    : explainObservation(observation);
}

/** `several`: there is more than one host, so that numbers and names are those of one of them. */
function linesOf(explanation: Explanation, { full, several }: { full: boolean; several: boolean }): string[] {
  const { finding, tasks, count, first, isOneFunction, sum, behind } = explanation;
  const traced = textsOf(sum).join(', ');
  const { kind, causes, frame, innermost } = finding;
  const at = frame === undefined ? 'no frames' : place(frame);
  const inside = innermost === undefined || innermost === frame ? '' : ` (in it: ${place(innermost)})`;
  const { next, undo } = adviceOnWait(
    { finding, tasks: first },
    new Set([...tasks.values()].map(({ host }) => host)).size > 1,
  );
  return [
    `${count} x ${at}${inside}${isOneFunction ? ' (known from this one function)' : ''}`,
    ...(tasks.size === 0 ? [] : [`  tasks:  ${someOf([...tasks.values()], { count, several })}`]),
    ...(traced === '' ? [] : [`  traced: ${traced}`]),
    `  ${`${kind}:`.padEnd(7)} ${whatForWithin(finding)}`,
    ...labelled('behind', behind.lines),
    ...(causes === '' ? [] : [`  causes: ${causes}`]),
    ...labelled('next', next),
    ...labelled('undo', undo.map(changing)),
    ...(full ? reasons(finding) : []),
  ];
}

function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => `  ${(at === 0 ? `${label}:` : '').padEnd(7)} ${line}`);
}

function reasons({ rule, source, kernels, others }: Finding): string[] {
  if (rule === undefined) return ['  why:    no rule fits'];
  return [
    `  why:    rule ${rule}, see ${source}${kernels === undefined ? '' : ` (kernels: ${kernels})`}`,
    ...others.map((other) => `          less specific: ${other.rule}, by ${place(other.frame)}`),
  ];
}

function place({ symbol, module }: Frame): string {
  return module === undefined ? symbol : `${symbol} [${module}]`;
}

function someOf(tasks: readonly Named[], { count, several }: { count: number; several: boolean }): string {
  const shown = tasks.slice(0, MAX_SHOWN);
  const more = count - shown.length;
  const texts = shown.map(({ text: task, host, times, forMs, isAtLeast, sum }, at) => {
    const text = several && host !== '' && host !== shown[at - 1]?.host ? `${host}: ${task}` : task;
    const since = forMs === undefined ? text : `${text}${forDuration(forMs, isAtLeast)}`;
    return [since, ...(times === 1 ? [] : [`reported ${times} times`]), ...textsOf(sum)].join(', ');
  });
  const separator = texts.some((text) => text.includes(', ')) ? '; ' : ', ';
  return `${texts.join(separator)}${more > 0 ? ` (+${more})` : ''}`;
}

function textsOf({ times, offCpuMs }: Sum): string[] {
  return [
    ...(times === 0 ? [] : [`seen ${times} time${times === 1 ? '' : 's'}`]),
    ...(offCpuMs === 0 ? [] : [`off a CPU for ${formatDuration(offCpuMs)} in all`]),
  ];
}

function summary(explanations: readonly Explanation[]): string {
  const counts = ['blocked', 'idle', 'running', 'unexplained'].map((kind) => {
    const alike = explanations.filter(({ finding }) => finding.kind === kind);
    return `${alike.reduce((sum, { count }) => sum + count, 0)} ${kind}`;
  });
  const total = explanations.reduce((sum, { count }) => sum + count, 0);
  return `${total} stack${total === 1 ? '' : 's'}, ${explanations.length} different: ${counts.join(', ')}.`;
}

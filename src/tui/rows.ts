import { explainObservation, KINDS } from '../analysis/explain/explain-sample.ts';
import { searchText, userOf } from '../analysis/search-text.ts';
import { signatureOf } from '../analysis/signature.ts';
import { containerOf, describeContainer } from '../model/container.ts';
import type { NodeKey } from '../model/edge.ts';
import type { Finding } from '../model/finding.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { shownComm, whatForWithin } from '../sinks/long-waits.ts';
import type { Holders } from './holders.ts';

/** By what tasks stand together, in the order in which a key goes through them. */
export const GROUPINGS = ['stack', 'finding', 'holder', 'command', 'user', 'container'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What comes first. `urgency`: blocked ones, then the most tasks. */
export const SORTS = ['urgency', 'count', 'time', 'name'] as const;
export type Sort = (typeof SORTS)[number];

export interface RowOptions {
  readonly grouping: Grouping;
  readonly sort: Sort;
  /** Whether idle tasks are shown, too. */
  readonly all: boolean;
  /** Whether threads are shown that are not main threads. */
  readonly threads: boolean;
  /** Only tasks in which this text is found; empty for all. */
  readonly filter: string;
}

/** A task and what it means. */
export interface ExplainedTask {
  readonly observation: Observation;
  readonly finding: Finding;
}

/** Tasks that stand together. */
export interface Row {
  /** The same for the same tasks in the next sample. */
  readonly key: string;
  /** By what they stand together, if that is not what they wait for. Not escaped. */
  readonly name: string | undefined;
  /** Those that have waited longest first. */
  readonly tasks: readonly ExplainedTask[];
  /** Of the most urgent task. */
  readonly finding: Finding;
  /** How many things some of the tasks wait for that are not in `finding`. */
  readonly otherWaits: number;
  /** What the tasks wait for at last. */
  readonly holders: readonly NodeKey[];
  readonly longestMs: number | undefined;
}

/** The tasks of a sample with what they mean. */
export function explainedTasks({ observations }: Sample): ExplainedTask[] {
  return observations.map((observation) => ({ observation, finding: explainObservation(observation) }));
}

/** The tasks that are to be shown, in groups. */
export function rowsOf(explained: readonly ExplainedTask[], holders: Holders, options: RowOptions): Row[] {
  const groups = new Map<string, { name: string | undefined; tasks: ExplainedTask[] }>();
  for (const task of shownTasks(explained, options)) {
    const [key, name] = placeOf(task, holders, options.grouping);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { name, tasks: [task] });
    else group.tasks.push(task);
  }
  return [...groups].map(([key, { name, tasks }]) => rowOf(key, name, tasks, holders)).sort(ORDERS[options.sort]);
}

function* shownTasks(
  explained: readonly ExplainedTask[],
  { all, threads, filter }: RowOptions,
): Generator<ExplainedTask> {
  const wanted = filter.toLowerCase();
  for (const task of explained) {
    const { observation, finding } = task;
    const { id, pid, own } = observation.task;
    if (!all && (own === true || finding.kind === 'idle')) continue;
    if (!threads && pid !== undefined && id.tid !== pid) continue;
    if (wanted !== '' && !searchText(observation, finding).includes(wanted)) continue;
    yield task;
  }
}

function placeOf(task: ExplainedTask, holders: Holders, grouping: Grouping): [key: string, name: string | undefined] {
  const { observation, finding } = task;
  switch (grouping) {
    case 'stack':
      return [`${finding.kind} ${signatureIn(task)}`, undefined];
    case 'finding':
      return [`${finding.kind} ${finding.waitsFor}`, undefined];
    case 'holder': {
      const holder = holders.of(observation);
      return holder === undefined ? ['nobody', 'no known holder'] : [`holder ${holder}`, holders.name(holder)];
    }
    case 'command': {
      const name = processName(observation);
      return [name, name];
    }
    case 'user': {
      const name = userOf(observation.task) || 'unknown user';
      return [name, name];
    }
    case 'container': {
      const name = containerName(observation);
      return [name, name];
    }
  }
}

function signatureIn({ observation: { stack }, finding }: ExplainedTask): string {
  return 'value' in stack && stack.value.frames.length > 0 ? signatureOf(stack.value) : finding.waitsFor;
}

function processName({ task: { comm, processName } }: Observation): string {
  return shownComm(processName ?? comm);
}

function containerName({ task: { cgroup } }: Observation): string {
  if (cgroup === undefined) return 'unknown control group';
  if ('unread' in cgroup) return `control group not read: ${cgroup.unread}`;
  const container = containerOf(cgroup.value);
  return container === undefined ? cgroup.value : describeContainer(container);
}

function rowOf(key: string, name: string | undefined, tasks: ExplainedTask[], holders: Holders): Row {
  const [first, ...others] = tasks;
  if (first === undefined) throw new Error('a group without a task');
  const urgent = others.reduce((a, b) => (urgency(b.finding) < urgency(a.finding) ? b : a), first);
  tasks.sort((a, b) => (waitedMs(b) ?? -1) - (waitedMs(a) ?? -1));
  const found = new Set(tasks.flatMap(({ observation }) => holders.of(observation) ?? []));
  return {
    key,
    name,
    tasks,
    finding: urgent.finding,
    otherWaits: waitsIn(tasks) - 1,
    holders: [...found],
    longestMs: tasks[0] && waitedMs(tasks[0]),
  };
}

function waitsIn(tasks: readonly ExplainedTask[]): number {
  // Most tasks share their finding with others.
  const findings = new Set(tasks.map(({ finding }) => finding));
  return new Set(Array.from(findings, whatForWithin)).size;
}

function urgency({ kind }: Finding): number {
  return KINDS.indexOf(kind);
}

/** How long a task has been off the CPU, if it waits; undefined if that is not known. */
export function waitedMs({ observation: { state, facts } }: Pick<ExplainedTask, 'observation'>): number | undefined {
  return state === 'R' ? undefined : facts?.offCpuMs;
}

/** How often each of some texts is there, most often first. */
export function tally(texts: Iterable<string>): [text: string, count: number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || compared(a, b));
}

const byUrgency = (a: Row, b: Row) => urgency(a.finding) - urgency(b.finding);
const byCount = (a: Row, b: Row) => b.tasks.length - a.tasks.length;
const byTime = (a: Row, b: Row) => (b.longestMs ?? -1) - (a.longestMs ?? -1);
const byName = (a: Row, b: Row) => compared(a.name ?? a.finding.waitsFor, b.name ?? b.finding.waitsFor);
const byKey = (a: Row, b: Row) => compared(a.key, b.key);

/** Rows that are equal otherwise keep their places from sample to sample. */
const ORDERS: Readonly<Record<Sort, (a: Row, b: Row) => number>> = {
  urgency: (a, b) => byUrgency(a, b) || byCount(a, b) || byKey(a, b),
  count: (a, b) => byCount(a, b) || byUrgency(a, b) || byKey(a, b),
  time: (a, b) => byTime(a, b) || byUrgency(a, b) || byKey(a, b),
  name: (a, b) => byName(a, b) || byKey(a, b),
};

function compared(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

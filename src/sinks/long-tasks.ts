import { containerOf, describeContainer } from '../model/container.ts';
import type { ExplainedGroup } from '../model/finding.ts';
import type { Observation } from '../model/sample.ts';
import type { SystemCallState } from '../model/system-call.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { shownComm } from './long-waits.ts';

/** The most task numbers shown on one line, and the most lines of tasks and of system calls in a group. */
const MOST_NUMBERS = 8;
const MOST_TASK_LINES = 10;
const MOST_CALLS = 4;

export interface TaskLineOptions {
  /** True if tasks are threads; false if they are processes. */
  readonly threads: boolean;
  /** Leave nothing out. */
  readonly full: boolean;
}

/** One line for all tasks that differ only in their numbers. */
export function taskLines({ observations }: ExplainedGroup, { full, threads }: TaskLineOptions): string[] {
  const alike = new Map<string, { comm: string; rest: string; members: Observation[] }>();
  for (const observation of observations) {
    const comm = nameOf(observation, threads);
    const known = [userOf(observation), observation.state ?? '?', placeOf(observation)];
    const rest = known.filter((part) => part !== '').join('  ');
    const key = `${comm}\n${rest}`;
    const entry = alike.get(key);
    if (entry === undefined) alike.set(key, { comm, rest, members: [observation] });
    else entry.members.push(observation);
  }
  const entries = [...alike.values()].sort((a, b) => b.members.length - a.members.length);
  const shown = full ? entries : entries.slice(0, MOST_TASK_LINES);
  const lines = shown.map(({ comm, rest, members }) => {
    const numbers = members.map(({ task: { id, pid } }) =>
      threads ? `${pid ?? '?'}/${id.tid ?? '?'}` : `${id.tid ?? '?'}`,
    );
    const named = full ? numbers : numbers.slice(0, MOST_NUMBERS);
    const more = numbers.length > named.length ? ` ... (+${numbers.length - named.length})` : '';
    const times = members.length === 1 ? '' : ` x ${members.length}`;
    const cpus = ranges(members.flatMap(({ cpu }) => cpu ?? []));
    return `${escapeUnsafe(comm)}${times}: ${named.join(' ')}${more}  ${escapeUnsafe(rest)}${cpus === '' ? '' : `  cpu ${cpus}`}`;
  });
  const left = entries.slice(shown.length);
  if (left.length > 0)
    lines.push(`... ${left.length} more lines (+${sum(left.map(({ members }) => members.length))} tasks)`);
  return lines;
}

/** The name of a task. If a thread's name differs from its process's, both. */
function nameOf({ task: { id, pid, comm, processName } }: Observation, threads: boolean): string {
  if (!threads || id.tid === pid || processName === undefined || processName === comm) return shownComm(comm);
  return `${shownComm(processName)}/${shownComm(comm)}`;
}

function userOf({ task: { uid, user } }: Observation): string {
  if (uid === undefined) return '';
  return 'value' in uid ? (user ?? String(uid.value)) : `user not read: ${uid.unread}`;
}

/** The container, or else the control group, unless that is the root. */
function placeOf({ task: { cgroup } }: Observation): string {
  if (cgroup === undefined) return '';
  if ('unread' in cgroup) return `cgroup not read: ${cgroup.unread}`;
  const container = containerOf(cgroup.value);
  if (container !== undefined) return describeContainer(container);
  return cgroup.value === '/' ? '' : cgroup.value;
}

/** The system calls that the tasks of a group are in, most frequent first. */
export function callLines({ observations }: ExplainedGroup, { full }: Pick<TaskLineOptions, 'full'>): string[] {
  const counts = new Map<string, number>();
  let looked = 0;
  for (const observation of observations) {
    const call = valueIn(observation);
    if (typeof call === 'object' && call.text === undefined) continue;
    looked++;
    const text = callText(observation, call);
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const calls = [...counts].sort(([, a], [, b]) => b - a);
  const shown = full ? calls : calls.slice(0, MOST_CALLS);
  const lines = shown.map(([text, count]) => `${escapeUnsafe(text)}${count === 1 ? '' : `  x ${count}`}`);
  const others = [
    ...(calls.length > shown.length ? [`${calls.length - shown.length} others`] : []),
    ...(looked < observations.length && calls.length > 0 ? [`of the first ${looked} tasks`] : []),
  ];
  if (others.length > 0) lines.push(`(${others.join(', ')})`);
  return lines;
}

function valueIn({ systemCall }: Observation): SystemCallState | undefined {
  return systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
}

function callText({ task, stack }: Observation, call: SystemCallState | undefined): string | undefined {
  if (call === undefined || call === 'running') return undefined;
  if (call !== 'none') return call.text;
  const inKernel = 'value' in stack && stack.value.frames.length > 0;
  return inKernel && task.kernelThread !== true ? 'none: it is in a page fault or another exception' : undefined;
}

/** `0-2,5` of 0, 1, 2 and 5. */
function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

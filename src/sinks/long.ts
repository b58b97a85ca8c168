import { containerOf, describeContainer } from '../model/container.ts';
import type { ExplainedGroup, Finding, KindCounts } from '../model/finding.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import type { Clock } from '../model/time.ts';
import type { Root, Wait, WaitGraph, WaitReason } from '../model/wait.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatDateLine } from '../terminal/local-time.ts';

/** A system call that tasks of a group are in, as it is to be shown. */
export interface ShownCall {
  readonly text: string;
  readonly count: number;
}

export interface LongOptions {
  readonly zoneAt: Clock['zoneAt'];
  /** Whether the tasks are threads, or processes by their main thread. */
  readonly threads: boolean;
  /** Leaves nothing out. */
  readonly full: boolean;
  readonly colour: boolean;
  /** Of all tasks seen, also of those that are not in a group. */
  readonly counts: KindCounts;
  /** Who waits for whom. */
  readonly graph: WaitGraph;
  /** The tasks that selected ones wait for and that are not selected, by their stack. */
  readonly holders: readonly ExplainedGroup[];
  userName(uid: number): string;
  /** The system calls that the tasks of a group are in, the most frequent first, and of how many tasks they are. */
  callsOf(group: ExplainedGroup): { readonly calls: readonly ShownCall[]; readonly tasks: number };
}

/**
 * How many numbers of tasks are shown that share all else, how many lines of tasks a group has, and how many of system
 * calls.
 */
const MOST_NUMBERS = 8;
const MOST_TASK_LINES = 10;
const MOST_CALLS = 4;
/** No symbol moves the columns farther to the right. */
const WIDEST_SYMBOL = 48;

const STYLE = { bold: 1, dim: 2, blocked: 31, running: 32, unexplained: 33, idle: 36 } as const;

/** A sample for people: a paragraph for each group, and a line that sums up. */
export function* formatLong(
  sample: Sample,
  groups: readonly ExplainedGroup[],
  options: LongOptions,
): Generator<string> {
  const style = (name: keyof typeof STYLE, text: string) =>
    options.colour ? `\x1b[${STYLE[name]}m${text}\x1b[0m` : text;
  const seconds = Math.floor(sample.timeMs / 1000);
  const place = `${escapeUnsafe(sample.host)} - Linux ${escapeUnsafe(sample.kernel)}`;
  yield `${formatDateLine(seconds, options.zoneAt(seconds))} - ${place}\n\n`;
  const total = sum(Object.values(options.counts));
  const names = namesOf([...options.holders, ...groups]);
  for (const line of waitLines(options.graph, [...options.holders, ...groups], names))
    yield `${style('blocked', line)}\n`;
  if (options.graph.roots.length + options.graph.cycles.length > 0) yield '\n';
  const notSelected = new Set(options.holders);
  for (const group of [...options.holders, ...rootsFirst(groups, options.graph)]) {
    const { finding, observations } = group;
    const count = observations.length;
    const share = notSelected.has(group) ? 'not selected' : `${((100 * count) / total).toFixed(1)} %`;
    const kind = observations.every(({ state }) => state === 'R') ? 'running' : finding.kind;
    const since = kind === 'running' ? '' : offCpu(observations);
    yield `${style('bold', `${count} ${count === 1 ? 'task' : 'tasks'}`)} (${share})  ${style(kind, kind)}${since}  ${style('bold', whatFor(finding, kind))}\n`;
    const rows = [
      ...row('tasks', taskLines(group, options)),
      ...row(
        'stack',
        frameLines(group.stack?.frames ?? [], (text) => style('idle', text)),
      ),
      ...row('wchan', wchanLines(group)),
      ...row('call', callLines(group, options)),
      ...row('behind', behindLines(group, names)),
      // What a running task waited for is over.
      ...((kind === 'idle' || kind !== finding.kind) && !options.full ? [] : advice(finding)),
    ];
    yield `${rows.map(([label, line]) => `  ${style('dim', label.padEnd(7))} ${line}\n`).join('')}\n`;
  }
  const missing = missingFacts(sample);
  if (missing !== undefined) yield `${style('dim', missing)}\n`;
  yield `${summary(total, options.counts)}\n`;
}

/** What is shown with the source bpf alone, where it would have been shown. */
function missingFacts({ source, observations }: Sample): string | undefined {
  if (source?.name !== 'procfs' || observations.length === 0) return undefined;
  const why = source.why === undefined ? '' : ` (${escapeUnsafe(source.why)})`;
  return `Not shown, since the source is procfs${why}: for how long tasks have been off the CPU, and who holds the locks they wait for.`;
}

const REASONS: Record<WaitReason, string> = {
  mutex: 'the mutex',
  semaphore: 'the semaphore',
  'rwsem-read': 'the rw-semaphore, to read,',
  'rwsem-write': 'the rw-semaphore, to write,',
  vfork: 'the memory of vfork(2)',
  ptrace: 'the tracer',
};
const MOST_ROOTS = 5;

function namesOf(groups: readonly ExplainedGroup[]): (tid: number) => string {
  const names = new Map(
    groups.flatMap(({ observations }) => observations.map(({ task }) => [task.tid, escapeUnsafe(task.comm)])),
  );
  return (tid) => `${tid} ${names.get(tid) ?? '(ended, or not seen)'}`;
}

/** Who holds up whom, the task that holds up most first: `4713 touch holds up 2 tasks: ...`. */
function waitLines(
  { roots, cycles }: WaitGraph,
  groups: readonly ExplainedGroup[],
  names: (tid: number) => string,
): string[] {
  const findings = new Map(
    groups.flatMap(({ observations, finding }) => observations.map(({ task }) => [task.tid, finding])),
  );
  const lines = cycles.map(
    (cycle) => `deadlock: ${cycle.map((wait) => `${names(wait.tid)} waits for ${holding(wait, names)}`).join('; ')}`,
  );
  for (const root of roots.slice(0, MOST_ROOTS)) {
    const { tid, waits, observation } = root;
    const finding = findings.get(tid);
    const itself = finding === undefined || observation?.state === 'R' ? stateOf(root) : whatFor(finding, finding.kind);
    lines.push(`${names(tid)} holds up ${waits.length} ${waits.length === 1 ? 'task' : 'tasks'}, and itself ${itself}`);
    for (const [wait, tids] of byHolder(waits))
      lines.push(`  ${someNames(tids, names)} ${tids.length === 1 ? 'waits' : 'wait'} for ${holding(wait, names)}`);
  }
  if (roots.length > MOST_ROOTS) lines.push(`... ${roots.length - MOST_ROOTS} others hold up tasks`);
  return lines;
}

function stateOf({ observation }: Root): string {
  if (observation === undefined) return 'was not seen';
  return observation.state === 'R' ? 'is on a CPU, or ready to run' : `is in state ${observation.state}`;
}

function holding({ holder, reason }: Wait, names: (tid: number) => string): string {
  if (reason === 'vfork') return `its vfork child ${names(holder)} to execute a program or end`;
  if (reason === 'ptrace') return `its tracer ${names(holder)}`;
  return `${REASONS[reason]} that ${names(holder)} holds`;
}

/** The waits for the same holder and reason, once, with all who wait so. */
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

/** The groups with a task that holds up others come first, then the largest. */
function rootsFirst(groups: readonly ExplainedGroup[], { roots, cycles }: WaitGraph): ExplainedGroup[] {
  const ranks = new Map([...cycles.flat(), ...roots].map(({ tid }, rank) => [tid, rank]));
  const rankOf = ({ observations }: ExplainedGroup) =>
    observations.reduce(
      (least, { task }) => Math.min(least, ranks.get(task.tid) ?? Number.POSITIVE_INFINITY),
      Number.POSITIVE_INFINITY,
    );
  return groups
    .map((group) => ({ group, rank: rankOf(group) }))
    .sort((a, b) => a.rank - b.rank || 0)
    .map(({ group }) => group);
}

/** Who holds the locks that tasks of the group sleep for; that nobody does is said where the rule knows it. */
function behindLines({ observations, finding }: ExplainedGroup, names: (tid: number) => string): string[] {
  const waits = observations.flatMap(({ task, facts }): Wait[] =>
    facts?.lock?.owner === undefined ? [] : [{ tid: task.tid, holder: facts.lock.owner, reason: facts.lock.kind }],
  );
  const lines = byHolder(waits).map(
    ([wait, tids]) => `${holding(wait, names)}${tids.length === 1 ? '' : `  x ${tids.length}`}`,
  );
  if (finding.rule?.includes('frozen') === true && lines.length === 0)
    return ['no task holds it: the file system is frozen until it is thawed'];
  return lines.length > MOST_CALLS ? [...lines.slice(0, MOST_CALLS), `(${lines.length - MOST_CALLS} others)`] : lines;
}

/** How long the tasks have been off the CPU: ` for 4 min 12 s`, or ` for 3 s to 4 min 12 s`. */
function offCpu(observations: readonly Observation[]): string {
  const times = observations.flatMap(({ facts }) => facts?.offCpuMs ?? []);
  if (times.length === 0) return '';
  const least = duration(times.reduce((a, b) => Math.min(a, b)));
  const most = duration(times.reduce((a, b) => Math.max(a, b)));
  return least === most ? ` for ${most}` : ` for ${least} to ${most}`;
}

function duration(milliseconds: number): string {
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const from = parts.findIndex(([number]) => number > 0);
  return parts
    .slice(from, from + 2)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(' ');
}

function whatFor({ kind, waitsFor }: Finding, shown: Finding['kind']): string {
  if (shown === 'running' && kind !== 'running') return 'on a CPU, or ready to run';
  return escapeUnsafe(kind === 'unexplained' || kind === 'running' ? waitsFor : `waits for ${waitsFor}`);
}

function row(label: string, lines: readonly string[]): [string, string][] {
  return lines.map((line, at) => [at === 0 ? label : '', line]);
}

/** One line for all tasks that are alike but for their numbers. */
function taskLines({ observations }: ExplainedGroup, options: LongOptions): string[] {
  const { full, threads } = options;
  const alike = new Map<string, { comm: string; rest: string; members: Observation[] }>();
  for (const observation of observations) {
    const { comm } = observation.task;
    const rest = [userOf(observation, options), observation.state].join('  ');
    const where = placeOf(observation);
    const key = `${comm}\n${rest}\n${where}`;
    const entry = alike.get(key);
    if (entry === undefined)
      alike.set(key, { comm, rest: where === '' ? rest : `${rest}  ${where}`, members: [observation] });
    else entry.members.push(observation);
  }
  const entries = [...alike.values()].sort((a, b) => b.members.length - a.members.length);
  const shown = full ? entries : entries.slice(0, MOST_TASK_LINES);
  const lines = shown.map(({ comm, rest, members }) => {
    const numbers = members.map(({ task: { pid, tid } }) => (threads ? `${pid}/${tid}` : `${tid}`));
    const named = full ? numbers : numbers.slice(0, MOST_NUMBERS);
    const more = numbers.length > named.length ? ` ... (+${numbers.length - named.length})` : '';
    const times = members.length === 1 ? '' : ` x ${members.length}`;
    const cpus = ranges(members.flatMap(({ cpu }) => cpu ?? []));
    return `${escapeUnsafe(comm)}${times}: ${named.join(' ')}${more}  ${escapeUnsafe(rest)}${cpus === '' ? '' : `  cpu ${cpus}`}`;
  });
  const left = entries.slice(shown.length);
  if (left.length > 0)
    lines.push(`... ${left.length} lines more (+${sum(left.map(({ members }) => members.length))} tasks)`);
  return lines;
}

function userOf({ task: { uid } }: Observation, { userName }: LongOptions): string {
  if (uid === undefined) return '';
  return 'value' in uid ? userName(uid.value) : `user not read: ${uid.unread}`;
}

/** The container; outside of any, the control group, where it says more than that there is one. */
function placeOf({ task: { cgroup } }: Observation): string {
  if (cgroup === undefined) return '';
  if ('unread' in cgroup) return `cgroup not read: ${cgroup.unread}`;
  const container = containerOf(cgroup.value);
  if (container !== undefined) return describeContainer(container);
  return cgroup.value === '/' ? '' : cgroup.value;
}

function frameLines(frames: readonly Frame[], colourModule: (text: string) => string): string[] {
  const widest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, text.length), 0);
  const places = frames.map(({ offset, size }) =>
    offset === undefined ? '' : `+0x${offset.toString(16)}/0x${size?.toString(16)}`,
  );
  const names = frames.map(({ symbol }) => escapeUnsafe(symbol));
  const nameWidth = Math.min(WIDEST_SYMBOL, widest(names));
  const placeWidth = widest(places);
  return frames.map(({ module }, at) => {
    const line = `${(names[at] ?? '').padEnd(nameWidth)}  ${(places[at] ?? '').padEnd(placeWidth)}`;
    return module === undefined ? line.trimEnd() : `${line}  ${colourModule(`[${escapeUnsafe(module)}]`)}`;
  });
}

/** Where the tasks wait whose stack could not be read, as far as the kernel tells without a lock. */
function wchanLines({ observations }: ExplainedGroup): string[] {
  return [...new Set(observations.flatMap(({ wchan }) => wchan ?? []))].slice(0, MOST_CALLS).map(escapeUnsafe);
}

function callLines(group: ExplainedGroup, { callsOf, full }: LongOptions): string[] {
  const { calls, tasks } = callsOf(group);
  const shown = full ? calls : calls.slice(0, MOST_CALLS);
  const lines = shown.map(({ text, count }) => `${escapeUnsafe(text)}${count === 1 ? '' : `  x ${count}`}`);
  const others = [
    ...(calls.length > shown.length ? [`${calls.length - shown.length} others`] : []),
    ...(tasks < group.observations.length && calls.length > 0 ? [`of the first ${tasks} tasks`] : []),
  ];
  if (others.length > 0) lines.push(`(${others.join(', ')})`);
  return lines;
}

function advice({ causes, next, rule }: Finding): [string, string][] {
  return [
    ...row('causes', causes === '' ? [] : [causes]),
    ...row('next', next),
    ...row('rule', rule === undefined ? [] : [rule]),
  ];
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

function summary(total: number, { blocked, idle, running, unexplained }: KindCounts): string {
  return `${total} ${total === 1 ? 'task' : 'tasks'} seen: ${blocked} blocked, ${idle} idle, ${running} running, ${unexplained} unexplained.`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

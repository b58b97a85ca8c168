import { containerOf } from '../model/container.ts';
import type { ExplainedGroup, Finding, KindCounts } from '../model/finding.ts';
import type { Reading } from '../model/reading.ts';
import { type Observation, type Sample, startTimeSeconds, type Unread } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import type { WaitGraph } from '../model/wait.ts';

/** Of schema/kstack-sample-1.schema.json: goes up when what is there changes its meaning or goes. */
const VERSION = 1;
/** How long a piece becomes before it is given out. */
const PIECE = 1 << 16;

export interface JsonOptions {
  /** Whether the tasks are threads, or processes by their main thread. */
  readonly threads: boolean;
  readonly unread: readonly Unread[];
  readonly counts: KindCounts;
  /** Who waits for whom. */
  readonly graph: WaitGraph;
  kindOf(observation: Observation): Finding['kind'];
  userName(uid: number): string;
}

/** A sample as one JSON document, a line for each stack and each task. */
export function* formatJson(
  sample: Sample,
  groups: readonly ExplainedGroup[],
  options: JsonOptions,
): Generator<string> {
  const { threads, unread, counts } = options;
  const { blocked, idle, running, unexplained } = counts;
  const head = {
    format: 'kstack-sample',
    version: VERSION,
    ...placeOf(sample),
    bootId: plain(sample.bootId),
    bootTime: new Date(sample.bootTimeSeconds * 1000).toISOString(),
    ticksPerSecond: sample.ticksPerSecond,
    source: sample.source,
    moreThreads: sample.moreThreads,
    threads,
    counts: { tasks: blocked + idle + running + unexplained, ...counts },
  };
  yield `${text(head).slice(0, -1)},\n"stacks":[\n`;
  const indexOf = new Map<Stack, number>();
  yield* lines(function* () {
    for (const { stack, finding } of groups) {
      if (stack === undefined) continue;
      const id = indexOf.size;
      indexOf.set(stack, id);
      yield text({ id, frames: framesOf(stack), finding: wholeFinding(finding) });
    }
  });
  yield '],\n"tasks":[\n';
  yield* lines(function* () {
    for (const observation of sample.observations) {
      const { stack } = observation;
      const reference = 'unread' in stack ? stack : (indexOf.get(stack.value) ?? null);
      yield text({ ...taskOf(observation, sample, options), stack: reference });
    }
  });
  yield '],\n"holders":[\n';
  yield* lines(function* () {
    for (const observation of sample.holders ?? []) {
      const { stack } = observation;
      const frames = 'unread' in stack ? stack : framesOf(stack.value);
      yield text({ ...taskOf(observation, sample, options), frames });
    }
  });
  const { roots, cycles } = options.graph;
  yield '],\n"waits":[\n';
  yield* lines(function* () {
    for (const { tid, waits } of roots) yield text({ root: tid, waits });
    for (const cycle of cycles) yield text({ deadlock: true, waits: cycle });
  });
  yield '],\n"unread":[\n';
  yield* lines(function* () {
    for (const each of unread) yield text(each);
  });
  yield ']}\n';
}

/** A sample as lines of JSON, one for each task and for each thing that could not be read, each complete in itself. */
export function* formatJsonLines(
  sample: Sample,
  groups: readonly ExplainedGroup[],
  options: JsonOptions,
): Generator<string> {
  const place = placeOf(sample);
  const endings = new Map<Stack, string>();
  for (const { stack, finding } of groups) {
    if (stack === undefined) continue;
    const { rule, waitsFor } = finding;
    endings.set(stack, text({ frames: framesOf(stack), rule, waitsFor }).slice(1));
  }
  for (const observation of sample.observations) {
    const { stack } = observation;
    const beginning = text({ type: 'task', ...place, ...taskOf(observation, sample, options) });
    const ending = 'unread' in stack ? text({ frames: stack }).slice(1) : (endings.get(stack.value) ?? '"frames":[]}');
    yield `${beginning.slice(0, -1)},${ending}\n`;
  }
  for (const each of options.unread) yield `${text({ type: 'unread', ...place, ...each })}\n`;
}

function placeOf({ timeMs, host, kernel }: Sample) {
  return { time: new Date(timeMs).toISOString(), host, kernel };
}

function taskOf(observation: Observation, sample: Sample, { kindOf, userName }: JsonOptions) {
  const { task, state, cpu, wchan } = observation;
  const { pid, tid, ppid, comm, commandLine, kernelThread, startTicks, uid, cgroup } = task;
  const startSeconds = startTimeSeconds(task, sample);
  const container = cgroup !== undefined && 'value' in cgroup ? containerOf(cgroup.value) : undefined;
  return {
    pid,
    tid,
    ppid,
    comm,
    commandLine: 'value' in commandLine ? commandLine.value.trim() : commandLine,
    kernelThread,
    state,
    kind: kindOf(observation),
    cpu,
    startTicks,
    ...(startSeconds !== undefined && { startTime: new Date(startSeconds * 1000).toISOString() }),
    ...(wchan !== undefined && { wchan }),
    ...(uid && { uid: plain(uid) }),
    ...(uid && 'value' in uid && { user: userName(uid.value) }),
    ...(cgroup && { cgroup: plain(cgroup) }),
    ...(container && { container }),
    ...observation.facts,
  };
}

function framesOf({ frames }: Stack) {
  return frames.map(({ symbol, offset, size, module }) => ({ symbol, offset, size, module }));
}

function wholeFinding({ rule, kind, waitsFor, causes, next, source, frame }: Finding) {
  return { rule, kind, waitsFor, causes, next, source, frame: frame?.symbol };
}

/** The value itself, or `{"unread": WHY}`. */
function plain<T>(reading: Reading<T>): T | { readonly unread: string } {
  return 'value' in reading ? reading.value : reading;
}

/**
 * What JSON lets through though a terminal acts on it: DEL, C1 and the controls of the bidirectional algorithm (UAX
 * #9).
 */
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * JSON, safe to show. A byte that is not UTF-8 stands as `\udc80` to `\udcff`, which Python's json.loads and
 * os.fsencode turn back (PEP 383).
 */
function text(value: object): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The elements of an array, a line each, in pieces. */
function* lines(elements: () => Generator<string>): Generator<string> {
  let piece = '';
  let separator = '';
  for (const element of elements()) {
    piece += separator + element;
    separator = ',\n';
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield separator === '' ? piece : `${piece}\n`;
}

import type { Finding } from '../../model/finding.ts';
import { PRESSURES } from '../../model/pressure.ts';
import { escapeInvalid } from '../../model/raw-text.ts';
import { everythingUnread, type Observation, type Sample } from '../../model/sample.ts';
import type { Stack } from '../../model/stack.ts';
import type { SystemCallState } from '../../model/system-call.ts';
import type { Task } from '../../model/task.ts';
import { countKinds, explainObservation } from '../explain/explain-sample.ts';
import { waitSignature } from '../signature.ts';
import { Hosts } from '../times/hosts.ts';
import { Pace } from '../times/pace.ts';
import { hashOf } from './hash.ts';
import { findingRow, frameRows, stackKey, stackRow } from './stack-rows.ts';
import type { Row, TableRow } from './tables.ts';
import { safe, taskRow, valueIn } from './task-row.ts';
import { type Place, waitRows } from './wait-rows.ts';

/** How many keys of tasks, stacks and findings are remembered, of each. Beyond it, some rows come again. */
const MOST_SEEN = 100_000;

/** What a host was last seen in. */
interface HostPlace {
  readonly pace: Pace;
  timeMs: number | undefined;
  /** How many samples have had this time. */
  count: number;
}

/**
 * The rows of samples, in all tables. A row that others refer to comes before them, once, or again after very many
 * others. The same samples in the same order give the same keys, whoever reads them: to insert them again changes
 * nothing.
 */
export class TableRows {
  readonly #hosts = new Hosts();
  readonly #places = new Map<string, HostPlace>();
  readonly #seen = { tasks: new Set<bigint>(), stacks: new Set<bigint>(), findings: new Set<bigint>() };
  readonly #taskRows = new WeakMap<Task, Row<'tasks'>>();
  readonly #findingRows = new WeakMap<Finding, Row<'findings'>>();
  readonly #stackKeys = new WeakMap<Stack, bigint>();
  #untimed = 0;

  /** From now on all that rows refer to comes again before them. */
  forget(): void {
    for (const keys of Object.values(this.#seen)) keys.clear();
  }

  *of(sample: Sample): Generator<TableRow> {
    const { place, spanMs } = this.#placeOf(sample);
    const unread = everythingUnread(sample);
    yield { table: 'samples', row: sampleRow(sample, place, spanMs, unread.length) };
    const kernel = safe(sample.kernel);
    const lists = [
      [sample.observations, true],
      [sample.holders, false],
    ] as const;
    for (const [observations, selected] of lists)
      for (const [at, observation] of observations.entries())
        yield* this.#observationRows(observation, sample, { ...place, kernel, span_ms: spanMs, selected }, at);
    yield* waitRows(sample, place, (task) => this.#taskRowOf(task, sample, place).task);
    for (const { tid, pid, comm, state, what, why, detail } of unread) {
      const key = hashOf([place.sample, tid, pid, comm, what]);
      const told = { what, why, detail: safe(detail), state: state ?? null };
      const row = { unread: key, ...place, tid: tid === 0 ? null : tid, pid: pid ?? null, comm: safe(comm), ...told };
      yield { table: 'unread', row };
    }
    for (const { timeMs, uptimeSeconds, kind, text } of sample.events ?? []) {
      const time = timeMs ?? place.time;
      const event = hashOf([place.host, timeMs, uptimeSeconds, kind, text, ...(timeMs === undefined ? [time] : [])]);
      const row = { ...place, time, uptime_s: uptimeSeconds ?? null, kind, text: escapeInvalid(text) };
      yield { table: 'events', row: { event, ...row } };
    }
  }

  /** Several samples of a host may have one time: two recorders, or a log with whole seconds. */
  #placeOf(sample: Sample): { place: Place; spanMs: number | null } {
    const { host, timeMs, uptimeSeconds, source, intervalMs } = sample;
    const boot = sample.bootId === undefined ? undefined : valueIn(sample.bootId);
    const hostKey = this.#hosts.keyOf(sample);
    const known = this.#places.get(hostKey) ?? { pace: new Pace(() => undefined), timeMs: undefined, count: 0 };
    this.#places.set(hostKey, known);
    known.count = timeMs !== undefined && timeMs === known.timeMs ? known.count + 1 : 0;
    const isFirst = known.timeMs === undefined;
    let spanMs: number | null = null;
    if (timeMs !== undefined && source.partial !== true) {
      const span = Math.round(1000 * known.pace.arrive(Math.max(timeMs, known.timeMs ?? 0), intervalMs));
      spanMs = isFirst ? null : span;
    }
    known.timeMs = timeMs ?? known.timeMs;
    const number = timeMs === undefined ? this.#untimed++ : known.count;
    const key = hashOf([host, boot, timeMs, uptimeSeconds, number]);
    const name = this.#hosts.nameOf(hostKey) ?? host;
    return { place: { sample: key, time: timeMs ?? null, host: safe(name) }, spanMs };
  }

  *#observationRows(
    observation: Observation,
    sample: Sample,
    place: Place & Pick<Row<'observations'>, 'kernel' | 'span_ms' | 'selected'>,
    at: number,
  ): Generator<TableRow> {
    const { task, state, stack: reading, cpu, wchan, facts, systemCall } = observation;
    const taken = this.#taskRowOf(task, sample, place);
    if (this.#isNew('tasks', taken.task)) yield { table: 'tasks', row: taken };
    const finding = explainObservation(observation);
    const found = this.#findingRowOf(finding);
    if (this.#isNew('findings', found.finding)) yield { table: 'findings', row: found };
    const stack = 'value' in reading && reading.value.frames.length > 0 ? reading.value : undefined;
    const key = stack === undefined ? null : this.#stackKeyOf(stack);
    if (stack !== undefined && key !== null && this.#isNew('stacks', key)) {
      yield { table: 'stacks', row: stackRow(key, stack) };
      for (const row of frameRows(key, stack)) yield { table: 'frames', row };
    }
    const { tid } = task.id;
    // Each CPU has an idle task of number 0, and a text may tell no numbers.
    const identity = tid === undefined || tid === 0 ? [task.comm, at] : [];
    const row: Row<'observations'> = {
      observation: hashOf([place.sample, tid, ...identity]),
      ...place,
      task: taken.task,
      pid: taken.pid,
      tid: taken.tid,
      start_ticks: taken.start_ticks,
      comm: taken.comm,
      state: state ?? null,
      own: task.own === true,
      kind: finding.kind,
      rule: found.rule,
      waits_for: found.waits_for,
      wait: waitSignature(finding, stack),
      finding: found.finding,
      stack: key,
      stack_unread: 'unread' in reading ? reading.unread : null,
      cpu: cpu ?? null,
      wchan: safe(wchan),
      off_cpu_ms: facts?.offCpuMs ?? null,
      on_cpu_ms: facts?.onCpuMs ?? null,
      traced_times: facts?.traced?.times ?? null,
      traced_off_cpu_ms: facts?.traced?.offCpuMs ?? null,
      switches: facts?.switches ?? null,
      system_call: systemCall === undefined ? null : callText(valueIn(systemCall)),
    };
    yield { table: 'observations', row };
  }

  #taskRowOf(task: Task, sample: Sample, { host }: Place): Row<'tasks'> {
    let row = this.#taskRows.get(task);
    if (row === undefined) {
      row = taskRow(task, sample, host);
      this.#taskRows.set(task, row);
    }
    return row;
  }

  #findingRowOf(finding: Finding): Row<'findings'> {
    let row = this.#findingRows.get(finding);
    if (row === undefined) {
      row = findingRow(finding);
      this.#findingRows.set(finding, row);
    }
    return row;
  }

  #stackKeyOf(stack: Stack): bigint {
    let key = this.#stackKeys.get(stack);
    if (key === undefined) {
      key = stackKey(stack);
      this.#stackKeys.set(stack, key);
    }
    return key;
  }

  #isNew(table: 'tasks' | 'stacks' | 'findings', key: bigint): boolean {
    const seen = this.#seen[table];
    if (seen.has(key)) return false;
    if (seen.size >= MOST_SEEN) seen.clear();
    seen.add(key);
    return true;
  }
}

/** The rows of a stream of samples. */
export async function* tableRows(samples: Iterable<Sample> | AsyncIterable<Sample>): AsyncGenerator<TableRow> {
  const rows = new TableRows();
  for await (const sample of samples) yield* rows.of(sample);
}

function sampleRow(sample: Sample, place: Place, spanMs: number | null, unread: number): Row<'samples'> {
  const { bootId, bootTimeSeconds, source, leftOut, pressure } = sample;
  const counts = countKinds(sample);
  const { blocked, idle, running, unexplained } = counts;
  const tasks = blocked + idle + running + unexplained;
  const [cpu, io, memory] = PRESSURES.map((name) => pressure?.[name]);
  const { threads: _, guessedFrames: __, lines: ___, mixed: ____, ...kinds } = leftOut;
  return {
    ...place,
    boot_id: bootId === undefined ? null : safe(valueIn(bootId)),
    kernel: safe(sample.kernel),
    architecture: safe(sample.architecture),
    source: source.name,
    source_why: safe(source.why),
    threads: sample.threads,
    uptime_s: sample.uptimeSeconds ?? null,
    interval_ms: sample.intervalMs ?? null,
    span_ms: spanMs,
    boot_time: bootTimeSeconds === undefined ? null : 1000 * bootTimeSeconds,
    ticks_per_second: sample.ticksPerSecond ?? null,
    tasks,
    ...{ blocked, idle, running, unexplained },
    left_out: Object.values(kinds).reduce((sum, count) => sum + count, 0),
    unread,
    cpu_some: cpu?.some ?? null,
    cpu_full: cpu?.full ?? null,
    io_some: io?.some ?? null,
    io_full: io?.full ?? null,
    memory_some: memory?.some ?? null,
    memory_full: memory?.full ?? null,
  };
}

function callText(call: SystemCallState | null): string | null {
  if (call === null || typeof call === 'string') return call;
  return escapeInvalid(call.text ?? call.name ?? `system call ${call.number}`);
}

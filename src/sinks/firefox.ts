import { framesOf } from '../analysis/fold.ts';
import { countBlocked } from '../analysis/times/blocked-runs.ts';
import { type EndedSpan, type Span, type SpanStep, spansOf } from '../analysis/times/spans.ts';
import type { Event } from '../model/event.ts';
import { PRESSURES } from '../model/pressure.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Task } from '../model/task.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { holderText } from './edge-phrases.ts';
import { counterOf, metaOf } from './firefox-meta.ts';
import { categoryOf, SharedTables } from './firefox-tables.ts';
import type { Format, Samples } from './format.ts';

/**
 * A profile for https://profiler.firefox.com, in its processed format (github.com/firefox-devtools/profiler,
 * src/types/profile.ts). Each task is a thread, with a sample for each one it was seen in, and markers for its waits.
 * The format has the samples of a thread together, so all of them are in memory until the end.
 * @throws Error if there are more than fit there
 */
export const format: Format = { fields: [], facts: true, binary: false, write: (samples) => formatFirefox(samples) };

/** Samples of tasks and markers. About 100 bytes each, here and, multiplied, in the viewer. */
const MOST_ENTRIES = 2_000_000;
const MOST_VISIBLE = 30;
const MOST_INTERVALS = 1000;
const MOST_NAME = 200;
const INSTANT = 0;
const INTERVAL = 1;

/** @param most so many samples of tasks and markers it takes */
export async function* formatFirefox(samples: Samples, most = MOST_ENTRIES): AsyncGenerator<string> {
  const profile = new ProfileBuilder(most);
  for await (const step of spansOf(samples)) profile.add(step);
  yield* profile.end();
}

interface Marker {
  readonly name: number;
  readonly category: number;
  readonly fromMs: number;
  /** Undefined for a moment. */
  readonly toMs: number | undefined;
  readonly data: object;
}

/** What the viewer calls a thread. */
interface Thread {
  /** Undefined for the events of a host. */
  readonly task: Task | undefined;
  readonly times: number[];
  readonly stacks: number[];
  readonly markers: Marker[];
  blockedMs: number;
}

interface Level {
  readonly unit: 'number' | 'percent';
  readonly times: number[];
  readonly levels: number[];
}

interface Host {
  readonly name: string | undefined;
  readonly events: Thread;
  /** By task. */
  readonly threads: Map<string, Thread>;
  readonly counters: Map<string, Level>;
  lastMs: number | undefined;
}

class ProfileBuilder {
  readonly #most: number;
  readonly #tables = new SharedTables();
  readonly #hosts = new Map<string | undefined, Host>();
  readonly #kernels = new Set<string>();
  readonly #intervals: number[] = [];
  #entries = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add({ sample, host: name, atMs, ended, events, seen }: SpanStep): void {
    const host = this.#host(name);
    for (const span of ended) this.#endWait(host, span);
    if (sample === undefined) return;
    this.#span(atMs, atMs);
    if (sample.kernel !== undefined) this.#kernels.add(sample.kernel);
    if (host.lastMs !== undefined && this.#intervals.length < MOST_INTERVALS) this.#intervals.push(atMs - host.lastMs);
    host.lastMs = atMs;
    for (const { observation, span } of seen) this.#see(host, observation, span, atMs);
    for (const event of events) this.#mark(host, event.event, event.atMs);
    this.#count(host, sample, atMs);
  }

  /** The parts of the profile's JSON. */
  *end(): Generator<string> {
    const startMs = Math.min(this.#firstMs, this.#lastMs);
    const threads = [...this.#hosts.values()].flatMap((host) => threadsOf(host).map((thread) => ({ host, thread })));
    const worst = threads
      .map(({ thread }, at) => ({ at, blockedMs: thread.blockedMs, isHost: thread.task === undefined }))
      .filter(({ blockedMs, isHost }) => blockedMs > 0 || isHost)
      .sort((a, b) => b.blockedMs - a.blockedMs);
    const meta = metaOf({
      startMs,
      endMs: this.#lastMs,
      intervalMs: this.#intervals.sort((a, b) => a - b)[this.#intervals.length >> 1] || 1,
      hosts: Array.from(this.#hosts.keys(), (name) => escapeUnsafe(name ?? '?')),
      kernels: Array.from(this.#kernels, escapeUnsafe),
      visible: worst.slice(0, MOST_VISIBLE).map(({ at }) => at),
    });
    yield `{"meta":${JSON.stringify(meta)},\n"libs":[],\n"shared":${JSON.stringify(this.#tables.end())},\n"threads":[`;
    const idOf = ids(this.#hosts.size > 1);
    const counters: string[] = [];
    for (const [at, { host, thread }] of threads.entries()) {
      const told = threadJson(thread, host, { ...idOf(host, thread), startMs });
      yield `${at === 0 ? '' : ','}\n${JSON.stringify(told)}`;
      if (thread !== host.events) continue;
      for (const [name, { unit, times, levels }] of host.counters) {
        const level = { unit, levels, times: times.map((ms) => ms - startMs) };
        counters.push(JSON.stringify(counterOf(name, { pid: told.pid, mainThreadIndex: at }, level)));
      }
    }
    yield `\n],\n"counters":[${counters.map((counter) => `\n${counter}`).join(',')}]}\n`;
  }

  #host(name: string | undefined): Host {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = { name, events: newThread(undefined), threads: new Map(), counters: new Map(), lastMs: undefined };
      this.#hosts.set(name, host);
    }
    return host;
  }

  #thread({ threads }: Host, { key, task }: Span): Thread {
    let thread = threads.get(key);
    if (thread === undefined) {
      thread = newThread(task);
      threads.set(key, thread);
    }
    return thread;
  }

  #see(host: Host, observation: Observation, span: Span, atMs: number): void {
    this.#enter();
    const thread = this.#thread(host, span);
    thread.times.push(atMs);
    thread.stacks.push(this.#tables.stack(framesOf(observation), span.finding.kind));
  }

  #endWait(host: Host, { span, toMs }: EndedSpan): void {
    const { finding, fromMs, state, edge, resource, seen, ran } = span;
    if (finding.kind !== 'blocked' && finding.kind !== 'unexplained') return;
    const thread = this.#thread(host, span);
    if (finding.kind === 'blocked') thread.blockedMs += toMs - fromMs;
    this.#markThread(thread, {
      name: this.#tables.string(cut(finding.waitsFor)),
      category: categoryOf(finding.kind),
      fromMs,
      toMs,
      data: {
        type: 'Wait',
        ...(finding.rule !== undefined && { rule: finding.rule }),
        ...(state !== undefined && { state }),
        ...(finding.innermost !== undefined && { function: escapeUnsafe(cut(finding.innermost.symbol)) }),
        ...(edge !== undefined && { holder: escapeUnsafe(holderText(edge, resource)) }),
        ...(edge !== undefined && { reason: edge.by }),
        seen,
        ran: ran === undefined ? 'not known' : ran ? 'yes' : 'no',
      },
    });
  }

  #mark(host: Host, { kind, text }: Event, atMs: number): void {
    this.#markThread(host.events, {
      name: this.#tables.string(kind),
      category: categoryOf('other'),
      fromMs: atMs,
      toMs: undefined,
      data: { type: 'Event', text: escapeUnsafe(cut(text)) },
    });
  }

  #markThread({ markers }: Thread, marker: Marker): void {
    this.#enter();
    this.#span(marker.fromMs, marker.toMs ?? marker.fromMs);
    markers.push(marker);
  }

  #count(host: Host, sample: Sample, atMs: number): void {
    const level = (name: string, unit: Level['unit'], value: number) => {
      let counter = host.counters.get(name);
      if (counter === undefined) {
        counter = { unit, times: [], levels: [] };
        host.counters.set(name, counter);
      }
      counter.times.push(atMs);
      counter.levels.push(value);
    };
    level('blocked tasks', 'number', countBlocked(sample));
    for (const name of PRESSURES)
      for (const kind of ['some', 'full'] as const) {
        const value = sample.pressure?.[name]?.[kind];
        if (value !== undefined) level(`pressure ${name}, ${kind} (%)`, 'percent', value);
      }
  }

  #span(fromMs: number, toMs: number): void {
    this.#firstMs = Math.min(this.#firstMs, fromMs);
    this.#lastMs = Math.max(this.#lastMs, toMs);
  }

  #enter(): void {
    this.#entries++;
    if (this.#entries <= this.#most) return;
    const way = 'take a part of it with --from and --to, or use -f perfetto';
    throw new Error(
      `-f firefox keeps all samples of all tasks in memory, and there are more than ${this.#most}: ${way}`,
    );
  }
}

function newThread(task: Task | undefined): Thread {
  return { task, times: [], stacks: [], markers: [], blockedMs: 0 };
}

/** The threads of a host: its events, then process by process, the main thread first. */
function threadsOf({ events, threads }: Host): Thread[] {
  const processes = new Map<string, Thread[]>();
  for (const [key, thread] of threads) {
    const { id, pid } = thread.task ?? { id: {} };
    const process = pid === undefined ? key : `${id.bootId ?? ''} ${pid}`;
    const others = processes.get(process) ?? [];
    if (id.tid === pid) others.unshift(thread);
    else others.push(thread);
    processes.set(process, others);
  }
  return [events, ...[...processes.values()].flat()];
}

interface Ids {
  readonly pid: string;
  readonly tid: number | string;
  readonly isMain: boolean;
  readonly processName: string;
}

/** A function that names a thread, so that no two have the same TID, and no two processes the same PID. */
function ids(several: boolean): (host: Host, thread: Thread) => Ids {
  const used = new Map<number | string, number>();
  const mains = new Set<string>();
  return (host, { task }) => {
    const hostName = escapeUnsafe(host.name ?? 'host');
    if (task === undefined) return { pid: hostName, tid: `${hostName} events`, isMain: true, processName: hostName };
    const { id, pid = id.tid, comm, processName } = task;
    const prefix = several ? `${hostName} ` : '';
    const own: number | string = several ? `${prefix}${id.tid ?? '?'}` : (id.tid ?? '?');
    const count = (used.get(own) ?? 0) + 1;
    used.set(own, count);
    const tid = count === 1 ? own : `${own} (${count})`;
    const process = `${prefix}${pid ?? tid}`;
    const isMain = id.tid === pid && !mains.has(process);
    if (isMain) mains.add(process);
    const name = escapeUnsafe(processName ?? (id.tid === pid ? comm : undefined) ?? '?');
    return { pid: process, tid, isMain, processName: several ? `${name} @ ${hostName}` : name };
  };
}

/** As RawThread of the processed format. */
function threadJson(
  { task, times, stacks, markers }: Thread,
  { name: host }: Host,
  { pid, tid, isMain, processName, startMs }: Ids & { readonly startMs: number },
) {
  const since = (ms: number) => Math.round(1000 * (ms - startMs)) / 1000;
  return {
    processType: 'default',
    processStartupTime: 0,
    processShutdownTime: null,
    registerTime: 0,
    unregisterTime: null,
    pausedRanges: [],
    showMarkersInTimeline: markers.length > 0,
    name: task === undefined ? `${escapeUnsafe(host ?? 'host')}: events` : escapeUnsafe(task.comm ?? '?'),
    isMainThread: isMain,
    processName,
    pid,
    tid,
    samples: { stack: stacks, time: times.map(since), weight: null, weightType: 'samples', length: times.length },
    markers: {
      data: markers.map(({ data }) => data),
      name: markers.map(({ name }) => name),
      startTime: markers.map(({ fromMs }) => since(fromMs)),
      endTime: markers.map(({ toMs }) => (toMs === undefined ? null : since(toMs))),
      phase: markers.map(({ toMs }) => (toMs === undefined ? INSTANT : INTERVAL)),
      category: markers.map(({ category }) => category),
      length: markers.length,
    },
  };
}

function cut(text: string): string {
  return text.length > MOST_NAME ? `${text.slice(0, MOST_NAME)}...` : text;
}

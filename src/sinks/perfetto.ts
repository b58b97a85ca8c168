import { createHash } from 'node:crypto';
import { countBlocked } from '../analysis/times/blocked-runs.ts';
import { type EndedSpan, type Span, type SpanStep, spansOf } from '../analysis/times/spans.ts';
import { commandLineText } from '../model/command-line.ts';
import type { NodeKey } from '../model/edge.ts';
import type { Event } from '../model/event.ts';
import { PRESSURES } from '../model/pressure.ts';
import type { Sample } from '../model/sample.ts';
import type { State, Task } from '../model/task.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { holderText } from './edge-phrases.ts';
import type { Format, Samples } from './format.ts';
import { FIELDS, MERGE_NONE, UNIT_COUNT } from './perfetto-fields.ts';
import { type Arguments, PacketWriter } from './perfetto-packets.ts';
import { Message } from './protobuf.ts';

/**
 * A trace for https://ui.perfetto.dev (perfetto.dev/docs/reference/synthetic-track-event). Each task has a track with a
 * slice for each thing that it did or waited for, and one with its states; arrows go from tasks that wait to those that
 * they wait for. It is written as the samples come.
 */
export const format: Format = { fields: [], facts: true, binary: true, write: formatPerfetto };

const PIECE_BYTES = 64 * 1024;

async function* formatPerfetto(samples: Samples): AsyncGenerator<Uint8Array> {
  const trace = new Message();
  const hosts = new Map<string, HostTrace>();
  for await (const step of spansOf(samples)) {
    let host = hosts.get(step.host ?? '');
    if (host === undefined) {
      host = new HostTrace(trace, hosts.size, step.host);
      hosts.set(step.host ?? '', host);
    }
    for (const _ of host.write(step)) {
      if (trace.length >= PIECE_BYTES) yield trace.take();
    }
  }
  if (trace.length > 0) yield trace.take();
}

const { TrackDescriptor, ProcessDescriptor, ThreadDescriptor, CounterDescriptor, SystemInfo, Utsname } = FIELDS;

/** Tracks that are remembered. Those that are forgotten are described again, with the same number. */
const MOST_TRACKS = 500_000;
/** Of one host. */
const FLOW_BITS = 40n;
const MOST_NAME = 120;
const MOST_TEXT = 4000;

const STATES: Readonly<Record<State, string>> = {
  R: 'R (running, or ready to)',
  S: 'S (sleeping)',
  D: 'D (uninterruptible sleep)',
  I: 'I (idle kernel thread)',
  T: 'T (stopped)',
  t: 't (traced)',
  Z: 'Z (zombie)',
  X: 'X (dead)',
  P: 'P (parked)',
};

/** Writes what happened on one host. */
class HostTrace {
  readonly #packets: PacketWriter;
  readonly #host: string | undefined;
  readonly #tracks = new Map<string, number>();
  /** The state that the track of each task shows now. */
  readonly #states = new Map<string, State>();
  #isNew = true;
  /** Arrows are numbered in all hosts together. */
  #flow: bigint;

  constructor(trace: Message, index: number, host: string | undefined) {
    this.#packets = new PacketWriter(trace, index);
    this.#flow = BigInt(index) << FLOW_BITS;
    this.#host = host;
  }

  /** Yields now and then, so that what was written can be taken. */
  *write({ sample, atMs, ended, begun, events, seen }: SpanStep): Generator<void> {
    if (sample !== undefined && this.#isNew) this.#begin(sample, atMs);
    const begins = new Set(begun.map(({ key }) => key));
    for (const span of ended) {
      this.#endSlice(span);
      if (!begins.has(span.span.key)) this.#showState(span.span, span.toMs, undefined);
      yield;
    }
    if (sample === undefined) return;
    const waits: { readonly span: Span; readonly flow: bigint }[] = [];
    const byKey = new Map<NodeKey | undefined, Span>(seen.map(({ span }) => [span.task.id.tid, span]));
    for (const span of begun) {
      const holder = span.edge === undefined ? undefined : byKey.get(span.edge.to);
      const flow = holder === undefined ? undefined : this.#nextFlow();
      if (flow !== undefined) waits.push({ span, flow });
      this.#beginSlice(span, flow);
      this.#showState(span, span.fromMs, span.state);
      yield;
    }
    for (const { span, flow } of waits) {
      const holder = byKey.get(span.edge?.to);
      if (holder !== undefined) this.#hold(holder, span, flow, atMs);
      yield;
    }
    for (const { event, atMs: ms } of events) {
      this.#mark(event, ms);
      yield;
    }
    this.#count(sample, atMs);
  }

  #begin(sample: Sample, atMs: number): void {
    this.#isNew = false;
    this.#packets.clock(atMs);
    const { kernel } = sample;
    this.#packets.system((info) => {
      info.message(SystemInfo.utsname, () => {
        info.text(Utsname.sysname, 'Linux');
        if (kernel !== undefined) info.text(Utsname.release, escapeUnsafe(kernel));
      });
      if (this.#host !== undefined) info.text(SystemInfo.machine_name, escapeUnsafe(this.#host));
    });
  }

  #beginSlice(span: Span, flow: bigint | undefined): void {
    const { finding, state, edge, stack, fromMs, task } = span;
    const details: Arguments = {
      waitsFor: finding.waitsFor.length > MOST_NAME ? textOf(finding.waitsFor) : undefined,
      rule: finding.rule,
      state,
      function: finding.innermost === undefined ? undefined : textOf(finding.innermost.symbol),
      stack:
        stack === undefined || stack.frames.length === 0
          ? undefined
          : textOf(stack.frames.map(({ symbol }) => symbol).join(' < ')),
      holder: edge === undefined ? undefined : textOf(holderText(edge, span.resource)),
      reason: edge?.by,
      host: this.#host === undefined ? undefined : textOf(this.#host),
      comm: task.comm === undefined ? undefined : textOf(task.comm),
    };
    this.#packets.event(fromMs, {
      type: 'sliceBegin',
      track: this.#taskTrack(span),
      name: nameOf(finding.waitsFor),
      category: finding.kind,
      arguments: details,
      ...(flow !== undefined && { flow }),
    });
  }

  #endSlice({ span, toMs }: EndedSpan): void {
    const { seen, ran, finding } = span;
    const waits = finding.kind === 'blocked' || finding.kind === 'unexplained';
    const details = waits ? { seen, ranInBetween: ran === undefined ? 'not known' : ran } : { seen };
    this.#packets.event(toMs, { type: 'sliceEnd', track: this.#taskTrack(span), arguments: details });
  }

  /**
   * The viewer's own row of thread states is made of scheduler events, each of which has to name a CPU and what ran
   * there before, and its states last until the next event. A sample knows neither, and behind a gap nothing is known.
   * So states are on a state track, which can also show none.
   */
  #showState(span: Span, ms: number, state: State | undefined): void {
    if (this.#states.get(span.key) === state) return;
    if (state === undefined) this.#states.delete(span.key);
    else this.#states.set(span.key, state);
    this.#packets.event(ms, {
      type: 'state',
      track: this.#stateTrack(span),
      ...(state !== undefined && { name: STATES[state] }),
    });
  }

  /**
   * An arrow goes from the slice that begins earlier to the one that begins later, which may be either of the two. So
   * it ends at a mark on the holder's track, which is never the earlier one.
   */
  #hold(holder: Span, waiter: Span, flowEnd: bigint, atMs: number): void {
    const { comm = '?', id } = waiter.task;
    this.#packets.event(atMs, {
      type: 'instant',
      track: this.#taskTrack(holder),
      name: nameOf(`holds up ${comm} ${id.tid}`),
      category: 'holder',
      arguments: { reason: waiter.edge?.by, likely: waiter.edge?.inferred },
      flowEnd,
    });
  }

  #mark(event: Event, atMs: number): void {
    const track = this.#track(['events'], (descriptor) => descriptor.text(TrackDescriptor.name, this.#named('events')));
    this.#packets.event(atMs, {
      type: 'instant',
      track,
      name: event.kind,
      category: 'event',
      arguments: { text: textOf(event.text) },
    });
  }

  #count(sample: Sample, atMs: number): void {
    const tasks = (counter: Message) => counter.varint(CounterDescriptor.unit, UNIT_COUNT);
    const percent = (counter: Message) => counter.text(CounterDescriptor.unit_name, '%');
    const track = this.#counter('blocked tasks', tasks);
    this.#packets.event(atMs, { type: 'counter', track, count: countBlocked(sample) });
    for (const name of PRESSURES) {
      for (const kind of ['some', 'full'] as const) {
        const level = sample.pressure?.[name]?.[kind];
        if (level === undefined) continue;
        const stalled = this.#counter(`pressure ${name}, ${kind}`, percent);
        this.#packets.event(atMs, { type: 'counter', track: stalled, level });
      }
    }
  }

  #counter(name: string, write: (counter: Message) => void): number {
    return this.#track(['counter', name], (descriptor) => {
      descriptor.text(TrackDescriptor.name, this.#named(name));
      descriptor.message(TrackDescriptor.counter, () => write(descriptor));
    });
  }

  #taskTrack({ key, task }: Span): number {
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const { id, comm = '?' } = task;
    const { tid } = id;
    const pid = task.pid ?? tid;
    if (!isPid(pid) || !isPid(tid))
      return this.#track([key], (descriptor) => {
        descriptor.text(TrackDescriptor.name, this.#named(comm));
        descriptor.varint(TrackDescriptor.sibling_merge_behavior, MERGE_NONE);
      });
    this.#describeProcess(task, pid);
    return this.#track([key], (descriptor) =>
      descriptor.message(TrackDescriptor.thread, () => {
        descriptor.varint(ThreadDescriptor.pid, pid).varint(ThreadDescriptor.tid, tid);
        descriptor.text(ThreadDescriptor.thread_name, nameOf(comm));
      }),
    );
  }

  #describeProcess({ id, comm, processName, commandLine }: Task, pid: number): void {
    this.#track(['process', id.bootId ?? '', String(pid)], (descriptor) =>
      descriptor.message(TrackDescriptor.process, () => {
        descriptor.varint(ProcessDescriptor.pid, pid);
        const line = 'value' in commandLine ? textOf(commandLineText(commandLine.value).trim()) : '';
        if (line !== '') descriptor.text(ProcessDescriptor.cmdline, line);
        const name = processName ?? (id.tid === pid ? comm : undefined) ?? '?';
        descriptor.text(ProcessDescriptor.process_name, this.#named(name));
      }),
    );
  }

  #stateTrack(span: Span): number {
    const task = this.#taskTrack(span);
    return this.#track(['state', span.key], (descriptor) => {
      descriptor.text(TrackDescriptor.name, 'state').varint(TrackDescriptor.parent_uuid, task);
      descriptor.message(TrackDescriptor.state, () => undefined);
    });
  }

  /** The number of a track, which is described if it is new: the same in every trace, and 53 bits of a hash. */
  #track(names: readonly string[], describe: (descriptor: Message) => void): number {
    const key = names.join('\n');
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const hash = createHash('sha256')
      .update(`${JSON.stringify(this.#host)}\n${key}`)
      .digest();
    const uuid = 1 + hash.readUIntLE(0, 6) + 2 ** 48 * (hash.readUInt8(6) & 0x1f);
    if (this.#tracks.size >= MOST_TRACKS) this.#tracks.clear();
    this.#tracks.set(key, uuid);
    this.#packets.track((descriptor) => describe(descriptor.varint(TrackDescriptor.uuid, uuid)));
    return uuid;
  }

  #named(name: string): string {
    return nameOf(this.#host === undefined ? name : `${name} @ ${this.#host}`);
  }

  #nextFlow(): bigint {
    this.#flow++;
    return this.#flow;
  }
}

/** Processes are numbered from 1, in 31 bits. */
function isPid(number: number | undefined): number is number {
  return number !== undefined && Number.isInteger(number) && number > 0 && number < 2 ** 31;
}

function nameOf(text: string): string {
  return escapeUnsafe(text.length > MOST_NAME ? `${text.slice(0, MOST_NAME)}...` : text);
}

function textOf(text: string): string {
  return escapeUnsafe(text.slice(0, MOST_TEXT));
}

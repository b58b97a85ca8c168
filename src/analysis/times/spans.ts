import { type Edge, edgesIn, type NodeKey, type Resource } from '../../model/edge.ts';
import type { Event } from '../../model/event.ts';
import type { Finding } from '../../model/finding.ts';
import { type Observation, type Sample, streamKey } from '../../model/sample.ts';
import type { Stack } from '../../model/stack.ts';
import { type State, type Task, taskKey } from '../../model/task.ts';
import { explainObservation } from '../explain/explain-sample.ts';
import { placed } from '../placed.ts';
import { Pace } from './pace.ts';

/** A time in which a task did one thing, as far as the samples show. */
export interface Span {
  /** The same for all spans of a task, and for no other task of any host. */
  readonly key: string;
  readonly task: Task;
  readonly state: State | undefined;
  readonly finding: Finding;
  /** That of the first sample. */
  readonly stack: Stack | undefined;
  /** What it waits for, as far as that is known. */
  readonly edge: Edge | undefined;
  /** What the edge leads to, if that is no task. */
  readonly resource: Resource | undefined;
  readonly fromMs: number;
  /** In how many samples it was seen so. */
  seen: number;
  /** Whether it ran in between; undefined if that is not known. */
  ran: boolean | undefined;
}

export interface EndedSpan {
  readonly span: Span;
  readonly toMs: number;
}

/** What a sample adds to the spans of its host. */
export interface SpanStep {
  /** Undefined behind the last sample of a host. */
  readonly sample: Sample | undefined;
  /** Of several recordings of a host at a time, each is shown as a host of its own: it tells of some tasks only. */
  readonly host: string | undefined;
  /** When it was taken, Unix milliseconds. Never earlier than the sample of the host before. */
  readonly atMs: number;
  readonly ended: readonly EndedSpan[];
  readonly begun: readonly Span[];
  /** The events of the sample, and when they were: with the sample, if they do not tell. */
  readonly events: readonly { readonly event: Event; readonly atMs: number }[];
  /** All tasks of the sample, holders too. */
  readonly seen: readonly { readonly observation: Observation; readonly span: Span }[];
}

/** Rounding. */
const SLACK_MS = 0.01;

/**
 * What each task did from when to when, in samples that come in the order of their times. A span begins with the sample
 * that shows something else than the one before, or earlier, if the kernel tells since when the task has been off the
 * CPU. It ends with the next one that differs, with the first one without the task, or where a gap begins.
 */
export async function* spansOf(samples: Iterable<Sample> | AsyncIterable<Sample>): AsyncGenerator<SpanStep> {
  const hosts = new Map<string, HostSpans>();
  const counts = new Map<string, number>();
  const untimed = new WeakSet<Sample>();
  for await (const sample of placed(samples, untimed)) {
    const { host = '' } = sample;
    const key = streamKey(sample);
    let spans = hosts.get(key);
    if (spans === undefined) {
      const count = (counts.get(host) ?? 0) + 1;
      counts.set(host, count);
      spans = new HostSpans(count === 1 ? sample.host : `${host} (recording ${count})`);
      hosts.set(key, spans);
    }
    const step = spans.arrive(sample, untimed.has(sample));
    if (step !== undefined) yield step;
  }
  for (const spans of hosts.values()) yield* spans.end();
}

interface OpenSpan extends Span {
  readonly switches: number | undefined;
}

/** The spans of one host. */
class HostSpans {
  readonly #host: string | undefined;
  readonly #known = new WeakMap<Task, string>();
  readonly #pace = new Pace(() => undefined);
  /** The latest sample: only the next one shows for how long it speaks. */
  #latest: { readonly sample: Sample; readonly isUntimed: boolean } | undefined;
  #open = new Map<string, OpenSpan>();
  /** When the last sample was taken. */
  #atMs: number | undefined;
  /** Until when the last sample speaks. */
  #untilMs = 0;

  constructor(host: string | undefined) {
    this.#host = host;
  }

  /** Takes a sample. Returns what the one before it adds. */
  arrive(sample: Sample, isUntimed: boolean): SpanStep | undefined {
    const seconds = this.#pace.arrive(sample.timeMs ?? 0, sample.intervalMs);
    const step = this.#stepOfLatest(1000 * seconds);
    this.#latest = { sample, isUntimed };
    return step;
  }

  /** @param spokenMs for how long the latest sample speaks */
  #stepOfLatest(spokenMs: number): SpanStep | undefined {
    if (this.#latest === undefined) return undefined;
    const { sample, isUntimed } = this.#latest;
    const { timeMs = 0 } = sample;
    return this.#step(sample, timeMs, timeMs + (isUntimed ? 0 : spokenMs));
  }

  /** @param untilMs until when the sample speaks */
  #step(sample: Sample, atMs: number, untilMs: number): SpanStep {
    const ended: EndedSpan[] = [];
    const isGap = this.#atMs !== undefined && atMs > this.#untilMs + SLACK_MS;
    if (isGap) for (const each of this.#endAll()) ended.push(each);
    const floorMs = isGap ? this.#untilMs : (this.#atMs ?? Number.NEGATIVE_INFINITY);
    const edges = new Map<NodeKey, Edge>();
    for (const edge of edgesIn(sample)) if (!edges.has(edge.from)) edges.set(edge.from, edge);
    const resources = new Map<NodeKey, Resource>(sample.resources?.map((resource) => [resource.key, resource]));
    const before = this.#open;
    const now = new Map<string, OpenSpan>();
    const begun: Span[] = [];
    const seen: { observation: Observation; span: Span }[] = [];
    const keyOf = this.#keys();
    const see = (observation: Observation) => {
      const { task } = observation;
      const key = keyOf(task);
      const edge = task.id.tid === undefined ? undefined : edges.get(task.id.tid);
      const finding = explainObservation(observation);
      // A text may show a task twice in one sample.
      const last = now.get(key) ?? before.get(key);
      before.delete(key);
      if (last !== undefined && isSame(last, observation, finding, edge)) {
        last.seen++;
        last.ran = ranBetween(last, observation.facts?.switches);
        now.set(key, last);
        seen.push({ observation, span: last });
        return;
      }
      const floor = Math.max(floorMs, last?.fromMs ?? floorMs);
      const resource = edge === undefined ? undefined : resources.get(edge.to);
      const what = { ...begunAs(observation, finding), edge, resource };
      const span = { ...what, key, fromMs: beginOf(observation, finding, atMs, floor) };
      if (last !== undefined) ended.push({ span: last, toMs: span.fromMs });
      begun.push(span);
      now.set(key, span);
      seen.push({ observation, span });
    };
    sample.observations.forEach(see);
    sample.holders.forEach(see);
    for (const span of before.values()) ended.push({ span, toMs: atMs });
    this.#open = now;
    this.#atMs = atMs;
    this.#untilMs = untilMs;
    const events = (sample.events ?? []).map((event) => ({ event, atMs: eventMs(event, sample, atMs) }));
    return { sample, host: this.#host, atMs, ended, begun, events, seen };
  }

  *end(): Generator<SpanStep> {
    // A log tells of a moment, not of the time after it.
    const isLog = this.#latest?.sample.source.name === 'text';
    const step = this.#stepOfLatest(isLog ? 0 : this.#pace.usualMs);
    if (step !== undefined) yield step;
    const none = { begun: [], events: [], seen: [] };
    yield { sample: undefined, host: this.#host, atMs: this.#untilMs, ended: this.#endAll(), ...none };
  }

  /** A function that gives each task of a sample its key. Those without a number are told apart by name and order. */
  #keys(): (task: Task) => string {
    const unnumbered = new Map<string, number>();
    return (task) => {
      const { id, comm = '' } = task;
      if (id.tid === undefined || id.tid <= 0) {
        const count = unnumbered.get(comm) ?? 0;
        unnumbered.set(comm, count + 1);
        return JSON.stringify([this.#host ?? null, comm, count]);
      }
      let key = this.#known.get(task);
      if (key === undefined) {
        key = JSON.stringify([this.#host ?? null, taskKey(id)]);
        this.#known.set(task, key);
      }
      return key;
    };
  }

  #endAll(): EndedSpan[] {
    const ended = Array.from(this.#open.values(), (span) => ({ span, toMs: this.#untilMs }));
    this.#open.clear();
    return ended;
  }
}

function begunAs({ task, state, stack, facts }: Observation, finding: Finding) {
  const { switches } = facts ?? {};
  return {
    task,
    state,
    finding,
    stack: 'value' in stack ? stack.value : undefined,
    switches,
    seen: 1,
    ran: false,
  };
}

/** @param floorMs it cannot have begun earlier; infinite where nothing is known of before */
function beginOf({ state, facts }: Observation, { kind }: Finding, atMs: number, floorMs: number): number {
  // Idle tasks have slept for as long as the host is up: the view would be of days.
  const isKept = kind === 'blocked' || kind === 'unexplained' || floorMs !== Number.NEGATIVE_INFINITY;
  const offMs = isKept && state !== 'R' ? (facts?.offCpuMs ?? 0) : 0;
  return Math.max(0, floorMs, atMs - offMs);
}

function isSame(last: OpenSpan, { task, state }: Observation, finding: Finding, edge: Edge | undefined): boolean {
  return (
    (last.finding === finding || isSameFinding(last.finding, finding)) &&
    last.state === state &&
    last.edge?.to === edge?.to &&
    last.edge?.by === edge?.by &&
    last.task.comm === task.comm
  );
}

function isSameFinding(a: Finding, b: Finding): boolean {
  return (
    a.waitsFor === b.waitsFor && a.rule === b.rule && a.kind === b.kind && a.innermost?.symbol === b.innermost?.symbol
  );
}

/** Only the number of context switches proves that a task did not run. */
function ranBetween({ ran, switches }: OpenSpan, now: number | undefined): boolean | undefined {
  if (ran === true) return true;
  return switches === undefined || now === undefined ? undefined : switches !== now;
}

function eventMs({ timeMs, uptimeSeconds }: Event, sample: Sample, atMs: number): number {
  if (timeMs !== undefined) return timeMs;
  if (uptimeSeconds === undefined || sample.uptimeSeconds === undefined) return atMs;
  return atMs - 1000 * (sample.uptimeSeconds - uptimeSeconds);
}

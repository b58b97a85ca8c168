import type { Edge, Resource } from '../model/edge.ts';
import { jsonText } from '../model/json-text.ts';
import type { Reading } from '../model/reading.ts';
import type { KernelFacts, Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { SystemCallState } from '../model/system-call.ts';
import type { Task } from '../model/task.ts';
import {
  type Changes,
  type EntryNumbers,
  type FrameTuple,
  type Look,
  printedFrame,
  type SampleLine,
  type TaskLine,
  VERSION,
} from './record.ts';
import { ListWriter } from './runs.ts';
import { withinLimit } from './shapes.ts';

interface ToldTask {
  readonly task: Task;
  readonly number: number;
}

/** An observation, in numbers. */
interface Entry {
  readonly task: number;
  readonly stack: number;
  readonly look: number;
  readonly cpu: number | null;
  readonly switches: number | null;
  /** When it left the CPU, on the monotonic clock: the same from sample to sample while it sleeps. */
  readonly sinceMs: number | null;
}

/** Turns the samples of one segment into its lines. */
export class SegmentEncoder {
  readonly #segment: number;
  #isBegun = false;
  readonly #places = new Numbers();
  readonly #looks = new Numbers();
  readonly #tasks = new Numbers<Task>();
  readonly #stacks = new Numbers<Stack>();
  readonly #seen = new List();
  readonly #holders = new List();
  readonly #edges = new ListWriter<Edge>();
  readonly #resources = new ListWriter<Resource>();
  /** The last task that was told of each process, and of all. */
  readonly #ofProcess = new Map<number | undefined, ToldTask>();
  #last: ToldTask | undefined;

  constructor(segment: number) {
    this.#segment = segment;
  }

  /** The lines for one more sample, with what it refers to and the segment has not yet. */
  encode(sample: Sample): string {
    const {
      timeMs,
      uptimeSeconds,
      monotonicMs,
      observations,
      holders,
      unread,
      edges,
      resources,
      events,
      pressure,
      ...place
    } = sample;
    const lines: string[] = [];
    if (!this.#isBegun) lines.push(jsonText({ format: 'kstack-recording', version: VERSION, segment: this.#segment }));
    this.#isBegun = true;
    const placeNumber = this.#places.ofText(jsonText(place), (number) =>
      lines.push(jsonText({ place: number, is: place })),
    );
    const entryOf = (observation: Observation) => this.#entry(observation, monotonicMs, lines);
    const tasks = this.#seen.advance(observations, monotonicMs, entryOf);
    const held = this.#holders.advance(holders, monotonicMs, entryOf);
    const toldEdges = this.#edges.advance(edges, (edge, is) => lines.push(jsonText({ edge, is })));
    const toldResources = this.#resources.advance(resources, (resource, is) => lines.push(jsonText({ resource, is })));
    const line: SampleLine = {
      sample: placeNumber,
      ...(timeMs !== undefined && { timeMs }),
      ...(uptimeSeconds !== undefined && { uptimeSeconds }),
      ...(monotonicMs !== undefined && { monotonicMs }),
      ...(tasks !== undefined && { tasks }),
      ...(held !== undefined && { holders: held }),
      ...(unread.length > 0 && { unread }),
      ...(toldEdges !== undefined && { edges: toldEdges }),
      ...(toldResources !== undefined && { resources: toldResources }),
      ...(events !== undefined && { events }),
      ...(pressure !== undefined && { pressure }),
    };
    lines.push(jsonText(line));
    return lines.map((text) => `${text}\n`).join('');
  }

  #entry(observation: Observation, monotonicMs: number | undefined, lines: string[]): Entry {
    const { task, stack } = observation;
    const textOf = (each: Task) => jsonText(cutTask(each));
    const taskNumber = this.#tasks.of(task, textOf, (number) =>
      lines.push(jsonText(this.#taskLine(cutTask(task), number))),
    );
    const stackNumber = this.#stackNumber(stack, lines);
    const look = lookOf(observation, monotonicMs);
    const lookNumber = this.#looks.ofText(jsonText(look), (number) => lines.push(jsonText({ look: number, is: look })));
    const { cpu = null, facts } = observation;
    const { switches = null } = facts ?? {};
    const sinceMs = sinceOf(facts, monotonicMs) ?? null;
    return { task: taskNumber, stack: stackNumber, look: lookNumber, cpu, switches, sinceMs };
  }

  /** Most of a task is as that of another thread of its process, or of the task before. */
  #taskLine(task: Task, number: number): TaskLine {
    const like = this.#ofProcess.get(task.pid) ?? this.#last;
    this.#last = { task, number };
    this.#ofProcess.set(task.pid, this.#last);
    const is = like && differenceOf(like.task, task);
    return like === undefined || is === undefined
      ? { task: number, is: task }
      : { task: number, as: number - like.number, is };
  }

  #stackNumber(stack: Reading<Stack>, lines: string[]): number {
    const define = (told: object) => (number: number) => lines.push(jsonText({ stack: number, ...told }));
    if ('unread' in stack) return this.#stacks.ofText(jsonText(stack), define(stack));
    const framesOf = () => ({ frames: stack.value.frames.map(tupleOf) });
    if (stack.cut === true) {
      const told = { ...framesOf(), cut: true };
      return this.#stacks.ofText(jsonText(told), define(told));
    }
    return this.#stacks.of(
      stack.value,
      () => jsonText(framesOf()),
      (number) => define(framesOf())(number),
    );
  }
}

/** Gives out numbers: equal objects, told by their text, have the same. */
class Numbers<T extends object = never> {
  readonly #byText = new Map<string, number>();
  readonly #byObject = new Map<T, number>();

  ofText(text: string, define: (number: number) => void): number {
    let number = this.#byText.get(text);
    if (number === undefined) {
      number = this.#byText.size;
      this.#byText.set(text, number);
      define(number);
    }
    return number;
  }

  /** Most objects are the same ones from sample to sample, and need no text. */
  of(object: T, textOf: (object: T) => string, define: (number: number) => void): number {
    let number = this.#byObject.get(object);
    if (number === undefined) {
      number = this.ofText(textOf(object), define);
      this.#byObject.set(object, number);
    }
    return number;
  }
}

/** A list of observations that changes from sample to sample. */
class List {
  #observations: readonly Observation[] = [];
  #entries: readonly Entry[] = [];
  #monotonicMs: number | undefined;

  /** What turns the list before into this one; undefined if nothing does. */
  advance(
    observations: readonly Observation[],
    monotonicMs: number | undefined,
    entryOf: (observation: Observation) => Entry,
  ): Changes | undefined {
    const last = this.#observations;
    const kept = placesIn(last, observations);
    const entries: Entry[] = [];
    const gone: number[] = [];
    const put: [number, number, ...EntryNumbers][] = [];
    const set: [number, ...EntryNumbers][] = [];
    let next = 0;
    let [nextPut, nextTask, nextSet] = [0, 0, 0];
    for (const [at, observation] of observations.entries()) {
      const place = kept === undefined ? -1 : (kept[at] ?? -1);
      const [before, known] = [last[place], this.#entries[place]];
      const isKnown = before !== undefined && isSame(before, this.#monotonicMs, observation, monotonicMs);
      const entry = isKnown && known !== undefined ? known : entryOf(observation);
      entries.push(entry);
      if (known === undefined) {
        put.push([at - nextPut, entry.task - nextTask, ...numbersOf(entry, monotonicMs)]);
        [nextPut, nextTask] = [at + 1, entry.task + 1];
        continue;
      }
      while (next < place) gone.push(next++);
      next = place + 1;
      if (entry === known || isSameEntry(entry, known)) continue;
      set.push([at - nextSet, ...numbersOf(entry, monotonicMs)]);
      nextSet = at + 1;
    }
    while (next < last.length) gone.push(next++);
    this.#observations = observations;
    this.#entries = entries;
    this.#monotonicMs = monotonicMs;
    if (gone.length + put.length + set.length === 0) return undefined;
    return { ...(gone.length > 0 && { gone }), ...(put.length > 0 && { put }), ...(set.length > 0 && { set }) };
  }
}

/**
 * The place that each observation's task had in the list before, or -1; undefined if they are in another order. Where
 * nobody came or went, that is one comparison each.
 */
function placesIn(last: readonly Observation[], observations: readonly Observation[]): number[] | undefined {
  const kept: number[] = [];
  let places: Map<Task, number> | undefined;
  let next = 0;
  for (const { task } of observations) {
    let place = next;
    if (last[next]?.task !== task) {
      places ??= new Map(last.map((observation, at) => [observation.task, at]));
      place = places.get(task) ?? -1;
      if (place !== -1 && place < next) return undefined;
    }
    kept.push(place);
    if (place !== -1) next = place + 1;
  }
  return kept;
}

function isSameEntry(a: Entry, b: Entry): boolean {
  return (
    a.stack === b.stack && a.look === b.look && a.cpu === b.cpu && a.switches === b.switches && a.sinceMs === b.sinceMs
  );
}

function numbersOf({ stack, look, cpu, switches, sinceMs }: Entry, monotonicMs: number | undefined): EntryNumbers {
  if (sinceMs !== null && monotonicMs !== undefined) return [stack, look, cpu, switches, monotonicMs - sinceMs];
  if (switches !== null) return [stack, look, cpu, switches];
  return cpu === null ? [stack, look] : [stack, look, cpu];
}

function isSame(a: Observation, aMs: number | undefined, b: Observation, bMs: number | undefined): boolean {
  if (a === b && aMs === bMs) return true;
  return (
    a.state === b.state &&
    a.cpu === b.cpu &&
    a.wchan === b.wchan &&
    isSameStack(a.stack, b.stack) &&
    isSameCall(a.systemCall, b.systemCall) &&
    sinceOf(a.facts, aMs) === sinceOf(b.facts, bMs) &&
    (sinceOf(a.facts, aMs) !== undefined || a.facts?.offCpuMs === b.facts?.offCpuMs) &&
    isSameFacts(a.facts, b.facts)
  );
}

function isSameStack(a: Reading<Stack>, b: Reading<Stack>): boolean {
  return a === b || ('value' in a && 'value' in b && a.value === b.value && a.cut === b.cut);
}

function isSameCall(a: Reading<SystemCallState> | undefined, b: Reading<SystemCallState> | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (!('value' in a && 'value' in b)) return jsonText(a) === jsonText(b);
  const [one, other] = [a.value, b.value];
  if (typeof one === 'string' || typeof other === 'string') return one === other && a.cut === b.cut;
  return (
    one.number === other.number &&
    one.stackPointer === other.stackPointer &&
    one.programCounter === other.programCounter &&
    one.name === other.name &&
    one.text === other.text &&
    a.cut === b.cut &&
    one.arguments.length === other.arguments.length &&
    one.arguments.every((argument, at) => argument === other.arguments[at])
  );
}

/** Apart from the time off the CPU. */
function isSameFacts(a: KernelFacts | undefined, b: KernelFacts | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.switches === b.switches &&
    a.mmapLockOwner === b.mmapLockOwner &&
    a.vforkParent === b.vforkParent &&
    a.tracer === b.tracer &&
    a.lock?.kind === b.lock?.kind &&
    a.lock?.address === b.lock?.address &&
    a.lock?.owner === b.lock?.owner &&
    a.lock?.inferred === b.lock?.inferred &&
    a.lock?.place === b.lock?.place
  );
}

/** Unchanged from sample to sample while a task sleeps; undefined if it could not be told back exactly. */
function sinceOf(facts: KernelFacts | undefined, monotonicMs: number | undefined): number | undefined {
  if (facts?.offCpuMs === undefined || monotonicMs === undefined) return undefined;
  const sinceMs = monotonicMs - facts.offCpuMs;
  const { isSafeInteger } = Number;
  return isSafeInteger(monotonicMs) && isSafeInteger(facts.offCpuMs) && isSafeInteger(sinceMs) ? sinceMs : undefined;
}

function lookOf({ task, stack, cpu, ...look }: Observation, monotonicMs: number | undefined): Look {
  if (look.facts === undefined) return look;
  const { switches, offCpuMs, ...facts } = look.facts;
  const isTold = offCpuMs === undefined || sinceOf(look.facts, monotonicMs) !== undefined;
  return { ...look, facts: isTold ? facts : { ...facts, offCpuMs } };
}

/** What makes one task of another; undefined if the other one lacks something. */
function differenceOf(one: Task, other: Task): TaskLine['is'] | undefined {
  const all = changesOf(one, other);
  const ids = changesOf(one.id, other.id);
  if (all === undefined || ids === undefined) return undefined;
  const { id, ...rest } = all;
  if (rest.pid === undefined) return { ...rest, ...(Object.keys(ids).length > 0 && { id: ids }) };
  // The thread id goes without saying where it is that of the process.
  if (other.id.tid === undefined) return undefined;
  const { tid, ...others } = ids;
  const told = other.id.tid === rest.pid ? others : { ...others, tid: other.id.tid };
  return { ...rest, ...(Object.keys(told).length > 0 && { id: told }) };
}

function changesOf<T extends object>(one: T, other: T): Partial<T> | undefined {
  for (const key in one) if (one[key] !== undefined && other[key] === undefined) return undefined;
  const changes: Partial<T> = {};
  for (const key in other) if (!isEqual(one[key], other[key])) changes[key] = other[key];
  return changes;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === 'object' && a !== null && typeof b === 'object' && b !== null && jsonText(a) === jsonText(b);
}

function tupleOf({ raw, ...frame }: Frame): FrameTuple {
  const { symbol, offset = null, size = null, module = null } = frame;
  const tuple: FrameTuple = [symbol, offset, size, module, raw === printedFrame(frame) ? null : raw];
  let length = tuple.length;
  while (tuple[length - 1] === null) length--;
  return tuple.slice(0, length) as unknown as FrameTuple;
}

/** The task, with no more of its command line than a reader takes. */
function cutTask(task: Task): Task {
  const commandLine = withinLimit(task.commandLine);
  return commandLine === task.commandLine ? task : { ...task, commandLine };
}

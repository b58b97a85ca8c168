import { jsonText } from '../model/json-text.ts';
import type { Reading } from '../model/reading.ts';
import type { KernelFacts, Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import {
  type Changes,
  type Entry,
  type FrameTuple,
  type Look,
  printedFrame,
  type SampleLine,
  VERSION,
} from './record.ts';

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

  constructor(segment: number) {
    this.#segment = segment;
  }

  /** The lines for one more sample, with what it refers to and the segment has not yet. */
  encode(sample: Sample): string {
    const { timeMs, uptimeSeconds, monotonicMs, observations, holders, unread, events, pressure, ...place } = sample;
    const lines: string[] = [];
    if (!this.#isBegun) lines.push(jsonText({ format: 'kstack-recording', version: VERSION, segment: this.#segment }));
    this.#isBegun = true;
    const placeNumber = this.#places.ofText(jsonText(place), (number) =>
      lines.push(jsonText({ place: number, is: place })),
    );
    const entryOf = (observation: Observation) => this.#entry(observation, monotonicMs, lines);
    const tasks = this.#seen.advance(observations, monotonicMs, entryOf);
    const held = this.#holders.advance(holders, monotonicMs, entryOf);
    const line: SampleLine = {
      sample: placeNumber,
      ...(timeMs !== undefined && { timeMs }),
      ...(uptimeSeconds !== undefined && { uptimeSeconds }),
      ...(monotonicMs !== undefined && { monotonicMs }),
      ...(tasks !== undefined && { tasks }),
      ...(held !== undefined && { holders: held }),
      ...(unread.length > 0 && { unread }),
      ...(events !== undefined && { events }),
      ...(pressure !== undefined && { pressure }),
    };
    lines.push(jsonText(line));
    return lines.map((text) => `${text}\n`).join('');
  }

  #entry(observation: Observation, monotonicMs: number | undefined, lines: string[]): Entry {
    const { task, stack } = observation;
    const taskNumber = this.#tasks.of(task, jsonText, (number) => lines.push(jsonText({ task: number, is: task })));
    const stackNumber = this.#stackNumber(stack, lines);
    const look = lookOf(observation, monotonicMs);
    const lookNumber = this.#looks.ofText(jsonText(look), (number) => lines.push(jsonText({ look: number, is: look })));
    const sinceMs = sinceOf(observation.facts, monotonicMs);
    return sinceMs === undefined
      ? [taskNumber, stackNumber, lookNumber]
      : [taskNumber, stackNumber, lookNumber, sinceMs];
  }

  #stackNumber(stack: Reading<Stack>, lines: string[]): number {
    const define = (told: object) => (number: number) => lines.push(jsonText({ stack: number, ...told }));
    if ('unread' in stack) return this.#stacks.ofText(jsonText(stack), define(stack));
    const told = { frames: stack.value.frames.map(tupleOf), ...(stack.cut === true && { cut: true }) };
    if (stack.cut === true) return this.#stacks.ofText(jsonText(told), define(told));
    return this.#stacks.of(stack.value, () => jsonText(told), define(told));
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
    const places = new Map(last.map(({ task }, at) => [task, at]));
    const kept = observations.map(({ task }) => places.get(task) ?? -1);
    const stayed = new Set(kept);
    stayed.delete(-1);
    const isInOrder = places.size === last.length && isAscending(kept.filter((at) => at !== -1));
    const entries: Entry[] = [];
    const put: [number, ...Entry][] = [];
    const set: [number, ...Entry][] = [];
    for (const [at, observation] of observations.entries()) {
      const place = isInOrder ? (kept[at] ?? -1) : -1;
      const [before, known] = [last[place], this.#entries[place]];
      const isKnown = before !== undefined && isSame(before, this.#monotonicMs, observation, monotonicMs);
      const entry = isKnown && known !== undefined ? known : entryOf(observation);
      entries.push(entry);
      if (known === undefined) put.push([at, ...entry]);
      else if (known.some((part, i) => part !== entry[i]) || known.length !== entry.length) set.push([at, ...entry]);
    }
    const gone = isInOrder ? last.flatMap((_, at) => (stayed.has(at) ? [] : [at])) : last.map((_, at) => at);
    this.#observations = observations;
    this.#entries = entries;
    this.#monotonicMs = monotonicMs;
    if (gone.length + put.length + set.length === 0) return undefined;
    return { ...(gone.length > 0 && { gone }), ...(put.length > 0 && { put }), ...(set.length > 0 && { set }) };
  }
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0));
}

function isSame(a: Observation, aMs: number | undefined, b: Observation, bMs: number | undefined): boolean {
  if (a === b && aMs === bMs) return true;
  return (
    a.state === b.state &&
    a.cpu === b.cpu &&
    a.wchan === b.wchan &&
    isSameStack(a.stack, b.stack) &&
    a.systemCall === b.systemCall &&
    sinceOf(a.facts, aMs) === sinceOf(b.facts, bMs) &&
    (sinceOf(a.facts, aMs) !== undefined || a.facts?.offCpuMs === b.facts?.offCpuMs) &&
    isSameFacts(a.facts, b.facts)
  );
}

function isSameStack(a: Reading<Stack>, b: Reading<Stack>): boolean {
  return a === b || ('value' in a && 'value' in b && a.value === b.value && a.cut === b.cut);
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
    a.lock?.inferred === b.lock?.inferred
  );
}

/** Unchanged from sample to sample while a task sleeps; undefined if it could not be told back exactly. */
function sinceOf(facts: KernelFacts | undefined, monotonicMs: number | undefined): number | undefined {
  if (facts?.offCpuMs === undefined || monotonicMs === undefined) return undefined;
  const sinceMs = monotonicMs - facts.offCpuMs;
  const isExact = [monotonicMs, facts.offCpuMs, sinceMs].every(Number.isSafeInteger);
  return isExact ? sinceMs : undefined;
}

function lookOf({ task, stack, ...look }: Observation, monotonicMs: number | undefined): Look {
  if (look.facts === undefined || sinceOf(look.facts, monotonicMs) === undefined) return look;
  const { offCpuMs, ...facts } = look.facts;
  return { ...look, facts };
}

function tupleOf({ raw, ...frame }: Frame): FrameTuple {
  const { symbol, offset = null, size = null, module = null } = frame;
  const tuple: FrameTuple = [symbol, offset, size, module, raw === printedFrame(frame) ? null : raw];
  let length = tuple.length;
  while (tuple[length - 1] === null) length--;
  return tuple.slice(0, length) as unknown as FrameTuple;
}

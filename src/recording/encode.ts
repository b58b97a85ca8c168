import { movesBetween } from '../model/changes.ts';
import type { Edge, Resource } from '../model/edge.ts';
import { jsonText } from '../model/json-text.ts';
import type { Reading } from '../model/reading.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import {
  type FrameTuple,
  type Look,
  printedFrame,
  type SampleLine,
  type StackLine,
  type TaskLine,
  VERSION,
} from './record.ts';
import { ListWriter } from './runs.ts';
import { withinLimit } from './shapes.ts';
import { type Entry, sinceOf, TaskList } from './task-list.ts';

interface ToldTask {
  readonly task: Task;
  readonly number: number;
}

/** Turns the samples of one segment into its lines. */
export class SegmentEncoder {
  readonly #segment: number;
  #isBegun = false;
  readonly #places = new Numbers();
  readonly #looks = new Numbers();
  readonly #tasks = new Numbers<Task>();
  readonly #stacks = new Numbers<Stack>();
  readonly #seen = new TaskList();
  readonly #holders = new TaskList();
  readonly #edges = new ListWriter<Edge>();
  readonly #resources = new ListWriter<Resource>();
  /** The last task that was told of each process, and of all. */
  readonly #ofProcess = new Map<number | undefined, ToldTask>();
  #last: ToldTask | undefined;
  #sample: Sample | undefined;

  constructor(segment: number) {
    this.#segment = segment;
  }

  /** The lines for one more sample, with what it refers to and the segment has not yet. */
  encode(sample: Sample): string {
    const { timeMs, uptimeSeconds, monotonicMs, holders, unread, edges, resources, events, pressure } = sample;
    const lines: string[] = [];
    if (!this.#isBegun) lines.push(jsonText({ format: 'kstack-recording', version: VERSION, segment: this.#segment }));
    this.#isBegun = true;
    const place = placeOf(sample);
    const placeNumber = this.#places.ofText(jsonText(place), (number) =>
      lines.push(jsonText({ place: number, is: place })),
    );
    const entryOf = (observation: Observation) => this.#entry(observation, monotonicMs, lines);
    const list = () => sample.observations;
    const moves = movesBetween(this.#sample, sample);
    const tasks = moves
      ? this.#seen.advanceBy(moves, list, monotonicMs, entryOf)
      : this.#seen.advance(list, monotonicMs, entryOf);
    this.#sample = sample;
    const held = this.#holders.advance(() => holders, monotonicMs, entryOf);
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
    if (stack.cut === true) {
      const told = { ...toldOf(stack.value), cut: true };
      return this.#stacks.ofText(jsonText(told), define(told));
    }
    return this.#stacks.of(
      stack.value,
      (value) => jsonText(toldOf(value)),
      (number) => define(toldOf(stack.value))(number),
    );
  }
}

/** What a sample tells beside its time and its tasks, which are not even listed for this. */
function placeOf(sample: Sample): object {
  const place: Record<string, unknown> = {};
  for (const name of Object.keys(sample) as (keyof Sample)[]) if (!TOLD_APART.has(name)) place[name] = sample[name];
  return place;
}

const TOLD_APART: ReadonlySet<keyof Sample> = new Set([
  'timeMs',
  'uptimeSeconds',
  'monotonicMs',
  'observations',
  'holders',
  'unread',
  'edges',
  'resources',
  'events',
  'pressure',
]);

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

function toldOf({ frames, mixed }: Stack): Pick<StackLine, 'frames' | 'mixed'> {
  return { frames: frames.map(tupleOf), ...(mixed === true && { mixed }) };
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

import { listedLater, noteChanges } from '../model/changes.ts';
import type { Edge, Resource } from '../model/edge.ts';
import type { Event } from '../model/event.ts';
import type { Pressure } from '../model/pressure.ts';
import type { Reading, Unreadable } from '../model/reading.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import { LongList } from './long-list.ts';
import { type Look, type Place, printedFrame, VERSION } from './record.ts';
import { ListReader, type Run, runsShape } from './runs.ts';
import { count, listOf, name, number, object, oneOf, type Shape, ShapeError, text, time, word, yes } from './shape.ts';
import {
  edgeShape,
  eventShape,
  lookShape,
  placeShape,
  pressureShape,
  resourceShape,
  taskShape,
  unreadShape,
} from './shapes.ts';

/** Bounds memory: a recording may come from anyone. */
const MAX_TASKS = 300_000;
const MAX_FRAMES = 1024;
/** Bounds memory: what is nested takes thirty times its text. */
const MAX_DEPTH = 32;
const LONG_LINE = 1 << 18;
/** Bounds time: a line of a few bytes is a sample of all tasks that the segment has. Segments have 360 at most. */
const MAX_SAMPLES = 1000;

/** Keeps what was made of a text, for when the same text comes again. Forgets all of it when there is much. */
class Made<T> {
  readonly #byText = new Map<string, T>();

  get(text: string): T | undefined {
    return this.#byText.get(text);
  }

  set(text: string, value: T): T {
    if (this.#byText.size >= MAX_TASKS) this.#byText.clear();
    this.#byText.set(text, value);
    return value;
  }
}

/** What is the same object in all segments of a recording: equal tasks, stacks and looks. */
export class Interned {
  readonly tasks = new Made<Task>();
  readonly stacks = new Made<Reading<Stack>>();
  readonly looks = new Made<Look>();
  readonly frames = new Made<Stack>();
  readonly #equals = new Made<Task>();
  readonly #numbers = new WeakMap<Task, number>();
  #nextNumber = 0;
  nextStack = 0;
  /** The tasks of the sample before, which most often are those of the next one, also in another segment. */
  seen = new LongList<Seen>();
  last: Sample | undefined;

  /** Equal tasks are one, whatever they are told by. */
  task(task: Task): Task {
    const key = JSON.stringify(task);
    return this.#equals.get(key) ?? this.#equals.set(key, task);
  }

  /** A number of a task that no other one has. */
  numberOf(task: Task): number {
    const number = this.#numbers.get(task) ?? this.#nextNumber++;
    this.#numbers.set(task, number);
    return number;
  }
}

/** A task as it was seen in one sample or several. */
interface Seen {
  readonly task: Task;
  readonly stack: Reading<Stack>;
  readonly look: Look;
  /** When it left its CPU, by the monotonic clock. */
  readonly cpu: number | undefined;
  readonly switches: number | undefined;
  readonly sinceMs: number | undefined;
  /** As it was told when it came, to be told again when it is gone. */
  told: Observation | undefined;
}

const headShape = object({ format: oneOf(['kstack-recording']), version: count, segment: count }, {});

const frameShape: Shape<Frame> = (value, place) => {
  if (!Array.isArray(value)) throw new ShapeError(`${place}: a frame is a list`);
  const [symbol, offset, size, module, raw]: readonly unknown[] = value;
  const frame = {
    symbol: name(symbol, place),
    ...(offset !== null && offset !== undefined && { offset: count(offset, place) }),
    ...(size !== null && size !== undefined && { size: count(size, place) }),
    ...(module !== null && module !== undefined && { module: name(module, place) }),
  };
  return { ...frame, raw: raw === null || raw === undefined ? printedFrame(frame) : name(raw, place) };
};

const stackShape = object<object, { frames: unknown; cut: true; unread: string; detail: string }>(
  {},
  { frames: (value) => value, cut: yes, unread: word, detail: text },
);

const anObject: Shape<object> = (value, place) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ShapeError(`${place}: not an object`);
};
const likeShape = object<{ as: number; is: object }, object>({ as: count, is: anObject }, {});

const numbers = listOf(count);
/** A list of a hundred thousand is not unusual: no name is made for each number. */
const entries: Shape<Numbers[]> = (value, place) => {
  const isEntry = (row: unknown) => Array.isArray(row) && row.every((item) => item === null || Number.isFinite(item));
  if (!Array.isArray(value) || !value.every(isEntry)) throw new ShapeError(`${place}: not a list of lists of numbers`);
  return value;
};
const changesShape = object<object, { gone: number[]; put: Numbers[]; set: Numbers[] }>(
  {},
  { gone: numbers, put: entries, set: entries },
);
const sampleShape = object<
  { sample: number },
  {
    timeMs: number;
    uptimeSeconds: number;
    monotonicMs: number;
    tasks: ReturnType<typeof changesShape>;
    holders: ReturnType<typeof changesShape>;
    unread: Sample['unread'];
    edges: Run[] | null;
    resources: Run[] | null;
    events: Event[];
    pressure: Pressure;
  }
>(
  { sample: count },
  {
    timeMs: time,
    uptimeSeconds: number,
    monotonicMs: number,
    tasks: changesShape,
    holders: changesShape,
    unread: listOf(unreadShape),
    edges: runsShape,
    resources: runsShape,
    events: listOf(eventShape),
    pressure: pressureShape,
  },
);

/** How kstack writes a line that defines something: the number stands first. */
const DEFINES = /^\{"(task|stack|look)":(\d{1,9}),(?:"as":(\d{1,9}),)?/;
const KINDS = ['task', 'stack', 'look', 'place', 'edge', 'resource'] as const;

/** Turns the lines of one segment into its samples. */
export class SegmentDecoder {
  readonly #interned: Interned;
  #isBegun = false;
  readonly #places: Place[] = [];
  readonly #looks: Look[] = [];
  readonly #tasks: Task[] = [];
  readonly #stacks: Reading<Stack>[] = [];
  readonly #edges = new ListReader<Edge>('edge');
  readonly #resources = new ListReader<Resource>('resource');
  #seen = new LongList<Seen>();
  #holders = new LongList<Seen>();
  #isFirst = true;
  #samples = 0;

  constructor(interned: Interned) {
    this.#interned = interned;
  }

  /**
   * Takes the next line. Returns the sample if it is one, with all that it refers to.
   * @throws ShapeError if the line is not what the format says; SyntaxError if it is no JSON
   */
  decode(line: string): Sample | undefined {
    if (line.length > LONG_LINE && isDeep(line)) throw new ShapeError('nested too deeply');
    if (!this.#isBegun) {
      const { version } = headShape(JSON.parse(line), 'head');
      if (version > VERSION)
        throw new ShapeError(`version ${version} is newer than ${VERSION}: a newer kstack reads it`);
      this.#isBegun = true;
      return undefined;
    }
    if (this.#defineAgain(line)) return undefined;
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) throw new ShapeError('a line is an object');
    if ('sample' in value) return this.#sample(value);
    // Other lines are of a later version that only adds some.
    const kind = KINDS.find((name) => name in value);
    if (kind !== undefined) this.#define(kind, value);
    return undefined;
  }

  /** Takes a line that defines what another segment has defined with the same words: most of a segment is so. */
  #defineAgain(line: string): boolean {
    const [head = '', kind, number, as] = DEFINES.exec(line) ?? [];
    if (kind === undefined) return false;
    const interned = this.#interned;
    const rest = line.slice(head.length);
    if (kind === 'task') {
      const other = as === undefined ? undefined : inTable(this.#tasks, this.#tasks.length - Number(as), kind);
      const key = other === undefined ? rest : `${interned.numberOf(other)} ${rest}`;
      const make = () => this.#task(parsed(line));
      define(this.#tasks, Number(number), kind, interned.tasks.get(key) ?? interned.tasks.set(key, make()));
    } else if (kind === 'stack') {
      const make = () => this.#stack(parsed(line));
      define(this.#stacks, Number(number), kind, interned.stacks.get(rest) ?? interned.stacks.set(rest, make()));
    } else {
      const make = () => isOf(parsed(line), lookShape, kind);
      define(this.#looks, Number(number), kind, interned.looks.get(rest) ?? interned.looks.set(rest, make()));
    }
    return true;
  }

  #define(kind: (typeof KINDS)[number], value: object): void {
    const number = count(new Map(Object.entries(value)).get(kind), kind);
    if (kind === 'task') define(this.#tasks, number, kind, this.#task(value));
    else if (kind === 'stack') define(this.#stacks, number, kind, this.#stack(value));
    else if (kind === 'look') define(this.#looks, number, kind, isOf(value, lookShape, kind));
    else if (kind === 'place') define(this.#places, number, kind, isOf(value, placeShape, kind));
    else if (kind === 'edge') this.#edges.define(number, isOf(value, edgeShape, kind));
    else this.#resources.define(number, isOf(value, resourceShape, kind));
  }

  #task(line: object): Task {
    const task = 'as' in line ? taskShape(this.#likeAnother(line), 'task') : isOf(line, taskShape, 'task');
    return this.#interned.task(task);
  }

  /** A task that is told by what makes it of another. */
  #likeAnother(line: object): object {
    const { as, is } = likeShape(line, 'task');
    const other = inTable(this.#tasks, this.#tasks.length - as, 'task');
    const id = 'id' in is && typeof is.id === 'object' ? is.id : {};
    return { ...other, ...is, id: { ...other.id, ...('pid' in is && { tid: is.pid }), ...id } };
  }

  #stack(line: object): Reading<Stack> {
    const { frames: told, cut, unread, detail } = stackShape(line, 'stack');
    if (unread !== undefined) return { unread: unread as Unreadable, ...(detail !== undefined && { detail }) };
    if (Array.isArray(told) && told.length > MAX_FRAMES) throw new ShapeError(`stack: more than ${MAX_FRAMES} frames`);
    // Before anything else goes through them: they may be nested as deep as the line is long.
    const frames = listOf(frameShape)(told, 'frames');
    const key = JSON.stringify(frames);
    const interned = this.#interned;
    const value = interned.frames.get(key) ?? interned.frames.set(key, { id: interned.nextStack++, frames });
    return { value, ...(cut === true && { cut }) };
  }

  #sample(line: object): Sample {
    const told = sampleShape(line, 'sample');
    const { sample, tasks, holders, unread = [], edges: edgeRuns, resources: resourceRuns, ...rest } = told;
    const place = inTable(this.#places, sample, 'place');
    this.#samples++;
    if (this.#samples > MAX_SAMPLES) throw new ShapeError(`more than ${MAX_SAMPLES} samples in a segment`);
    const { monotonicMs } = rest;
    const interned = this.#interned;
    const before = interned.seen;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    // The tasks of a new segment are told anew, and most are those of the one before.
    const old = new Map(isFirst ? before.toArray().map((seen) => [seen.task, seen]) : []);
    const changes = applied(this.#seen, placed(tasks ?? {}, monotonicMs), (entry, left) =>
      this.#entry(entry, isFirst ? old : left),
    );
    const seen = changes.now;
    this.#seen = seen;
    const change = placed(holders ?? {}, monotonicMs);
    this.#holders = applied(this.#holders, change, (entry, left) => this.#entry(entry, left)).now;
    const held = this.#holders.toArray().map((one) => observationOf(one, monotonicMs));
    const edges = this.#edges.advance(edgeRuns);
    const resources = this.#resources.advance(resourceRuns);
    const graph = { ...(edges !== undefined && { edges }), ...(resources !== undefined && { resources }) };
    const whole = listedLater({ ...rest, ...place, holders: held, unread, ...graph }, () =>
      seen.toArray().map((one) => observationOf(one, monotonicMs)),
    );
    if (interned.last !== undefined) {
      const { gone, come } = isFirst ? differing(before.toArray(), seen.toArray()) : changes;
      const lastMs = interned.last.monotonicMs;
      noteChanges(interned.last, whole, {
        gone: gone.map((one) => one.told ?? observationOf(one, lastMs)),
        come: come.map((one) => {
          one.told = observationOf(one, monotonicMs);
          return one.told;
        }),
      });
    }
    interned.seen = seen;
    interned.last = whole;
    return whole;
  }

  #entry({ task, stack, look, cpu, switches, sinceMs }: Entry, old: ReadonlyMap<Task, Seen>): Seen {
    const seen = {
      task: typeof task === 'number' ? inTable(this.#tasks, task, 'task') : task,
      stack: inTable(this.#stacks, stack, 'stack'),
      look: inTable(this.#looks, look, 'look'),
      cpu,
      switches,
      sinceMs,
      told: undefined,
    };
    const last = old.get(seen.task);
    const isSame =
      last?.stack === seen.stack &&
      last.look === seen.look &&
      last.cpu === cpu &&
      last.switches === switches &&
      last.sinceMs === sinceMs;
    return last !== undefined && isSame ? last : seen;
  }
}

function observationOf(seen: Seen, monotonicMs: number | undefined): Observation {
  const { task, stack, look, cpu, switches, sinceMs } = seen;
  const offCpuMs = sinceMs === undefined || monotonicMs === undefined ? undefined : monotonicMs - sinceMs;
  const observation = { task, stack, ...look, ...(cpu !== undefined && { cpu }) };
  if (offCpuMs === undefined && switches === undefined) return observation;
  const numbers = { ...(switches !== undefined && { switches }), ...(offCpuMs !== undefined && { offCpuMs }) };
  return { ...observation, facts: { ...look.facts, ...numbers } };
}

function define<T>(table: T[], number: number, name: string, value: T): void {
  if (number !== table.length) throw new ShapeError(`${name} ${number} does not follow ${name} ${table.length - 1}`);
  if (table.length >= MAX_TASKS) throw new ShapeError(`more than ${MAX_TASKS} in a segment: ${name}`);
  table.push(value);
}

function parsed(line: string): object {
  return anObject(JSON.parse(line), 'a line');
}

/** Whether brackets are nested more deeply than in any line of a recording. */
function isDeep(line: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < line.length && depth <= MAX_DEPTH; at++) {
    const character = line[at];
    if (character === '"') inText = !inText;
    else if (inText) at += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
  }
  return depth > MAX_DEPTH;
}

function isOf<T>(line: object, shape: Shape<T>, name: string): T {
  return shape('is' in line ? line.is : undefined, name);
}

function inTable<T>(table: readonly T[], number: number, name: string): T {
  const value = table[number];
  if (value === undefined) throw new ShapeError(`${name} ${number} is not defined`);
  return value;
}

type Numbers = readonly (number | null)[];

/** An entry of a change. */
interface Entry {
  /** Its place in the list now. */
  readonly at: number;
  /** Its number in the segment, or the one that it had. */
  readonly task: number | Task;
  readonly stack: number;
  readonly look: number;
  readonly cpu: number | undefined;
  readonly switches: number | undefined;
  readonly sinceMs: number | undefined;
}

interface Change {
  readonly gone: readonly number[];
  readonly put: readonly Entry[];
  readonly set: readonly Omit<Entry, 'task'>[];
}

/** A change with its places and tasks counted out. */
function placed(
  told: { readonly gone?: readonly number[]; readonly put?: readonly Numbers[]; readonly set?: readonly Numbers[] },
  monotonicMs: number | undefined,
): Change {
  const { gone = [], put = [], set = [] } = told;
  let [nextPut, nextTask, nextSet] = [0, 0, 0];
  const sinceOf = (offCpuMs: number | null | undefined) =>
    typeof offCpuMs === 'number' && monotonicMs !== undefined ? monotonicMs - offCpuMs : undefined;
  return {
    gone,
    put: put.map(([skip, step, stack, look, cpu, switches, offCpuMs]) => {
      const [at, task] = [nextPut + (skip ?? 0), nextTask + (step ?? 0)];
      [nextPut, nextTask] = [at + 1, task + 1];
      const [sinceMs, on] = [sinceOf(offCpuMs), cpu ?? undefined];
      return { at, task, stack: stack ?? -1, look: look ?? -1, cpu: on, switches: switches ?? undefined, sinceMs };
    }),
    set: set.map(([skip, stack, look, cpu, switches, offCpuMs]) => {
      const at = nextSet + (skip ?? 0);
      nextSet = at + 1;
      const [sinceMs, on] = [sinceOf(offCpuMs), cpu ?? undefined];
      return { at, stack: stack ?? -1, look: look ?? -1, cpu: on, switches: switches ?? undefined, sinceMs };
    }),
  };
}

interface Applied {
  readonly now: LongList<Seen>;
  readonly gone: readonly Seen[];
  readonly come: readonly Seen[];
}

/** Changes a list, in time that follows the changes. */
function applied(
  before: LongList<Seen>,
  { gone, put, set }: Change,
  seenOf: (entry: Entry, left: ReadonlyMap<Task, Seen>) => Seen,
): Applied {
  if (gone.length + put.length + set.length === 0) return { now: before, gone: [], come: [] };
  // A task that only moved in the list is told as gone and put.
  const leaving = before.itemsAt(gone);
  const left = new Map(leaving.map((seen) => [seen.task, seen]));
  const added = put.map((entry) => ({ at: entry.at, item: seenOf(entry, left) }));
  const [out, come] = [new Set<Seen>(), new Set(added.map(({ item }) => item))];
  for (const seen of leaving) if (!come.delete(seen)) out.add(seen);
  const next = gone.length + put.length === 0 ? before : before.spliced(gone, added);
  const now = next.changed(set, (old, entry) => {
    const seen = seenOf({ ...entry, task: old.task }, NONE);
    if (!come.delete(old)) out.add(old);
    come.add(seen);
    return seen;
  });
  return { now, gone: [...out], come: [...come] };
}

const NONE: ReadonlyMap<Task, Seen> = new Map();

/** What is in one list only. */
function differing(before: readonly Seen[], after: readonly Seen[]): Omit<Applied, 'now'> {
  const [old, now] = [new Set(before), new Set(after)];
  return { gone: before.filter((seen) => !now.has(seen)), come: after.filter((seen) => !old.has(seen)) };
}

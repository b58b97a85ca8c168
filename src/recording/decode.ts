import type { Event } from '../model/event.ts';
import type { Pressure } from '../model/pressure.ts';
import type { Reading, Unreadable } from '../model/reading.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import { type Entry, type Look, type Place, printedFrame, VERSION } from './record.ts';
import { count, listOf, name, number, object, oneOf, type Shape, ShapeError, text, time, word, yes } from './shape.ts';
import { eventShape, lookShape, placeShape, pressureShape, taskShape, unreadShape } from './shapes.ts';

/** Bounds memory: a recording may come from anyone. */
const MAX_TASKS = 300_000;
const MAX_FRAMES = 1024;

/** What is the same object in all segments of a recording: equal tasks and equal stacks. */
export class Interned {
  readonly #stacks = new Map<string, Stack>();
  readonly #tasks = new Map<string, Task>();
  #nextId = 0;

  stack(key: string, frames: () => Frame[]): Stack {
    return known(this.#stacks, key, () => ({ id: this.#nextId++, frames: frames() }));
  }

  task(key: string, task: Task): Task {
    return known(this.#tasks, key, () => task);
  }
}

function known<T>(table: Map<string, T>, key: string, make: () => T): T {
  let value = table.get(key);
  if (value === undefined) {
    if (table.size >= MAX_TASKS) table.clear();
    value = make();
    table.set(key, value);
  }
  return value;
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
const entries: Shape<number[][]> = listOf(listOf(number));
const changesShape = object<object, { gone: number[]; put: number[][]; set: number[][] }>(
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
    events: listOf(eventShape),
    pressure: pressureShape,
  },
);

/** Turns the lines of one segment into its samples. */
export class SegmentDecoder {
  readonly #interned: Interned;
  #isBegun = false;
  readonly #places: Place[] = [];
  readonly #looks: Look[] = [];
  readonly #tasks: Task[] = [];
  readonly #stacks: Reading<Stack>[] = [];
  #seen: readonly Entry[] = [];
  #holders: readonly Entry[] = [];

  constructor(interned: Interned) {
    this.#interned = interned;
  }

  /**
   * Takes the next line. Returns the sample if it is one, with all that it refers to.
   * @throws ShapeError if the line is not what the format says; SyntaxError if it is no JSON
   */
  decode(line: string): Sample | undefined {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) throw new ShapeError('a line is an object');
    if (!this.#isBegun) {
      const { version } = headShape(value, 'head');
      if (version > VERSION)
        throw new ShapeError(`version ${version} is newer than ${VERSION}: a newer kstack reads it`);
      this.#isBegun = true;
      return undefined;
    }
    if ('sample' in value) return this.#sample(value);
    if ('task' in value) this.#define(this.#tasks, value, 'task', this.#task(value));
    else if ('stack' in value) this.#define(this.#stacks, value, 'stack', this.#stack(value));
    else if ('look' in value) this.#define(this.#looks, value, 'look', isOf(value, lookShape, 'look'));
    else if ('place' in value) this.#define(this.#places, value, 'place', isOf(value, placeShape, 'place'));
    // Other lines are of a later version that only adds some.
    return undefined;
  }

  /** A task that is told by what makes it of another. */
  #likeAnother(line: object): object {
    const { as, is } = likeShape(line, 'task');
    const other = inTable(this.#tasks, as, 'task');
    const id = 'id' in is && typeof is.id === 'object' ? is.id : {};
    return { ...other, ...is, id: { ...other.id, ...id } };
  }

  #define<T>(table: T[], line: object, name: string, value: T): void {
    const at = count(new Map(Object.entries(line)).get(name), name);
    if (at !== table.length) throw new ShapeError(`${name} ${at} does not follow ${name} ${table.length - 1}`);
    if (table.length >= MAX_TASKS) throw new ShapeError(`more than ${MAX_TASKS} in a segment: ${name}`);
    table.push(value);
  }

  #task(line: object): Task {
    const task = 'as' in line ? taskShape(this.#likeAnother(line), 'task') : isOf(line, taskShape, 'task');
    return this.#interned.task(JSON.stringify(task), task);
  }

  #stack(line: object): Reading<Stack> {
    const { frames: told, cut, unread, detail } = stackShape(line, 'stack');
    if (unread !== undefined) return { unread: unread as Unreadable, ...(detail !== undefined && { detail }) };
    if (Array.isArray(told) && told.length > MAX_FRAMES) throw new ShapeError(`stack: more than ${MAX_FRAMES} frames`);
    // Before anything else goes through them: they may be nested as deep as the line is long.
    const frames = listOf(frameShape)(told, 'frames');
    const value = this.#interned.stack(JSON.stringify(frames), () => frames);
    return { value, ...(cut === true && { cut }) };
  }

  #sample(line: object): Sample {
    const { sample, tasks, holders, unread = [], ...rest } = sampleShape(line, 'sample');
    const place = inTable(this.#places, sample, 'place');
    this.#seen = changed(this.#seen, tasks ?? {});
    this.#holders = changed(this.#holders, holders ?? {});
    const observe = (entry: Entry) => this.#observation(entry, rest.monotonicMs);
    return { ...rest, ...place, observations: this.#seen.map(observe), holders: this.#holders.map(observe), unread };
  }

  #observation([task, stack, look, sinceMs]: Entry, monotonicMs: number | undefined): Observation {
    const { facts, ...rest } = inTable(this.#looks, look, 'look');
    const offCpuMs = sinceMs === undefined || monotonicMs === undefined ? undefined : monotonicMs - sinceMs;
    const known = offCpuMs === undefined ? facts : { ...facts, offCpuMs };
    return {
      task: inTable(this.#tasks, task, 'task'),
      stack: inTable(this.#stacks, stack, 'stack'),
      ...rest,
      ...(known !== undefined && { facts: known }),
    };
  }
}

function isOf<T>(line: object, shape: Shape<T>, name: string): T {
  return shape('is' in line ? line.is : undefined, name);
}

function inTable<T>(table: readonly T[], number: number, name: string): T {
  const value = table[number];
  if (value === undefined) throw new ShapeError(`${name} ${number} is not defined`);
  return value;
}

interface Change {
  readonly gone?: readonly number[];
  readonly put?: readonly (readonly number[])[];
  readonly set?: readonly (readonly number[])[];
}

function changed(before: readonly Entry[], { gone = [], put = [], set = [] }: Change): readonly Entry[] {
  if (gone.length + put.length + set.length === 0) return before;
  const left = new Set(gone);
  const stayed = before.filter((_, at) => !left.has(at));
  const news = new Map(put.map((entry) => [entry[0], entry]));
  const now: Entry[] = [];
  let next = 0;
  const length = stayed.length + news.size;
  while (now.length < length) {
    const added = news.get(now.length);
    const entry = added === undefined ? stayed[next++] : entryIn(added);
    if (entry === undefined) throw new ShapeError('a new task is beyond the end of its sample');
    now.push(entry);
  }
  for (const entry of set) {
    const [at = -1] = entry;
    if (now[at] === undefined) throw new ShapeError('a task that changed is beyond the end of its sample');
    now[at] = entryIn(entry);
  }
  return now;
}

function entryIn([, task = -1, stack = -1, look = -1, sinceMs]: readonly number[]): Entry {
  return sinceMs === undefined ? [task, stack, look] : [task, stack, look, sinceMs];
}

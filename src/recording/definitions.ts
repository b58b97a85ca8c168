import type { Reading, Unreadable } from '../model/reading.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import { type Look, printedFrame } from './record.ts';
import { anObject, count, listOf, name, object, type Shape, ShapeError, text, word, yes } from './shape.ts';
import { lookShape, taskShape } from './shapes.ts';

/** Bounds memory: a recording may come from anyone. */
const MAX_TASKS = 300_000;
const MAX_FRAMES = 1024;

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

type Meaning =
  | { readonly kind: 'task'; readonly value: Task }
  | { readonly kind: 'stack'; readonly value: Reading<Stack> }
  | { readonly kind: 'look'; readonly value: Look };

/** What a line means that defines something. */
type Definition = Meaning & {
  /** What stands behind its number. */
  readonly rest: string;
  /** What it is told by: the task so many before. */
  readonly as: number | undefined;
  readonly like: Task | undefined;
  /** Which line of the latest segment it was. */
  place: number;
};

/** What the segments of a recording have defined: equal tasks and stacks are the same object in all of them. */
export class KnownDefinitions {
  readonly byText = new Made<Definition>();
  readonly #frames = new Made<Stack>();
  readonly #tasks = new Made<Task>();
  readonly #numbers = new WeakMap<Task, number>();
  #nextNumber = 0;
  #nextStack = 0;
  /** Those of the latest segment, in the order of its lines. */
  latest: readonly Definition[] = [];

  /** Equal tasks are one, whatever they are told by. */
  task(task: Task): Task {
    const key = JSON.stringify(task);
    return this.#tasks.get(key) ?? this.#tasks.set(key, task);
  }

  stack(frames: readonly Frame[]): Stack {
    const key = JSON.stringify(frames);
    return this.#frames.get(key) ?? this.#frames.set(key, { id: this.#nextStack++, frames });
  }

  /** A number of a task that no other one has. */
  numberOf(task: Task): number {
    const number = this.#numbers.get(task) ?? this.#nextNumber++;
    this.#numbers.set(task, number);
    return number;
  }
}

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

const likeShape = object<{ as: number; is: object }, object>({ as: count, is: anObject }, {});

/** How kstack writes a line that defines something: the number stands first. */
const DEFINES = /^\{"(task|stack|look)":(\d{1,9})(?:,"as":(\d{1,9}))?,/;
export type DefinedKind = Definition['kind'];

/**
 * What a segment defines, by number. Most of it was defined in the same words by the segment before it, in the same
 * order.
 */
export class Definitions {
  readonly tasks: Task[] = [];
  readonly stacks: Reading<Stack>[] = [];
  readonly looks: Look[] = [];
  readonly #known: KnownDefinitions;
  readonly #before: readonly Definition[];
  readonly #now: Definition[] = [];
  /** Which definition of the segment before is likely to be next. */
  #next = 0;

  constructor(known: KnownDefinitions) {
    this.#known = known;
    this.#before = known.latest;
    known.latest = this.#now;
  }

  /**
   * Takes a line as kstack writes it. Returns whether it is one that defines something.
   * @throws ShapeError if the line is not what the format says; SyntaxError if it is no JSON
   */
  takeLine(line: string): boolean {
    const next = this.#before[this.#next];
    if (next !== undefined && this.#isAgain(line, next)) {
      this.#add(next);
      return true;
    }
    const [, kind, number = '', told] = DEFINES.exec(line) ?? [];
    if (kind !== 'task' && kind !== 'stack' && kind !== 'look') return false;
    const as = told === undefined ? undefined : Number(told);
    const like = kind === 'task' && as !== undefined ? this.#taskBefore(as) : undefined;
    const rest = line.slice(`{"${kind}":${number}`.length);
    const key = `${kind} ${like === undefined ? '' : this.#known.numberOf(like)}${rest}`;
    let known = this.#known.byText.get(key);
    if (known === undefined) {
      const meaning = this.#meaning(kind, anObject(JSON.parse(line), 'a line'));
      // A part of the key takes no memory of its own.
      known = { ...meaning, rest: key.slice(-rest.length), as, like, place: -1 };
      this.#known.byText.set(key, known);
    }
    this.#checkNumber(kind, Number(number));
    this.#add(known);
    return true;
  }

  /** Takes a line that was parsed. */
  take(kind: DefinedKind, number: number, line: object): void {
    this.#checkNumber(kind, number);
    this.#define(this.#meaning(kind, line));
  }

  /** Whether a line says so, with the number that is next. */
  #isAgain(line: string, { kind, rest, as, like }: Definition): boolean {
    if (!line.endsWith(rest)) return false;
    const head = `{"${kind}":${this.#countOf(kind)}`;
    if (line.length !== head.length + rest.length || !line.startsWith(head)) return false;
    return like === undefined || this.tasks[this.tasks.length - (as ?? 0)] === like;
  }

  #add(definition: Definition): void {
    // It still tells where it stood in the segment before, unless it stands in this one twice.
    if (this.#before[definition.place] === definition) this.#next = definition.place + 1;
    definition.place = this.#now.push(definition) - 1;
    this.#define(definition);
  }

  #define({ kind, value }: Meaning): void {
    if (this.#countOf(kind) >= MAX_TASKS) throw new ShapeError(`more than ${MAX_TASKS} in a segment: ${kind}`);
    if (kind === 'task') this.tasks.push(value);
    else if (kind === 'stack') this.stacks.push(value);
    else this.looks.push(value);
  }

  #countOf(kind: DefinedKind): number {
    return (kind === 'task' ? this.tasks : kind === 'stack' ? this.stacks : this.looks).length;
  }

  #checkNumber(kind: DefinedKind, number: number): void {
    const next = this.#countOf(kind);
    if (number !== next) throw new ShapeError(`${kind} ${number} does not follow ${kind} ${next - 1}`);
  }

  #meaning(kind: DefinedKind, line: object): Meaning {
    if (kind === 'task') return { kind, value: this.#task(line) };
    if (kind === 'stack') return { kind, value: this.#stack(line) };
    return { kind, value: lookShape('is' in line ? line.is : undefined, kind) };
  }

  #task(line: object): Task {
    const told = 'as' in line ? this.#likeAnother(line) : 'is' in line ? line.is : undefined;
    return this.#known.task(taskShape(told, 'task'));
  }

  /** A task that is told by what makes it of another. */
  #likeAnother(line: object): object {
    const { as, is } = likeShape(line, 'task');
    const other = this.#taskBefore(as);
    const id = 'id' in is && typeof is.id === 'object' ? is.id : {};
    return { ...other, ...is, id: { ...other.id, ...('pid' in is && { tid: is.pid }), ...id } };
  }

  #taskBefore(count: number): Task {
    const number = this.tasks.length - count;
    const task = this.tasks[number];
    if (task === undefined) throw new ShapeError(`task ${number} is not defined`);
    return task;
  }

  #stack(line: object): Reading<Stack> {
    const { frames: told, cut, unread, detail } = stackShape(line, 'stack');
    if (unread !== undefined) return { unread: unread as Unreadable, ...(detail !== undefined && { detail }) };
    if (Array.isArray(told) && told.length > MAX_FRAMES) throw new ShapeError(`stack: more than ${MAX_FRAMES} frames`);
    // Before anything else goes through them: they may be nested as deep as the line is long.
    const frames = listOf(frameShape)(told, 'frames');
    return { value: this.#known.stack(frames), ...(cut === true && { cut }) };
  }
}

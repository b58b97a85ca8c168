import { hashOf } from '../model/bytes.ts';
import type { Reading, Unreadable } from '../model/reading.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import { behindNumber, type KeptText, KeptTexts } from './kept-text.ts';
import { type Look, printedFrame } from './record.ts';
import { anObject, count, listOf, name, object, type Shape, ShapeError, text, word, yes } from './shape.ts';
import { lookShape, taskShape } from './shapes.ts';

/** Bounds memory: a recording may come from anyone. */
const MAX_TASKS = 300_000;
const MAX_FRAMES = 1024;

/** Keeps what was made of a text, for when the same text comes again. Forgets what was not asked for in a while. */
class Made<Key, T> {
  #now = new Map<Key, T>();
  #before = new Map<Key, T>();

  get(key: Key): T | undefined {
    return this.#now.get(key) ?? this.#before.get(key);
  }

  set(key: Key, value: T): T {
    if (this.#now.size >= MAX_TASKS / 2) this.forget();
    this.#now.set(key, value);
    return value;
  }

  /** What was not set since the last time. */
  forget(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}

type Meaning =
  | { readonly kind: 'task'; readonly value: Task }
  | { readonly kind: 'stack'; readonly value: Reading<Stack> }
  | { readonly kind: 'look'; readonly value: Look };

/** What a line means that defines something. An object of a literal with a spread in it has no place in V8's caches. */
class Definition {
  readonly meaning: Meaning;
  /** What stands behind its number. */
  rest: KeptText;
  /** A number that stands for that. */
  readonly key: number;
  /** What it is told by: the task so many before. */
  readonly as: number | undefined;
  readonly like: Task | undefined;
  /** Which line of the latest segment it was. */
  place = -1;

  constructor(meaning: Meaning, rest: KeptText, told: Pick<Definition, 'key' | 'as' | 'like'>) {
    this.meaning = meaning;
    this.rest = rest;
    this.key = told.key;
    this.as = told.as;
    this.like = told.like;
  }
}

/** Of texts that nobody needs any more, this much stays in memory, or as much as is needed. */
const SPARE_TEXT_BYTES = 1 << 20;

/** What the segments of a recording have defined: equal tasks and stacks are the same object in all of them. */
export class KnownDefinitions {
  /** Whether only what the latest segments have is kept: a stream without an end would fill the memory. */
  readonly #forgets: boolean;
  #texts = new KeptTexts();
  /** By a number that stands for the text. Where two texts have the same one, the later one is kept. */
  readonly #byText = new Made<number, Definition>();
  readonly #tasks = new Made<number, Task>();
  readonly #frames = new Made<string, Stack>();
  /** By what a task is found in `#tasks`. */
  readonly #keys = new WeakMap<Task, number>();
  #nextStack = 0;
  #latest: readonly Definition[] = [];

  constructor(forgets: boolean) {
    this.#forgets = forgets;
  }

  /**
   * A segment begins: its definitions will be in this list, in the order of its lines. Returns those of the segment
   * before.
   */
  begin(definitions: readonly Definition[]): readonly Definition[] {
    const before = this.#latest;
    this.#latest = definitions;
    if (!this.#forgets) return before;
    for (const made of [this.#byText, this.#tasks, this.#frames]) made.forget();
    const neededBytes = before.reduce((sum, { rest }) => sum + rest.length, 0);
    if (this.#texts.takenBytes > 2 * neededBytes + SPARE_TEXT_BYTES) {
      this.#texts = new KeptTexts();
      for (const definition of before) definition.rest = this.#texts.keep(definition.rest.bytes, 0);
    }
    return before;
  }

  /** The latest segment has this. */
  keep(definition: Definition): void {
    if (!this.#forgets) return;
    const { kind, value } = definition.meaning;
    this.#byText.set(definition.key, definition);
    if (kind === 'task') this.#tasks.set(this.#keys.get(value) ?? 0, value);
    else if (kind === 'stack' && 'value' in value) this.#frames.set(keyOf(value.value), value.value);
  }

  /** What a line says that has this behind its number, and is told by that task; made anew if nothing is known. */
  definition(
    line: Uint8Array,
    from: number,
    { as, like, make }: { as: number | undefined; like: Task | undefined; make(): Meaning },
  ): Definition {
    const key = hashOf(line, from, like === undefined ? -1 : (this.#keys.get(like) ?? 0));
    const known = this.#byText.get(key);
    if (known !== undefined && known.like === like && known.rest.is(line, from)) return known;
    return this.#byText.set(key, new Definition(make(), this.#texts.keep(line, from), { key, as, like }));
  }

  /** Equal tasks are one, whatever they are told by. */
  task(task: Task): Task {
    const text = JSON.stringify(task);
    const key = hashOf(new TextEncoder().encode(text), 0, 0);
    const known = this.#tasks.get(key);
    if (known !== undefined && JSON.stringify(known) === text) return known;
    this.#keys.set(task, key);
    return this.#tasks.set(key, task);
  }

  stack(told: Pick<Stack, 'frames' | 'mixed'>): Stack {
    const key = keyOf(told);
    return this.#frames.get(key) ?? this.#frames.set(key, { id: this.#nextStack++, ...told });
  }
}

function keyOf({ frames, mixed }: Pick<Stack, 'frames' | 'mixed'>): string {
  const text = JSON.stringify(frames);
  return mixed === true ? `mixed ${text}` : text;
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

const stackShape = object<object, { frames: unknown; cut: true; mixed: true; unread: string; detail: string }>(
  {},
  { frames: (value) => value, cut: yes, mixed: yes, unread: word, detail: text },
);

const likeShape = object<{ as: number; is: object }, object>({ as: count, is: anObject }, {});

/** How kstack writes a line that defines something: the number stands first. */
const DEFINES = /^\{"(task|stack|look)":(\d{1,9})(?:,"as":(\d{1,9}))?,/;
export type DefinedKind = Meaning['kind'];

const headOf = (kind: DefinedKind) => new TextEncoder().encode(`{"${kind}":`);
const HEADS = { task: headOf('task'), stack: headOf('stack'), look: headOf('look') };

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
    this.#before = known.begin(this.#now);
  }

  /**
   * The place behind the line there if it is the definition that the segment before has next, with the number that is
   * next here. Undefined if it is something else.
   */
  passKnown(lines: DataView, from: number): number | undefined {
    const next = this.#before[this.#next];
    if (next === undefined) return undefined;
    const { rest, as, like } = next;
    const { kind } = next.meaning;
    const at = behindNumber(lines, from, HEADS[kind], this.#countOf(kind));
    if (at === undefined || !rest.isAt(lines, at)) return undefined;
    if (like !== undefined && this.tasks[this.tasks.length - (as ?? 0)] !== like) return undefined;
    this.#add(next);
    return at + rest.length + 1;
  }

  /**
   * Takes a line as kstack writes it. Returns whether it is one that defines something.
   * @throws ShapeError if the line is not what the format says; SyntaxError if it is no JSON
   */
  takeLine(line: string, bytes: Uint8Array): boolean {
    const [, kind, number = '', told] = DEFINES.exec(line) ?? [];
    if (kind !== 'task' && kind !== 'stack' && kind !== 'look') return false;
    const as = told === undefined ? undefined : Number(told);
    const like = kind === 'task' && as !== undefined ? this.#taskBefore(as) : undefined;
    const from = HEADS[kind].length + number.length;
    const make = () => this.#meaning(kind, anObject(JSON.parse(line), 'a line'));
    const known = this.#known.definition(bytes, from, { as, like, make });
    this.#checkNumber(kind, Number(number));
    this.#add(known);
    return true;
  }

  /** Takes a line that was parsed. */
  take(kind: DefinedKind, number: number, line: object): void {
    this.#checkNumber(kind, number);
    this.#define(this.#meaning(kind, line));
  }

  #add(definition: Definition): void {
    // It still tells where it stood in the segment before, unless it stands in this one twice.
    if (this.#before[definition.place] === definition) this.#next = definition.place + 1;
    definition.place = this.#now.push(definition) - 1;
    this.#known.keep(definition);
    this.#define(definition.meaning);
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
    const { frames: told, cut, mixed, unread, detail } = stackShape(line, 'stack');
    if (unread !== undefined) return { unread: unread as Unreadable, ...(detail !== undefined && { detail }) };
    if (Array.isArray(told) && told.length > MAX_FRAMES) throw new ShapeError(`stack: more than ${MAX_FRAMES} frames`);
    // Before anything else goes through them: they may be nested as deep as the line is long.
    const frames = listOf(frameShape)(told, 'frames');
    const value = this.#known.stack({ frames, ...(mixed === true && { mixed }) });
    return { value, ...(cut === true && { cut }) };
  }
}

import type { ByteWindow } from './byte-window.ts';
import type { ClassicBlocks } from './classic-blocks.ts';
import type { ClassicSample } from './classic-told.ts';

const LINE_FEED = 10;
const PID = Buffer.from('PID:');
const STACK = Buffer.from('Stack:\n');
const BLANK_LINE = Buffer.from('\n\n');
/** From so many numbers on, copying them by one call is faster. */
const WORTH_A_CALL = 32;
/** Within so many lines, the stack of a block is looked for. */
const NEAR = 64;
const NONE = -1;

/**
 * The pieces of a sample: lines about tasks, and behind those that share it a stack. Numbers alone, which copy fast.
 */
class Pieces {
  /** Where they begin in the stream. */
  from = 0;
  count = 0;
  /** Where each ends, from there. */
  ends = new Int32Array(0);
  /** The number of each, see ClassicBlocks. */
  ids = new Int32Array(0);
  /** The number of what each line tells; {@link NONE} for stacks. */
  seen = new Int32Array(0);
  /** For each the number that it has in the sample before; NONE for new ones. */
  origins = new Int32Array(0);

  begin(from: number): void {
    this.from = from;
    this.count = 0;
  }

  /** Makes room for so many. */
  reserve(count: number): void {
    if (count <= this.ends.length) return;
    this.ends = grown(this.ends, count);
    this.ids = grown(this.ids, count);
    this.seen = grown(this.seen, count);
    this.origins = grown(this.origins, count);
  }

  /** Takes over pieces of the sample before, which are now so much further behind the beginning. */
  copy(before: Pieces, from: number, to: number, shift: number): void {
    const [{ count, ends, ids, seen, origins }, length] = [this, to - from];
    for (let at = 0; at < length; at++) {
      ends[count + at] = (before.ends[from + at] ?? 0) + shift;
      origins[count + at] = from + at;
    }
    if (length < WORTH_A_CALL) {
      for (let at = 0; at < length; at++) {
        ids[count + at] = before.ids[from + at] ?? NONE;
        seen[count + at] = before.seen[from + at] ?? NONE;
      }
    } else {
      ids.set(before.ids.subarray(from, to), count);
      seen.set(before.seen.subarray(from, to), count);
    }
    this.count += length;
  }

  /** Adds one that is not in the sample before. */
  add(id: number, end: number): void {
    this.reserve(this.count + 1);
    this.ends[this.count] = end;
    this.ids[this.count] = id;
    this.seen[this.count] = NONE;
    this.origins[this.count] = NONE;
    this.count++;
  }

  startOf(at: number): number {
    return this.from + (at === 0 ? 0 : (this.ends[at - 1] ?? 0));
  }

  /** The number of the stack of the block that has a line; NONE if it is not near. */
  stackBehind(line: number): number {
    const most = Math.min(this.count, line + NEAR);
    for (let at = line; at >= 0 && at < most; at++) if (this.seen[at] === NONE) return at;
    return NONE;
  }
}

function grown(numbers: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(2 * count);
  more.set(numbers);
  return more;
}

/** Reads what stands behind the head of a sample: most of it stands in the one before, byte by byte, in long runs. */
export class ClassicBody {
  readonly #window: ByteWindow;
  readonly #blocks: ClassicBlocks;
  #before = new Pieces();
  #now = new Pieces();
  /** The piece of the sample before that is likely to be next. */
  #next = 0;
  /** 1 for each piece of the sample before that was taken over, unless it is a line whose stack is another one. */
  #stays = new Uint8Array(0);
  /** The place of each piece in the sample before. */
  #places = new Int32Array(0);
  /** Where the lines begin whose stack is not here yet. */
  #blockAt = 0;
  #come: number[] = [];
  #isFirst = true;
  /** Up to where it is read. */
  at = 0;

  constructor(window: ByteWindow, blocks: ClassicBlocks) {
    this.#window = window;
    this.#blocks = blocks;
  }

  /** The bytes before this are not needed. */
  get keptFrom(): number {
    return this.#before.from;
  }

  /** Begins with the sample that stands there. */
  begin(at: number): void {
    const { count } = this.#before;
    this.at = at;
    this.#now.begin(at);
    this.#next = 0;
    this.#blockAt = 0;
    this.#come = [];
    if (this.#stays.length < count) this.#stays = new Uint8Array(2 * count);
    this.#stays.fill(0, 0, count);
  }

  /** The next sample has nothing to do with those before it. */
  forget(at: number): void {
    this.#before.begin(at);
    this.#isFirst = true;
  }

  /**
   * Reads as far as it goes. `more`: something has an end that is not here yet. `end`: what follows is neither a stack
   * nor a line about a task. `other`: it is not quite the classic text.
   */
  read(isLast: boolean): 'more' | 'end' | 'other' {
    const window = this.#window;
    for (;;) {
      if (!this.#copyRun(this.#next)) return 'other';
      let step: 'more' | 'other' | undefined;
      if (window.has(PID, this.at)) step = this.#readLine();
      else if (window.has(STACK, this.at)) step = this.#readStack();
      else if (window.end - this.at < STACK.length && !isLast) return 'more';
      // The last block is complete.
      else return this.#blockAt === this.#now.count ? 'end' : 'other';
      if (step !== undefined) return step;
    }
  }

  /**
   * Takes over what stands in the sample before, too, from one of its pieces on. Returns whether it makes sense here.
   */
  #copyRun(from: number): boolean {
    const [before, now, stays] = [this.#before, this.#now, this.#stays];
    if (from >= before.count) return true;
    const start = before.startOf(from);
    const most = Math.min(this.#window.end - this.at, before.startOf(before.count) - start);
    const same = this.#window.same(start, this.at, most);
    const to = start - before.from + same;
    let [next, firstStack, lastStack] = [from, NONE, NONE];
    for (; next < before.count && (before.ends[next] ?? 0) <= to && stays[next] === 0; next++) {
      stays[next] = 1;
      if (before.seen[next] !== NONE) continue;
      if (firstStack === NONE) firstStack = next;
      lastStack = next;
    }
    if (next === from) return true;
    const first = now.count;
    now.reserve(first + next - from);
    now.copy(before, from, next, this.at - now.from - (start - before.from));
    this.at = now.startOf(now.count);
    this.#next = next;
    if (firstStack === NONE) return true;
    if (!this.#endBlock(first, first + firstStack - from)) return false;
    // The blocks between this stack and the last one are as they were.
    this.#blockAt = first + lastStack - from + 1;
    return true;
  }

  /**
   * Gives the lines of a block the stack that was added behind them. Those from number `sure` on have it.
   * Returns whether there is such a line.
   */
  #endBlock(sure: number, stack: number): boolean {
    const from = this.#blockAt;
    this.#blockAt = stack + 1;
    if (from === stack) return false;
    if (from < sure) this.#settle(from, Math.min(sure, stack), this.#blocks.stackOf(this.#now.ids[stack] ?? NONE));
    return true;
  }

  #settle(from: number, to: number, stack: number): void {
    const now = this.#now;
    for (let at = from; at < to; at++) {
      const seen = this.#blocks.seen(now.ids[at] ?? NONE, stack);
      if (seen === now.seen[at]) continue;
      now.seen[at] = seen;
      this.#stays[now.origins[at] ?? NONE] = 0;
      this.#come.push(seen);
    }
  }

  #readLine(): 'more' | 'other' | undefined {
    const { at } = this;
    const known = this.#blocks.ofNumber(this.#window.numberAt(at + PID.length));
    // It may have moved.
    const place = known === undefined ? NONE : this.#placeOf(known);
    if (place !== NONE && !this.#copyRun(place)) return 'other';
    if (this.at > at) return undefined;
    const end = this.#window.indexOf(LINE_FEED, at);
    if (end === -1) return 'more';
    const line = this.#blocks.line(this.#window.slice(at, end));
    if (line === undefined) return 'other';
    this.#now.add(line, end + 1 - this.#now.from);
    this.at = end + 1;
    return undefined;
  }

  /** Where a piece is in the sample before; NONE if it is not. */
  #placeOf(id: number): number {
    const place = this.#places[id] ?? NONE;
    return place < this.#before.count && this.#before.ids[place] === id ? place : NONE;
  }

  #readStack(): 'more' | 'other' | undefined {
    const [{ at }, now, window] = [this, this.#now, this.#window];
    // Most blocks keep their stack when tasks come and go.
    for (const line of [this.#blockAt, now.count - 1]) {
      const place = this.#before.stackBehind(now.origins[line] ?? NONE);
      if (place !== NONE && line < now.count && !this.#copyRun(place)) return 'other';
      if (this.at > at) return undefined;
    }
    const from = at + STACK.length;
    // An empty stack is an empty line.
    const end = window.at(from) === LINE_FEED ? from : window.indexOf(BLANK_LINE, from);
    if (end === -1 || end + 1 >= window.end) return 'more';
    if (window.at(end + 1) !== LINE_FEED) return 'other';
    const stack = this.#blocks.stack(window.slice(from, end));
    if (stack === undefined) return 'other';
    now.add(stack, end + 2 - now.from);
    this.at = end + 2;
    // What follows it is likely to be what followed it before.
    const place = this.#placeOf(stack);
    if (place !== NONE) this.#next = place + 1;
    return this.#endBlock(now.count, now.count - 1) ? undefined : 'other';
  }

  /** Ends the sample. The next one is compared with it. Returns what turned out to be in it. */
  end(): Omit<ClassicSample, 'head' | 'localMs'> {
    const [before, now, blocks] = [this.#before, this.#now, this.#blocks];
    const gone: number[] = [];
    for (let at = this.#stays.indexOf(0); at !== -1 && at < before.count; at = this.#stays.indexOf(0, at + 1)) {
      const seen = before.seen[at] ?? NONE;
      if (seen !== NONE) gone.push(seen);
    }
    if (this.#places.length < blocks.count) this.#places = new Int32Array(2 * blocks.count);
    for (let at = 0; at < now.count; at++) this.#places[now.ids[at] ?? NONE] = at;
    const seen = now.seen.slice(0, now.count);
    const cut = blocks.cutOf(now.ids.subarray(0, now.count));
    const changes = { gone: new Int32Array(gone), come: new Int32Array(this.#come) };
    const told = { pairs: blocks.newPairs(), seen, cut, ...(!this.#isFirst && { changes }) };
    this.#isFirst = false;
    [this.#before, this.#now] = [now, before];
    return told;
  }

  /** Call this between samples, when what is new was told. */
  trim(): void {
    if (this.#blocks.trim()) this.forget(this.at);
  }
}

import { sameBytes } from '../../../model/bytes.ts';

/** Room for so many chunks like the first one: what is kept is moved the more rarely, and a short text takes little. */
const CHUNKS = 8;
/**
 * So many bytes are compared by memcmp(3) at least and at most: it compares ten times as many a second, and a call of it
 * costs as much as comparing a kilobyte without.
 */
const [SHORT, LONG] = [4096, 1 << 18];
const [BLANK, ZERO] = [0x20, 0x30];

/** The part of a stream of bytes that is in memory. Places count from the beginning of the stream. */
export class ByteWindow {
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer, 0, 0);
  #from = 0;
  #kept = 0;
  #end = 0;

  /** The place behind the last byte. */
  get end(): number {
    return this.#end;
  }

  /** Takes a copy of the next bytes of the stream. */
  append(chunk: Uint8Array): void {
    if (this.#end - this.#from + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end - this.#from);
    this.#end += chunk.length;
  }

  /** Takes the next bytes of the stream, at most so many, which `read` puts into memory. Returns how many. */
  fill(most: number, read: (room: Uint8Array) => number): number {
    if (this.#end - this.#from + most > this.#bytes.length) this.#makeRoom(most);
    const length = read(this.slice(this.#end, this.#end + most));
    this.#end += length;
    return length;
  }

  /** The bytes before a place are not needed any more. */
  forget(before: number): void {
    this.#kept = before;
  }

  /** Moves what is kept to the beginning, of a larger buffer if it would fill most of this one. */
  #makeRoom(more: number): void {
    const kept = this.slice(this.#kept, this.#end);
    const needed = kept.length + more;
    if (needed > (3 / 4) * this.#bytes.length) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length === 0 ? CHUNKS * needed : 2 * needed);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#bytes.set(kept);
    this.#from = this.#kept;
  }

  at(place: number): number | undefined {
    return place < this.#end ? this.#bytes[place - this.#from] : undefined;
  }

  /** Valid until the next bytes are appended. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(from - this.#from, to - this.#from);
  }

  /** The next place of a byte or of some bytes; -1 if they are not here. */
  indexOf(wanted: number | Buffer, from: number): number {
    const at = this.#bytes.indexOf(wanted, from - this.#from);
    const length = typeof wanted === 'number' ? 1 : wanted.length;
    return at === -1 || this.#from + at + length > this.#end ? -1 : this.#from + at;
  }

  /** Whether these bytes are here. */
  has(wanted: Buffer, place: number): boolean {
    if (place + wanted.length > this.#end) return false;
    for (let at = 0; at < wanted.length; at++) if (this.#bytes[place - this.#from + at] !== wanted[at]) return false;
    return true;
  }

  /** The decimal number there, behind blanks; 0 if there is none. */
  numberAt(place: number): number {
    let number = 0;
    for (let at = place; at < this.#end; at++) {
      const digit = (this.#bytes[at - this.#from] ?? 0) - ZERO;
      if (digit >= 0 && digit <= 9) number = 10 * number + digit;
      else if (digit !== BLANK - ZERO || number > 0) break;
    }
    return number;
  }

  /** How many bytes at two places are the same, up to a length; at one of them, they are a text without NUL. */
  same(place: number, other: number, length: number): number {
    const view = this.#view;
    const [one, two] = [place - this.#from, other - this.#from];
    let same = sameBytes(view, one, view, two, Math.min(length, SHORT));
    if (same < SHORT) return same;
    let step = 2 * SHORT;
    for (; this.#isSame(one + same, two + same, Math.min(step, length - same)); step = Math.min(2 * step, LONG)) {
      same += step;
      if (same >= length) return length;
    }
    for (step /= 2; step >= SHORT; step /= 2)
      if (same + step <= length && this.#isSame(one + same, two + same, step)) same += step;
    return same + sameBytes(view, one + same, view, two + same, Math.min(length - same, SHORT));
  }

  #isSame(one: number, two: number, length: number): boolean {
    return this.#bytes.compare(this.#bytes, one, one + length, two, two + length) === 0;
  }
}

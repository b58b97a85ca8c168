import { sameBytes, viewOf } from '../model/bytes.ts';

const BLOCK_BYTES = 1 << 18;
const LINE_FEED = 10;
const [ZERO, NINE] = [48, 57];

/** A piece of a line, up to its end. */
export class KeptText {
  readonly #block: DataView;
  readonly #from: number;
  readonly length: number;

  constructor(block: DataView, from: number, length: number) {
    this.#block = block;
    this.#from = from;
    this.length = length;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#block.buffer, this.#from, this.length);
  }

  /** Whether a line ends with this from a place on. */
  isAt(lines: DataView, at: number): boolean {
    const { length } = this;
    if (at + length >= lines.byteLength || lines.getUint8(at + length) !== LINE_FEED) return false;
    return sameBytes(this.#block, this.#from, lines, at, length) === length;
  }

  /** Whether a line, which has no line end here, is this from a place on. */
  is(line: Uint8Array, from: number): boolean {
    const { length } = this;
    return line.length - from === length && sameBytes(this.#block, this.#from, viewOf(line), from, length) === length;
  }
}

/** Keeps texts as bytes: many small strings take three times as much, and take longer to collect. */
export class KeptTexts {
  #block = new Uint8Array(0);
  #view = viewOf(this.#block);
  #used = 0;
  /** How much memory was taken for all that was kept. */
  takenBytes = 0;

  keep(line: Uint8Array, from: number): KeptText {
    const length = line.length - from;
    if (this.#used + length > this.#block.length) {
      this.#block = new Uint8Array(Math.max(BLOCK_BYTES, length));
      this.#view = viewOf(this.#block);
      this.#used = 0;
      this.takenBytes += this.#block.length;
    }
    this.#block.set(line.subarray(from), this.#used);
    const kept = new KeptText(this.#view, this.#used, length);
    this.#used += length;
    return kept;
  }
}

/** The place behind a number that has this before it; undefined if something else stands there. */
export function behindNumber(lines: DataView, from: number, head: Uint8Array, number: number): number | undefined {
  let at = from + head.length;
  if (at >= lines.byteLength) return undefined;
  for (let place = 0; place < head.length; place++) if (lines.getUint8(from + place) !== head[place]) return undefined;
  const first = at;
  let found = 0;
  for (; at < lines.byteLength; at++) {
    const digit = lines.getUint8(at);
    if (digit < ZERO || digit > NINE) break;
    found = 10 * found + digit - ZERO;
  }
  // JSON has no number that begins with 0 but 0.
  const isPlain = at === first + 1 || (at > first && lines.getUint8(first) !== ZERO);
  return isPlain && found === number ? at : undefined;
}

import { isUtf8 } from 'node:buffer';
import { bytesAsHex } from '../../../model/raw-text.ts';
import { decodeBytes } from '../../../native/decode.ts';

/** A line, or a part of one that is long. */
export interface LinePart {
  readonly text: string;
  /** Whether the line begins and ends with this part. */
  readonly begins: boolean;
  readonly ends: boolean;
  /** The number of the line in the bytes, from 1 on. */
  readonly line: number;
}

/** A longer line comes in parts. */
export const LONGEST_PART = 64 * 1024;
const [LINE_FEED, RETURN, NUL] = [10, 13, 0];
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
/** Terminal drivers on the way double the return before a line feed. */
const MOST_RETURNS = 4;
/** As strings(1) does it. */
const SHORTEST_STRING = 4;

/**
 * Divides bytes into lines. Lines end with LF, CR LF, CR, or, as serial consoles send it, LF CR. Bytes that are not
 * UTF-8 are decoded as by decodeBytes, but where there are NULs, only what strings(1) would find is a line.
 */
export class Lines {
  #rest: Buffer = Buffer.alloc(0);
  #isFirst = true;
  /** Whether the next part begins a line. */
  #begins = true;
  #line = 1;
  /** Whether the last line ended with LF, so that a CR may still belong to its end. */
  #afterLineFeed = false;

  readonly #receive: (part: LinePart) => void;

  /** No generator: a log has millions of lines. */
  constructor(receive: (part: LinePart) => void) {
    this.#receive = receive;
  }

  take(chunk: Uint8Array): void {
    this.#divide(Buffer.concat([this.#rest, chunk]), false);
  }

  end(): void {
    this.#divide(this.#rest, true);
    if (this.#rest.length > 0 || !this.#begins) this.#parts(this.#rest, true);
  }

  #divide(input: Buffer, isLast: boolean): void {
    let bytes = input;
    if (this.#isFirst) {
      if (bytes.length < BYTE_ORDER_MARK.length && !isLast) {
        this.#rest = bytes;
        return;
      }
      if (bytes.indexOf(BYTE_ORDER_MARK) === 0) bytes = bytes.subarray(BYTE_ORDER_MARK.length);
      this.#isFirst = false;
    }
    let from = 0;
    let lineFeed = -1;
    let carriageReturn = -1;
    const next = (byte: number, known: number) => {
      if (known >= from) return known;
      const at = bytes.indexOf(byte, from);
      return at === -1 ? bytes.length : at;
    };
    for (;;) {
      if (this.#afterLineFeed && bytes[from] === RETURN) {
        if (from + 1 === bytes.length && !isLast) break;
        if (bytes[from + 1] !== LINE_FEED && bytes[from + 1] !== RETURN) from++;
      }
      if (from < bytes.length) this.#afterLineFeed = false;
      lineFeed = next(LINE_FEED, lineFeed);
      carriageReturn = next(RETURN, carriageReturn);
      const end = Math.min(lineFeed, carriageReturn);
      if (end === bytes.length) break;
      let after = end;
      while (bytes[after] === RETURN && after - end < MOST_RETURNS) after++;
      // What follows the returns decides whether they are one end or several.
      if (after === bytes.length && !isLast) break;
      const isLineFeed = bytes[after] === LINE_FEED;
      this.#parts(bytes.subarray(from, end), true);
      from = isLineFeed ? after + 1 : end + 1;
      this.#afterLineFeed = isLineFeed;
    }
    while (bytes.length - from > LONGEST_PART && carriageReturn >= bytes.length) {
      const to = from + wholeCharacters(bytes.subarray(from, from + LONGEST_PART));
      this.#parts(bytes.subarray(from, to), false);
      from = to;
    }
    // A copy: a view would keep the whole chunk.
    this.#rest = Buffer.from(bytes.subarray(from));
  }

  #parts(bytes: Buffer, ends: boolean): void {
    let at = 0;
    do {
      const isLong = bytes.length - at > LONGEST_PART;
      const length = isLong ? wholeCharacters(bytes.subarray(at, at + LONGEST_PART)) : bytes.length - at;
      const part = bytes.subarray(at, at + length);
      at += length;
      const isEnd = ends && at === bytes.length;
      if (part.includes(NUL)) {
        for (const text of stringsIn(part)) this.#receive({ text, begins: true, ends: true, line: this.#line });
        this.#begins = true;
      } else {
        this.#receive({ text: decodeBytes(part), begins: this.#begins, ends: isEnd, line: this.#line });
        this.#begins = isEnd;
      }
    } while (at < bytes.length);
    if (ends) this.#line++;
  }
}

/** Where to cut, so that no character is divided. */
function wholeCharacters(bytes: Buffer): number {
  let end = bytes.length;
  while (end > bytes.length - 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  if (((bytes[end - 1] ?? 0) & 0xc0) === 0xc0) return end - 1;
  return bytes.length;
}

/** The texts between NULs. Of what is not UTF-8, runs of ASCII. */
function* stringsIn(bytes: Buffer): Generator<string, void> {
  for (let at = 0; at < bytes.length; ) {
    // Whole blocks of a log that a crash has left are NULs.
    while (bytes[at] === NUL) at++;
    const nul = bytes.indexOf(NUL, at);
    const end = nul === -1 ? bytes.length : nul;
    if (end - at >= SHORTEST_STRING) {
      const piece = bytes.subarray(at, end);
      const text = isUtf8(piece) ? piece.toString('utf8') : piece.toString('latin1');
      for (const run of text.split(isUtf8(piece) ? CONTROL : NO_ASCII)) if (run.length >= SHORTEST_STRING) yield run;
    }
    at = end + 1;
  }
}

/** Without tab and escape, which begins a colour. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]+/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const NO_ASCII = /[^\t\x1b\x20-\x7e]+/;

/** The bytes that decodeBytes made a text from. */
export function encoded(text: string): Uint8Array {
  return text.isWellFormed() ? Buffer.from(text) : Buffer.from(bytesAsHex(text), 'hex');
}

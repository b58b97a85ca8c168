import { IGNORED, type Line } from '../line.ts';
import { isBrokenHeader } from './crash.ts';
import { isBroken } from './dmesg.ts';
import { isBrokenFrame } from './drgn.ts';
import { LINE_PARSERS } from './line-parsers.ts';
import { plainFrame } from './offsets.ts';
import { isBrokenRow } from './ps.ts';

/** The function in the next line is where a lock was taken, or is marked `?`. */
const PLACE_NEXT = /\bat:?(?: {1,4}\[<[0-9a-f]{8,16}>\])?\s{0,4}$/;
const DIGIT_FIRST = /^\d/;
const PID_LAST = /PID: \d{1,9}$/;
const ONLY_ADDRESS = /^\s{0,8}[0-9a-f]{8,16}\s{0,8}$/;
/** The rest of a frame of gdb(1). */
const FILE_FIRST = /^\s{1,20}at \S/;
const GUESS_NEXT = /^\s{0,8}(?:\[<[0-9a-f]{1,16}>\]\s{0,4})?\?\s{0,4}$/;

/** Recognizes lines, also where a mail program has broken one, or another line tells what one means. */
export class Recognizer {
  /** The beginning of a header that a mail program has broken. */
  #broken: string | undefined;
  #isPlaceNext = false;
  #isGuessNext = false;

  /** Whether the next line may belong to this one. */
  get isWaiting(): boolean {
    return this.#broken !== undefined;
  }

  /** Whether the next line may belong to a row of ps(1), where it may begin with a time. */
  get isInRow(): boolean {
    return this.#broken !== undefined && isBrokenRow(this.#broken);
  }

  /** Forgets what came before. */
  reset(): void {
    this.#broken = undefined;
  }

  /** Whether the function in this line is only the place where a lock was taken. */
  takePlace(): boolean {
    const isPlace = this.#isPlaceNext;
    this.#isPlaceNext = false;
    return isPlace;
  }

  take(text: string): Line | undefined {
    const known = this.#whole(text);
    const isPlaceNext = this.takePlace();
    const isGuessNext = this.#isGuessNext;
    this.#isGuessNext = false;
    if (known?.kind === 'frame' || known?.kind === 'guess') {
      if (isPlaceNext) return IGNORED;
      return isGuessNext ? { kind: 'guess', frame: known.frame } : known;
    }
    this.#isPlaceNext = PLACE_NEXT.test(text);
    this.#isGuessNext = GUESS_NEXT.test(text);
    return this.#isGuessNext ? IGNORED : known;
  }

  /** Recognizes a line, and a header together with the line before. */
  #whole(text: string): Line | undefined {
    const broken = this.#broken;
    this.#broken = undefined;
    if (broken !== undefined) {
      // Between two digits of a PID no blank was lost.
      const between = DIGIT_FIRST.test(text) && PID_LAST.test(broken) ? '' : ' ';
      const joined = recognize(`${broken.trimEnd()}${between}${text.trimStart()}`);
      if (joined !== undefined && (isHeader(joined) || (joined.kind === 'frame' && FILE_FIRST.test(text))))
        return joined;
      // Some kernels print it in three lines, with the address in the second one.
      if (ONLY_ADDRESS.test(text) && isBroken(`${broken.trimEnd()} ${text.trim()}`)) {
        this.#broken = `${broken.trimEnd()} ${text.trim()}`;
        return IGNORED;
      }
    }
    const known = recognize(text);
    const isCut = known?.kind === 'waits' && known.waiter.lock?.owner === undefined && !text.trimEnd().endsWith('.');
    const isHalf = known?.kind === 'hung' && known.header.blockedMs === undefined;
    const mayBeBroken = known === undefined || isCut || isHalf || known.kind === 'label';
    if (mayBeBroken && (isBroken(text) || isBrokenRow(text) || isBrokenHeader(text) || isBrokenFrame(text)))
      this.#broken = text;
    return isCut ? IGNORED : known;
  }
}

/** Whether a mail program may have broken this line. */
function isHeader(line: Line): boolean {
  if (line.kind === 'task' || line.kind === 'hung' || line.kind === 'waits') return true;
  return line.kind === 'label' && line.isList === true;
}

/** Recognizes a line without prefix; undefined if no format is known to have it. */
export function recognize(line: string): Line | undefined {
  const plain = plainFrame(line);
  if (plain !== undefined) return plain;
  for (const parse of LINE_PARSERS) {
    const known = parse(line);
    if (known !== undefined) return known;
  }
  return undefined;
}

import { recognize } from '../forms/recognizer.ts';
import type { Line } from '../line.ts';
import { cleaned } from './clean.ts';
import { bodyOf, unquoted } from './prefix.ts';

/** How a line of a log begins. */
const LOGGED =
  /^\s{0,4}(?:<\d{1,3}>)?(?:\[ {0,12}\d{1,12}\.\d|\[?\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d|\[?\d{4}-\d\d-\d\d[T ]\d\d:|\[?\w{3} \w{3} {1,2}\d{1,2} \d)/;
/** Mail programs break lines at 72 characters or a bit before, and others quote what they have broken. */
const LEAST_WIDTH = 58;
const LONGEST_PART = 160;
const MOST_PARTS = 4;
/** Of a terminal, until the text has shown another. */
const USUAL_WIDTH = 80;
/** What may be broken off behind a function. */
const TAIL = /^(?:\[[\w.-]{1,64}[^\]]{0,80}\]|\(.{1,200}\)|[\w./+@,~-]{1,200}\.[chS]:\d{1,7})\s{0,4}$/;
const WORD_LAST = /[\w+/.]$/;
const WORD_FIRST = /^[\w+/.]/;

/** Joins the lines of a log that a mail program has broken: only the first part of each begins as the others do. */
export class Wraps {
  #parts: string[] = [];
  #width = USUAL_WIDTH;

  /** The lines that are complete. */
  take(line: string): readonly string[] {
    if (line.length > LONGEST_PART) return [...this.end(), line];
    if (this.#parts.length > 0 && this.#parts.length < MOST_PARTS && this.#goesOn(line)) {
      this.#parts.push(line);
      return [];
    }
    const before = this.end();
    if (!LOGGED.test(line.startsWith('>') ? unquoted(line).text : line))
      return before.length === 0 ? [line] : [...before, line];
    this.#parts = [line];
    return before;
  }

  /** The lines that wait for the next one. */
  end(): readonly string[] {
    const parts = this.#parts;
    if (parts.length === 0) return parts;
    this.#parts = [];
    for (let count = parts.length; count > 1; count--) {
      const whole = this.#joined(parts.slice(0, count));
      if (whole !== undefined) return [whole, ...parts.slice(count)];
    }
    return parts;
  }

  /** Whether the last part had no place for the first word of this line, which does not begin as a log's. */
  #goesOn(line: string): boolean {
    const text = textOf(line);
    const last = textOf(this.#parts.at(-1) ?? '');
    // Quoted-printable breaks lines in its own way.
    if (text === '' || last.endsWith('=')) return false;
    // The kernel's own stamp stands behind that of the log daemon.
    if (LOGGED.test(text)) return text.startsWith('[') && last.endsWith('kernel:');
    const word = text.split(' ', 1)[0] ?? '';
    return last.length + 1 + word.length > LEAST_WIDTH;
  }

  /** The parts as one line, if that has a meaning that they do not have by themselves. */
  #joined(parts: readonly string[]): string | undefined {
    const [first = '', ...others] = parts;
    let whole = first.trimEnd();
    let isWithin = false;
    for (const [at, other] of others.entries()) {
      const last = rawOf(parts[at] ?? '');
      const text = rawOf(other);
      // Some programs break words.
      const isBroken = last.length === this.#width && WORD_LAST.test(last) && WORD_FIRST.test(text);
      if (last.length >= LEAST_WIDTH) this.#width = last.length;
      isWithin ||= isBroken;
      whole += isBroken ? text.trimEnd() : ` ${text.trim()}`;
    }
    const known = meaningOf(whole);
    if (known === undefined || known.kind === 'lines' || (known.kind === 'label' && known.isTitle)) return undefined;
    const alone = meaningOf(first);
    // A message of several lines.
    if (alone !== undefined && alone.kind !== 'ignored' && alone.kind !== known.kind) return undefined;
    if (isWithin || !isFrame(alone)) return whole;
    return TAIL.test(others.map(textOf).join(' ')) ? whole : undefined;
  }
}

function textOf(line: string): string {
  return rawOf(line).trim();
}

/** The line without the marks of a mail. */
function rawOf(line: string): string {
  return line.startsWith('>') ? unquoted(line).text.replace(/^ /, '') : line;
}

function meaningOf(line: string): Line | undefined {
  return recognize(bodyOf(cleaned(line, false)).text);
}

function isFrame(line: Line | undefined): boolean {
  return line?.kind === 'frame' || line?.kind === 'guess';
}

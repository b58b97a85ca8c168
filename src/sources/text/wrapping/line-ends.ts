import { cleaned } from './clean.ts';
import type { LinePart } from './lines.ts';
import type { LineReader } from './prefixed-lines.ts';

/**
 * What editors, pagers and tables show at the end of each line: `cat -A`, `cat -v`, escapes, the mark for a line that goes on,
 * borders, visible line ends.
 */
const MARK = /(?:(?:\^M)?\$|\^M|\\r(?:\\n)?|\\n|[\\|│┃║!*#~¶↵⏎¬,;])$/;
/** The last characters of these. */
const LAST = new Set([...'$\\|│┃║!*#~¶↵⏎¬,;'].map((mark) => mark.charCodeAt(0)));
const [BACKSLASH, CARET, M, N, R] = [92, 94, 77, 110, 114];
/** These end lines of programs too: only functions with offsets tell that they are marks. */
const OF_CODE = new Set([',', ';', '\\']);
const OFFSET_LAST =
  /\+(?:0x[0-9a-f]{1,8}(?:\/0x[0-9a-f]{1,8})?|\d{1,6})(?: \[[\w-]{1,64}\])?(?: \(.{1,200}\))?\)?\s{0,200}$/;
const NAME_LAST = /(?:[\w.]\)|\b[0-9a-f]{16}(?: \[[\w-]{1,64}\])?|(?:^|\s)[a-z_]\w{0,60}_\w{1,60})\s{0,200}$/;
const EMPTY = /^\s{0,40}[|│┃║!*#~]?$/;
const [LEAST_LINES, LEAST_FRAMES] = [3, 2];
const MOST_WAITING = 24;
/** So many lines without the mark are no longer of the same text. */
const MOST_WITHOUT = 2;
const LONGEST_LINE = 4096;
/** As `cat -v` shows a byte that is no ASCII. */
const META = /(?:M-(?:\^[@-_?]|[ -~]))+/g;
const META_BYTE = /M-(\^?)(.)/g;

/** Takes off what stands at the end of all lines of a text, or of a part of it: it is learned from frames. */
export class LineEnds implements LineReader {
  readonly #next: LineReader;
  #mark: string | undefined;
  #without = 0;
  /** Lines with a mark that is not known to be one. */
  #waiting: LinePart[] = [];
  #candidate = '';
  #frames = 0;

  constructor(next: LineReader) {
    this.#next = next;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  get isIdle(): boolean {
    return this.#mark === undefined && this.#waiting.length === 0;
  }

  take(part: LinePart): void {
    const { text } = part;
    // Nearly all lines.
    if (this.isIdle && !mayEndWithMark(text)) this.#next.take(part);
    else if (!part.begins || !part.ends || text.length > LONGEST_LINE || this.#next.isWithin) this.#pass(part);
    else if (this.#mark === undefined) this.#takeUnknown(part);
    else this.#takeMarked(part, this.#mark);
  }

  end(): void {
    this.#flush();
    this.#next.end();
  }

  #pass(part: LinePart): void {
    this.#flush();
    this.#next.take(part);
  }

  #flush(): void {
    for (const part of this.#waiting.splice(0)) this.#next.take(part);
    this.#frames = 0;
  }

  #takeMarked(part: LinePart, mark: string): void {
    const { text } = part;
    const end = text.trimEnd();
    if (end.endsWith(mark)) {
      this.#without = 0;
      this.#next.take({ ...part, text: withoutMark(end, mark) });
      return;
    }
    if (end !== '' && ++this.#without > MOST_WITHOUT) this.#mark = undefined;
    this.#next.take(part);
  }

  #takeUnknown(part: LinePart): void {
    const end = part.text.trimEnd();
    if (end === '' && this.#waiting.length > 0) {
      this.#wait(part);
      return;
    }
    const mark = mayEndWithMark(end) ? MARK.exec(end)?.[0] : undefined;
    if (mark === undefined) {
      this.#pass(part);
      return;
    }
    if (mark !== this.#candidate) this.#flush();
    this.#candidate = mark;
    this.#wait(part);
    const text = cleaned(end.slice(0, -mark.length), false);
    // The rows of a table of ps(1) have any words.
    if (text.includes('WCHAN')) this.#frames += LEAST_FRAMES;
    if (OFFSET_LAST.test(text) || (!OF_CODE.has(mark) && NAME_LAST.test(text))) this.#frames++;
    if (this.#frames < LEAST_FRAMES || this.#waiting.length < LEAST_LINES) return;
    this.#mark = mark;
    this.#without = 0;
    this.#frames = 0;
    for (const each of this.#waiting.splice(0)) this.#takeMarked(each, mark);
  }

  #wait(part: LinePart): void {
    this.#waiting.push(part);
    if (this.#waiting.length <= MOST_WAITING) return;
    const first = this.#waiting.shift();
    if (first !== undefined) this.#next.take(first);
  }
}

function withoutMark(end: string, mark: string): string {
  const text = end.slice(0, -mark.length).trimEnd();
  // A row of a table without anything in it.
  if (EMPTY.test(text)) return '';
  return mark.endsWith('$') ? withoutControls(text) : text;
}

/** The text that `cat -A` shows so. */
function withoutControls(text: string): string {
  const tabs = text.includes('^I') ? text.replaceAll('^I', '\t') : text;
  if (!tabs.includes('M-')) return tabs;
  return tabs.replaceAll(META, (shown) => {
    const bytes = [...shown.matchAll(META_BYTE)].map(([, control, letter = '']) => {
      const code = letter.charCodeAt(0);
      return 128 + (control === '' ? code : code ^ 64);
    });
    return Buffer.from(bytes).toString();
  });
}

/** Whether the last character may be a mark, or a part of one. */
export function mayEndWithMark(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  if (last === M) return text.charCodeAt(text.length - 2) === CARET;
  return last === N || last === R ? text.charCodeAt(text.length - 2) === BACKSLASH : LAST.has(last);
}

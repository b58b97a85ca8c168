import { recognize } from '../forms/recognizer.ts';
import type { LinePart } from './lines.ts';
import type { LineReader } from './prefixed-lines.ts';

/** What stands between two frames: a border or the mark of diff(1) for lines that differ, a tab, or blanks. */
const BETWEEN = String.raw`(\s{0,200}[│┃║|]\s{0,20}|\s{0,200}\t\s{0,20}| {2,200})`;
/** A frame with an offset, or what the border of a pane has left of it, and another one beside it. */
const TWO_FRAMES = new RegExp(
  String.raw`\+0x[0-9a-f]{0,8}(?:\/(?:0x?[0-9a-f]{0,8})?)?(?: \[[\w-]{0,64}\]?)?${BETWEEN}\S.{0,200}?\+0x[0-9a-f]`,
);
/** The same of crash(8) and drgn, with numbers. */
const TWO_NUMBERED = new RegExp(
  String.raw`(?: at [0-9a-f]{16}(?: \[[\w-]{1,64}\])?|\.[chS]:\d{1,6}(?::\d{1,4})?\)?)${BETWEEN}#\d{1,3}\s`,
);
/** A report in one line goes on with its frames. */
const REPORT = /\bCall [Tt]race: {1,8}[\w[<].{0,200}?\+0x/;
/** What may stand between two panes: blanks, borders, and the marks of diff(1) for what differs. */
const GAPS = /(?:[\s│┃║|]|(?<=\s)[<>()\\/](?=\s|$))+/g;
const BORDER = /[│┃║]/;
const WIDE = /\s{2}|[│┃║|]/;
/** A line of prose: it ends the stack before it. */
const DIVIDER = '(the pane beside it)';
const TAB_STOP = 8;
/** How far further in than others a line of the same pane begins. */
const MOST_INDENT = 8;
const LONGEST_LINE = 4096;
/** The lines before the first two frames side by side, which name the tasks. */
const MOST_WAITING = 32;
const LEAST_ALIKE = 2;
const MOST_PANES = 4;
const MOST_LINES = 20_000;
/** After so many lines without a right half, the right pane has ended. */
const MOST_ALONE = 200;
/** A tab is common in other lines: without frames behind so many, these are no panes. */
const MOST_FRAMELESS = 32;
const FRAME_SIGN = /\+0x|#\d/;

/** What divides the panes: blank columns from `from` to `to`, or a character. */
type Layout = Columns | { readonly delimiter: string };

interface Columns {
  readonly from: number;
  readonly to: number;
  /** The right pane begins behind this column. */
  readonly least: number;
}

/** A line with two frames, and what stands between them, and where. */
interface Double {
  readonly line: number;
  readonly text: string;
  readonly gap: string;
  readonly at: number;
}

/** A line of two panes. */
interface Halves {
  readonly left: string;
  readonly right: string;
  readonly layout: Layout;
}

/**
 * Tells texts apart that stand side by side, as pr(1), paste(1), `diff -y` and terminals with several panes show them:
 * by frames that stand beside frames. The right one is read behind the left one.
 */
export class Panes implements LineReader {
  readonly #next: LineReader;
  readonly #unread: (line: number, why: string) => void;
  readonly #depth: number;
  /** The latest lines: panes may have begun in them. */
  #waiting: LinePart[] = [];
  #layout: Layout | undefined;
  #right: LinePart[] = [];
  #alone = 0;
  /** So many lines in turn have no frame in the right half. */
  #frameless = 0;
  /** Both panes are the same so far, as diff(1) shows it. */
  #isTwice = true;
  /** The latest lines with two frames. */
  #doubles: (Double & { readonly age: number })[] = [];
  #age = 0;

  /** `unread` learns what was not read, and in which line. */
  constructor(next: LineReader, unread: (line: number, why: string) => void, depth = 1) {
    this.#next = next;
    this.#unread = unread;
    this.#depth = depth;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  take(part: LinePart): void {
    if (this.#layout !== undefined) this.#takeDivided(part, this.#layout);
    else this.#takeUndivided(part);
  }

  end(): void {
    this.#close();
    this.#next.end();
  }

  #close(): void {
    this.#endPanes();
    this.#flush();
  }

  #takeUndivided(part: LinePart): void {
    this.#age++;
    this.#waiting.push(part);
    if (this.#waiting.length > MOST_WAITING) {
      const first = this.#waiting.shift();
      if (first !== undefined) this.#next.take(first);
    }
    const at = part.text.indexOf('+0x');
    // Nearly all lines.
    if ((at === -1 && !part.text.includes('#')) || part.text.length > LONGEST_LINE) return;
    const double = doubleIn(part, at === -1 || part.text.indexOf('+0x', at + 3) === -1);
    if (double !== undefined) this.#takeDouble(double);
    else if (at !== -1 && BORDER.test(part.text)) {
      const border = borderIn(this.#waiting.map(({ text }) => text));
      if (border !== undefined) this.#divide(border);
    }
  }

  #takeDouble(double: Double): void {
    const age = this.#age;
    this.#tellUnread(this.#doubles.filter((each) => age - each.age >= MOST_WAITING));
    this.#doubles = [...this.#doubles.filter((each) => age - each.age < MOST_WAITING), { ...double, age }];
    const layout = this.#doubles.length < LEAST_ALIKE ? undefined : layoutOf(this.#doubles);
    if (layout === undefined) return;
    this.#doubles = [];
    this.#divide(layout);
  }

  /** A frame beside another one, in a line that stands alone, is not read. */
  #tellUnread(doubles: readonly Double[]): void {
    for (const { text, line } of doubles)
      if (recognize(text)?.kind === 'frame')
        this.#unread(line, 'two frames stand side by side: the second one was not read');
  }

  #flush(): void {
    for (const part of this.#waiting.splice(0)) this.#next.take(part);
    this.#tellUnread(this.#doubles.splice(0));
  }

  /** Divides the lines that wait, as far back as panes may have begun. */
  #divide(layout: Layout): void {
    let from = this.#waiting.length;
    let common = layout;
    for (let at = from - 1; at >= 0; at--) {
      const halves = halvesOf(this.#waiting[at]?.text ?? '', common);
      if (halves === undefined) break;
      common = halves.layout;
      from = at;
    }
    const lines = this.#waiting.splice(from);
    // These are read in a moment.
    const divided = new Set(lines.map(({ line }) => line));
    this.#doubles = this.#doubles.filter(({ line }) => !divided.has(line));
    this.#flush();
    this.#layout = common;
    for (const line of lines) this.take(line);
  }

  #takeDivided(part: LinePart, layout: Layout): void {
    const { text } = part;
    const halves = text.length > LONGEST_LINE ? undefined : halvesOf(text, layout);
    const isOver = this.#right.length > MOST_LINES || this.#alone > MOST_ALONE || this.#frameless > MOST_FRAMELESS;
    if (halves === undefined || isOver) {
      this.#endPanes();
      this.#takeUndivided(part);
      return;
    }
    this.#layout = halves.layout;
    this.#alone = halves.right === '' ? this.#alone + 1 : 0;
    this.#frameless = 'delimiter' in layout && !FRAME_SIGN.test(halves.right) ? this.#frameless + 1 : 0;
    this.#isTwice &&= text.includes('\t') && halves.left.trim() === halves.right.trim();
    this.#next.take({ ...part, text: halves.left });
    this.#right.push({ ...part, text: halves.right });
  }

  #endPanes(): void {
    if (this.#isTwice) this.#right = [];
    const [first] = this.#right;
    this.#layout = undefined;
    this.#alone = 0;
    this.#frameless = 0;
    this.#isTwice = true;
    if (first === undefined) return;
    this.#next.take({ ...first, text: DIVIDER });
    // There may be more than two.
    const others = this.#depth < MOST_PANES ? new Panes(this.#next, this.#unread, this.#depth + 1) : undefined;
    for (const part of this.#right.splice(0)) (others ?? this.#next).take(part);
    if (others !== undefined) others.#close();
    this.#next.take({ ...first, text: DIVIDER });
  }
}

/** Two frames in a line; `isNumbered`: they have no offsets. */
function doubleIn({ text, line }: LinePart, isNumbered: boolean): Double | undefined {
  const found = (isNumbered ? TWO_NUMBERED : TWO_FRAMES).exec(text);
  const [before, gap] = found ?? [];
  if (found === null || before === undefined || gap === undefined || isOneLine(text)) return undefined;
  return { line, text, gap, at: found.index + before.indexOf(gap) };
}

/** Whether this is a whole report in one line. */
function isOneLine(text: string): boolean {
  return text.split('+0x').length > MOST_PANES + 1 || REPORT.test(text);
}

/** The layout of panes with a border, where frames stand on both sides of it, but not in the same lines. */
function borderIn(lines: readonly string[]): Layout | undefined {
  const columns = new Map<number, { left: number; right: number }>();
  for (const text of lines) {
    const at = text.search(BORDER);
    if (at <= 0 || text.slice(0, at).trim() === '') continue;
    const sides = columns.get(at) ?? { left: 0, right: 0 };
    columns.set(at, sides);
    if (text.slice(0, at).includes('+0x')) sides.left++;
    if (text.slice(at).includes('+0x')) sides.right++;
    if (sides.left >= LEAST_ALIKE && sides.right >= LEAST_ALIKE) return { from: at, to: at + 1, least: at };
  }
  return undefined;
}

/** What divides these lines, each of which has two frames; undefined if the second ones stand beside each other by chance. */
function layoutOf(lines: readonly Double[]): Layout | undefined {
  if (lines.every(({ gap }) => gap.trimEnd() === '' && gap.replaceAll(' ', '') === '\t' && gap.startsWith('\t')))
    return { delimiter: '\t' };
  let columns: Columns = { from: 0, to: LONGEST_LINE, least: 0 };
  for (const { text, gap, at } of lines) {
    const from = widthOf(text.slice(0, at));
    const to = widthOf(text.slice(0, at + gap.length));
    const least = Math.min(columns.to, to);
    columns = { from: Math.max(columns.from, from), to: least, least: least - MOST_INDENT };
    if (columns.from >= columns.to) return delimitedBy(lines);
  }
  return columns;
}

/** paste(1) puts a character between lines of any length. */
function delimitedBy(lines: readonly Double[]): Layout | undefined {
  const delimiters = new Set(lines.map(({ gap }) => gap.replaceAll(' ', '')));
  const [delimiter] = delimiters;
  return delimiters.size === 1 && (delimiter === '\t' || delimiter === '|') ? { delimiter } : undefined;
}

function halvesOf(written: string, layout: Layout): Halves | undefined {
  if ('delimiter' in layout) {
    const at = written.indexOf(layout.delimiter);
    // Editors take off what is at the end.
    if (at === -1) return { left: written, right: '', layout };
    return { left: written.slice(0, at), right: written.slice(at + 1), layout };
  }
  const text = expanded(written).trimEnd();
  const { from, to, least } = layout;
  const gap = gapBefore(text, layout, written.includes('\t'));
  if (gap === undefined) return text.length <= to ? { left: text, right: '', layout } : undefined;
  const left = text.slice(0, gap.from);
  return {
    left,
    right: ' '.repeat(Math.min(Math.max(gap.to - to, 0), MOST_INDENT)) + text.slice(gap.to),
    layout: { from: Math.max(from, gap.from), to: Math.min(to, gap.to), least },
  };
}

/** What stands before the right pane; undefined if nothing does. */
function gapBefore(text: string, { from, to, least }: Columns, hasTabs: boolean) {
  let last: { readonly from: number; readonly to: number } | undefined;
  for (const { index, 0: gap } of text.matchAll(GAPS)) {
    if (index >= to) break;
    const end = index + gap.length;
    if (end > Math.max(from, least) && (hasTabs || WIDE.test(gap))) last = { from: index, to: end };
  }
  return last;
}

function widthOf(text: string): number {
  return text.includes('\t') ? expanded(text).length : text.length;
}

function expanded(text: string): string {
  if (!text.includes('\t')) return text;
  let line = '';
  for (const character of text)
    line += character === '\t' ? ' '.repeat(TAB_STOP - (line.length % TAB_STOP)) : character;
  return line;
}

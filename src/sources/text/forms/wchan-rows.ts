import { type Header, headerOf, type Line } from '../line.ts';
import { commOf, longRow } from './ps.ts';

const LONGEST = 400;
const NUMBER = /^\d{1,10}$/;
const STATE = /^[RSDTtXZIP][<NLsl+]{0,5}$/;
const NAME = /^[A-Za-z_]\w{1,127}$/;
/** A narrow column may mark what it cuts off. */
const CUT_NAME = /^[A-Za-z_]\w{1,127}\+?$/;
/** Columns of ps(1) that tell nothing of a wait: times, percentages, priorities, terminals, flags. */
const COLUMN = /^(?:[\d.,:+-]{1,24}%?|\?|-|pts\/\d{1,4}|tty\w{1,8}|0x[0-9a-f]{1,16})$/;
/** `/proc/7/wchan:ep_poll` */
const GREPPED =
  /^\s{0,8}\/?proc\/(?:(\d{1,10})\/task\/)?(\d{1,10})\/wchan(?:[:-]\d{1,4})?[:-]\s{0,4}(\w{1,128})\s{0,4}$/;
const ASKED = /\bcat \/proc\/(?:(\d{1,10})\/task\/)?(\d{1,10})\/wchan(?:$|[\s;&])/;
const SHORTEST = 6;
/** In a row there may be one word before the PID, the user or the name. */
const MOST_WORDS_BEFORE = 1;
export type Row = Line & { readonly kind: 'row' };

/** ps(1) leaves out the underscores that a name begins with. */
const BEFORE = ['', '_', '__', '___'];
/** What the narrowest column of ps(1) leaves of a name. */
const SHORTEST_CUT = 6;

function isKnown(name: string, known: ReadonlySet<string>): boolean {
  return BEFORE.some((before) => known.has(before + name));
}

/** Names in order, for each list of them: a name that is cut off stands before those that it may be. */
const sorted = new WeakMap<ReadonlySet<string>, readonly string[]>();

function isBeginning(name: string, known: ReadonlySet<string>): boolean {
  const names = sorted.get(known) ?? [...known].sort();
  sorted.set(known, names);
  return BEFORE.some((before) => {
    const beginning = before + name;
    let [from, to] = [0, names.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((names[middle] ?? '') < beginning) from = middle + 1;
      else to = middle;
    }
    return names[from]?.startsWith(beginning) === true;
  });
}

/** Whether a column of wait channels has this word: a function, perhaps cut off. */
function isWchan(word: string, known: ReadonlySet<string>): boolean {
  if (!word.includes('_') || !CUT_NAME.test(word)) return false;
  const name = word.replace(/\+$/, '');
  return isKnown(name, known) || (name.length >= SHORTEST_CUT && isBeginning(name, known));
}

/** In which columns a row has what it tells. */
interface Layout {
  readonly numberAt: number;
  readonly stateAt: number;
  /** If the command stands behind all that; else the wait channel is the last word. */
  readonly isNamedLast: boolean;
  readonly wchanAt: number;
}

/**
 * A row for a task whose only known function is that in which it waits, without the titles of a table: ps(1) behind
 * grep(1), /proc/PID/wchan behind a number, the wait channels in Android's bugreports. To be told from a sentence, the
 * function must be in `known`, or be what a narrow column leaves of one.
 */
export function wchanRow(line: string, known: ReadonlySet<string>): Row | undefined {
  if (line.length > LONGEST || !/\d/.test(line)) return undefined;
  if (line.includes('/wchan')) return grepped(line);
  const long = longRow(line);
  if (long !== undefined) return long;
  const words = line.trim().split(/\s+/);
  const layout = layoutOf(words, known);
  if (layout === undefined) return undefined;
  const { numberAt, wchanAt, stateAt } = layout;
  const [first = '', second = ''] = words;
  const tid = words[numberAt]?.replace(/:$/, '');
  const wchan = words[wchanAt] ?? '';
  // `812 ep_poll`. A smaller number may be that of a frame.
  if (words.length === 2) return /^\d{3}/.test(first) ? { kind: 'row', header: headerOf({ tid }), wchan } : undefined;
  // `7 archiver ep_poll`
  if (stateAt === -1)
    return words.length === 3 && wchanAt === 2 ? rowOf({ tid, name: commOf(second) }, wchan) : undefined;
  // `root 12 I rcu_gp`: what may be a part of a function is the name.
  if (!layout.isNamedLast && numberAt > 0 && !isKnown(wchan, known)) return undefined;
  return rowBy(layout, words);
}

function layoutOf(words: readonly string[], known: ReadonlySet<string>): Layout | undefined {
  const numberAt = numberIn(words);
  if (numberAt === -1) return undefined;
  const stateAt = words.findIndex((word) => STATE.test(word));
  const wchanAt = words.findIndex((word) =>
    stateAt === -1 ? word.includes('_') && isKnown(word, known) : isWchan(word, known),
  );
  if (wchanAt <= numberAt) return undefined;
  return { numberAt, stateAt, wchanAt, isNamedLast: words.length > Math.max(wchanAt, stateAt) + 1 };
}

function numberIn([first = '', second = '']: readonly string[]): number {
  return [first, second].findIndex((word) => NUMBER.test(word.replace(/:$/, '')));
}

/** The row in words that have this layout; undefined if they have another one. */
function rowBy({ numberAt, stateAt, wchanAt, isNamedLast }: Layout, words: readonly string[]): Row | undefined {
  const last = Math.max(wchanAt, stateAt);
  const tid = words[numberAt]?.replace(/:$/, '') ?? '';
  const [state = '', wchan = ''] = [words[stateAt], words[wchanAt]];
  if (!NUMBER.test(tid) || !STATE.test(state) || isNamedLast !== words.length > last + 1) return undefined;
  const others = words.flatMap((word, at) =>
    at >= last || at === numberAt || at === wchanAt || at === stateAt || COLUMN.test(word) ? [] : [at],
  );
  const [from = 0] = others;
  // Names have blanks, and columns before the last one have none.
  const isName = !isNamedLast && from > stateAt && others.every((at, index) => at === from + index);
  if (others.length > MOST_WORDS_BEFORE && !isName) return undefined;
  const named = isName ? others.map((at) => words[at]).join(' ') : words[from];
  const name = isNamedLast ? commOf(words.slice(last + 1).join(' ')) : others.length === 0 ? undefined : named;
  return name === undefined ? undefined : rowOf({ tid, name, state: state[0] }, wchan);
}

function rowOf(parts: Parameters<typeof headerOf>[0], wchan: string): Row {
  return { kind: 'row', header: headerOf(parts), wchan };
}

function grepped(line: string): Row | undefined {
  const [, pid, tid, wchan = ''] = GREPPED.exec(line) ?? [];
  if (tid === undefined) return undefined;
  return NAME.test(wchan) ? { kind: 'row', header: headerOf({ tid, pid }), wchan } : undefined;
}

/** The task whose wchan the next line is, if this one is the command for it: `cat /proc/7/wchan`. */
export function wchanAsked(line: string): Header | undefined {
  if (line.length > LONGEST || !line.includes('/wchan') || line.includes('/stack')) return undefined;
  const [, pid, tid] = ASKED.exec(line) ?? [];
  return tid === undefined ? undefined : headerOf({ tid, pid });
}

/** The function that a line begins with. The file has no line end, so that the next prompt may follow at once. */
export function wchanAnswer(line: string, known: ReadonlySet<string>): string | undefined {
  const word = /^\w{1,128}/.exec(line)?.[0] ?? '';
  for (let length = word.length; length >= SHORTEST; length--)
    if (known.has(word.slice(0, length))) return word.slice(0, length);
  return undefined;
}

/** Reads rows of a table without titles, and what `cat /proc/PID/wchan` answers. */
export class LoneRows {
  readonly #known: ReadonlySet<string>;
  /** The task whose wait channel was asked for in the line before. */
  #asked: Header | undefined;
  /** The columns of the table, from a row whose function is known. */
  #layout: Layout | undefined;
  /** The lines right before that may be rows of the same table. */
  #before: (readonly string[])[] = [];
  /** Those of them that turned out to be. The caller empties the list. */
  readonly earlier: Row[] = [];

  constructor(known: ReadonlySet<string>) {
    this.#known = known;
  }

  /** The row in the next line. */
  from(text: string): Row | undefined {
    const asked = this.#asked;
    this.#asked = wchanAsked(text);
    const answer = asked === undefined ? undefined : wchanAnswer(text, this.#known);
    if (asked !== undefined && answer !== undefined) return { kind: 'row', header: asked, wchan: answer };
    if (text.length > LONGEST || !/\d/.test(text)) {
      this.reset();
      return undefined;
    }
    const words = text.trim().split(/\s+/);
    const row = wchanRow(text, this.#known);
    return row === undefined ? this.#alike(words) : this.#ofTable(row, words);
  }

  /** What follows is another table. */
  reset(): void {
    this.#layout = undefined;
    this.#before = [];
  }

  /** A row as those around it: of a function that nobody knows, or of none. */
  #alike(words: readonly string[]): Row | undefined {
    const row = this.#layout === undefined ? undefined : rowOfAny(this.#layout, words);
    if (row !== undefined) return row;
    this.#layout = undefined;
    if (numberIn(words) === -1 || !words.some((word) => STATE.test(word))) this.#before = [];
    else if (this.#before.length < MOST_BEFORE) this.#before.push(words);
    return undefined;
  }

  #ofTable(row: Row, words: readonly string[]): Row {
    const known = layoutOf(words, this.#known);
    const layout = known !== undefined && rowBy(known, words)?.wchan === row.wchan ? known : undefined;
    this.#layout = layout;
    for (const before of this.#before.splice(0)) {
      const earlier = layout === undefined ? undefined : rowOfAny(layout, before);
      if (earlier !== undefined) this.earlier.push(earlier);
    }
    return row;
  }
}

/** Rows before the first whose function is known. */
const MOST_BEFORE = 256;
/** See ps.ts. */
const NO_WCHAN = /^[-0?*]$/;

function rowOfAny(layout: Layout, words: readonly string[]): Row | undefined {
  const isLast = !layout.isNamedLast && layout.wchanAt > layout.stateAt;
  const wchanAt = isLast ? words.length - 1 : layout.wchanAt;
  const wchan = words[wchanAt] ?? '';
  if (!NO_WCHAN.test(wchan) && !CUT_NAME.test(wchan)) return undefined;
  const row = rowBy({ ...layout, wchanAt }, words);
  return row !== undefined && NO_WCHAN.test(wchan) ? { ...row, wchan: undefined } : row;
}

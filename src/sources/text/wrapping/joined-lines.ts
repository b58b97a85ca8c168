import type { LinePart } from './lines.ts';
import { firstCode } from './literals.ts';
import type { LineReader } from './prefixed-lines.ts';

/** A string in YAML, an item or behind a key: what stands before it, and its quote. */
const STRING = /^(\s{0,80}(?:- ){0,4}(?:[\w.@/-]{1,64}: )?)(["'])/;
/** A row of a table in HTML, each cell in a line of its own. */
const ROW = /^\s{0,40}<tr(?:\s[^<>]{0,200})?>\s{0,8}$/i;
const ROW_END = /<\/tr>\s{0,8}$/i;
const MOST_ROW_LINES = 40;
const MOST_STRING_LINES = 400;
const LONGEST = 64 * 1024;
const [BLANK, TAB, DASH, LESS] = [32, 9, 45, 60];
const [DOUBLE, SINGLE] = [34, 39];
const [LEAST_LETTER, LAST_LETTER] = [97, 122];

interface Open {
  readonly parts: LinePart[];
  length: number;
  /** The quote, a row, or an item. */
  readonly kind: '"' | "'" | 'row' | 'item';
  readonly indent: number;
}

/** An item of a list in YAML whose text is in the next line. */
const ITEM = /^\s{0,80}- [|>][+-]?\s{0,4}$/;

/** Joins lines that are one: strings that YAML has folded, and rows of HTML with a cell a line. */
export class JoinedLines implements LineReader {
  readonly #next: LineReader;
  #open: Open | undefined;

  constructor(next: LineReader) {
    this.#next = next;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  get isIdle(): boolean {
    return this.#open === undefined;
  }

  take(part: LinePart): void {
    const open = this.#open;
    if (open !== undefined && this.#goOn(open, part)) return;
    if (part.begins && part.ends && mayBegin(part.text) && !this.#next.isWithin) this.#open = opened(part);
    if (this.#open === undefined) this.#next.take(part);
  }

  end(): void {
    this.#release();
    this.#next.end();
  }

  #release(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const [, text, ...others] = open.parts;
    // Of an item with several lines, these are a text of their own.
    const parts = open.kind === 'item' && text !== undefined && others.length === 0 ? [text] : open.parts;
    for (const part of parts) this.#next.take(part);
  }

  /** Takes a line that belongs to what has begun; false, and nothing has, if it does not. */
  #goOn(open: Open, part: LinePart): boolean {
    const { text } = part;
    const most = open.kind === 'row' ? MOST_ROW_LINES : MOST_STRING_LINES;
    open.length += text.length;
    const isPart = open.kind === 'row' ? text.includes('<') : text.trim() === '' || indentOf(text) > open.indent;
    if (!part.begins || !part.ends || !isPart || open.parts.length >= most || open.length > LONGEST) {
      this.#release();
      return false;
    }
    open.parts.push(part);
    if (open.kind === 'item' || !(open.kind === 'row' ? ROW_END.test(text) : isClosed(text, open.kind))) return true;
    this.#open = undefined;
    const texts = open.parts.map((each) => each.text);
    const joined = open.kind === 'row' ? texts.map((each) => each.trim()).join('') : folded(texts, open.kind);
    this.#next.take({ ...part, text: joined });
    return true;
  }
}

/** Most lines of a log begin with a time, and keys with a small letter. */
function mayBegin(text: string): boolean {
  const code = text.charCodeAt(0);
  if (code >= LEAST_LETTER && code <= LAST_LETTER) return hasQuotedValue(text);
  const first = code === BLANK || code === TAB ? firstCode(text) : code;
  return first === DASH || first === LESS || isQuote(first) || (first !== code && hasQuotedValue(text));
}

function hasQuotedValue(text: string): boolean {
  const after = text.indexOf(':') + 1;
  return text.charCodeAt(after) === BLANK && isQuote(text.charCodeAt(after + 1));
}

function isQuote(code: number): boolean {
  return code === DOUBLE || code === SINGLE;
}

function opened(part: LinePart): Open | undefined {
  const { text } = part;
  if (ITEM.test(text)) return { parts: [part], length: text.length, kind: 'item', indent: indentOf(text) };
  if (text.includes('<tr') || text.includes('<TR'))
    return ROW.test(text) ? { parts: [part], length: text.length, kind: 'row', indent: 0 } : undefined;
  const [head, before = '', quote] = STRING.exec(text) ?? [];
  if (head === undefined || (quote !== '"' && quote !== "'") || isClosed(text.slice(head.length - 1), quote, true))
    return undefined;
  const isItem = before.includes('- ');
  return { parts: [part], length: text.length, kind: quote, indent: isItem ? indentOf(text) : before.search(/\S|$/) };
}

function indentOf(text: string): number {
  return text.search(/\S|$/);
}

const ESCAPED = /\\./g;

/** Whether the string ends in this line. `isWhole`: it begins there too. */
function isClosed(text: string, quote: '"' | "'", isWhole = false): boolean {
  const plain = quote === '"' ? text.replaceAll(ESCAPED, '') : text.replaceAll("''", '');
  const from = isWhole ? 1 : 0;
  return plain.indexOf(quote, from) !== -1;
}

/** The string in one line, in double quotes, as YAML 1.2 folds it (6.5). */
function folded(lines: readonly string[], quote: '"' | "'"): string {
  const [first = '', ...others] = lines;
  const [head = '', before = ''] = STRING.exec(first) ?? [];
  let text = first.slice(head.length).trimEnd();
  let empty = 0;
  for (const other of others) {
    const line = other.trim();
    if (line === '') {
      empty++;
      continue;
    }
    const goesOn = quote === '"' && /(?:^|[^\\])(?:\\\\)*\\$/.test(text);
    if (goesOn) text = text.slice(0, -1) + line;
    else text += (empty === 0 ? ' ' : '\\n'.repeat(empty)) + line;
    empty = 0;
  }
  if (quote === '"') return `${before}"${text}`;
  const inner = text.slice(0, text.lastIndexOf("'")).replaceAll("''", "'").replaceAll('"', '\\"');
  return `${before}"${inner}"`;
}

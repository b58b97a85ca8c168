import type { LinePart } from './lines.ts';
import type { LineReader } from './prefixed-lines.ts';

/** Microsoft's Rich Text Format, 1.9.1: a group, control words and symbols, the bytes of a character, text. */
const TOKEN = /([{}])|\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\(.)|([^\\{}]+)|\\$/gis;
const BEGIN = '{\\rtf';
/** Groups whose text is not of the document. */
const DESTINATIONS: ReadonlySet<string> = new Set(
  'fonttbl colortbl stylesheet info pict header footer footnote object themedata listtable rsidtbl'.split(' '),
);
const CHARACTERS: ReadonlyMap<string, string> = new Map([
  ['tab', '\t'],
  ['cell', '\t'],
  ['lquote', "'"],
  ['rquote', "'"],
  ['ldblquote', '"'],
  ['rdblquote', '"'],
  ['endash', '-'],
  ['emdash', '-'],
  ['bullet', '*'],
]);
const ENDS: ReadonlySet<string> = new Set(['par', 'line', 'row', 'sect', 'page']);
const MOST_GROUPS = 10_000;
const LONGEST_LINE = 64 * 1024;
/** Codes below this one are control characters. */
const FIRST_PRINTED = 32;

interface Group {
  readonly isText: boolean;
  /** How many characters stand for one of Unicode, for programs without it. */
  substitutes: number;
}

/** Takes the text out of a document in RTF, as word processors and mail programs keep what is pasted into them. */
export class RichText implements LineReader {
  readonly #next: LineReader;
  #groups: Group[] = [];
  #text = '';
  /** So many characters are those for programs without Unicode. */
  #skipped = 0;
  /** The latest part of the document. */
  #part: LinePart | undefined;

  constructor(next: LineReader) {
    this.#next = next;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  take(part: LinePart): void {
    if (this.#groups.length === 0 && !(part.begins && part.text.startsWith(BEGIN))) this.#next.take(part);
    else this.#read(part);
  }

  end(): void {
    // The document may be cut off.
    if (this.#text !== '') this.#endLine();
    this.#next.end();
  }

  #read(part: LinePart): void {
    this.#part = part;
    for (const token of part.text.matchAll(TOKEN)) {
      const [whole, brace, word, number, byte, symbol, text] = token;
      if (brace === '{') this.#open();
      else if (brace === '}') this.#close();
      else if (word !== undefined) this.#word(word, number);
      else if (byte !== undefined) this.#add(String.fromCharCode(Number.parseInt(byte, 16)));
      else if (symbol !== undefined) this.#symbol(symbol);
      else if (text !== undefined) this.#add(text);
      else if (whole === '\\') this.#endLine();
      // Behind the last brace there may be another text.
      if (this.#groups.length > 0) continue;
      const rest = part.text.slice(token.index + whole.length);
      if (rest.trim() !== '') this.#next.take({ ...part, text: rest });
      return;
    }
  }

  #open(): void {
    this.#skipped = 0;
    const group = this.#groups.at(-1);
    if (this.#groups.length < MOST_GROUPS)
      this.#groups.push({ isText: group?.isText ?? true, substitutes: group?.substitutes ?? 1 });
  }

  #close(): void {
    this.#skipped = 0;
    this.#groups.pop();
    if (this.#groups.length === 0 && this.#text !== '') this.#endLine();
  }

  #word(word: string, number: string | undefined): void {
    const group = this.#groups.at(-1);
    const character = CHARACTERS.get(word);
    if (DESTINATIONS.has(word)) this.#hide();
    else if (ENDS.has(word) && group?.isText) this.#endLine();
    else if (character !== undefined) this.#add(character);
    else if (word === 'uc' && group !== undefined) group.substitutes = Number(number ?? 1);
    else if (word === 'u') {
      this.#skipped = 0;
      this.#add(String.fromCharCode(Number(number ?? 0) & 0xffff));
      this.#skipped = group?.substitutes ?? 1;
    }
  }

  #symbol(symbol: string): void {
    if (symbol === '*') this.#hide();
    else if (symbol === '~') this.#add(' ');
    else if (symbol === '_') this.#add('-');
    else if ('{}\\'.includes(symbol)) this.#add(symbol);
  }

  #hide(): void {
    const group = this.#groups.pop();
    if (group !== undefined) this.#groups.push({ ...group, isText: false });
  }

  #add(text: string): void {
    if (this.#groups.at(-1)?.isText !== true) return;
    const shown = this.#skipped > 0 ? text.slice(this.#skipped) : text;
    this.#skipped = Math.max(0, this.#skipped - text.length);
    if (this.#text.length + shown.length > LONGEST_LINE) this.#endLine();
    this.#text += shown.length === 1 && shown.charCodeAt(0) < FIRST_PRINTED && shown !== '\t' ? '' : shown;
  }

  #endLine(): void {
    const text = this.#text;
    this.#text = '';
    this.#skipped = 0;
    if (this.#part !== undefined) this.#next.take({ ...this.#part, begins: true, ends: true, text });
  }
}

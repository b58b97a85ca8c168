import { LONGEST_VALUE } from '../own/fields.ts';

/** The members of an object, as far as they are known. */
export type Members = ReadonlyMap<string, unknown>;

/** What is in a JSON text. An object in an array of the outermost object, or of an outermost array, is an element. */
export interface JsonReceiver {
  /** `name` is of the member that holds the array; empty for an outermost array. `head` has the members before it. */
  element(name: string, value: unknown, head: Members): void;
  /** A value of the member is too long to be read, and so is left out. */
  tooLong(name: string): void;
}

const MOST_MEMBERS = 1000;
/** Of all values that are members together. */
const MOST_LENGTH = 2 * LONGEST_VALUE;

/** What comes next. */
type Expected =
  | 'text'
  | 'member-or-end'
  | 'member'
  | 'colon'
  | 'value'
  | 'comma-or-end'
  | 'first-element'
  | 'element'
  | 'element-comma-or-end';

const BLANK = /\s/;

/**
 * Reads one JSON text as a stream, in memory for its largest element. It may be laid out in any way, over any number of
 * lines, but a text that is one line and small is read more quickly by JSON.parse.
 */
export class JsonText {
  readonly #receiver: JsonReceiver;
  readonly #members = new Map<string, unknown>();
  #expected: Expected = 'text';
  /** The member that is being read. */
  #name = '';
  #isArray = false;
  /** Of the values that are members. */
  #length = 0;
  readonly #value = new ValueText();
  #inValue: 'key' | 'member' | 'element' | undefined;
  /** An array as the value of a member, before it is known whether it holds elements. */
  #opening = false;
  /** Whether the text is complete. */
  isAtEnd = false;

  constructor(receiver: JsonReceiver) {
    this.#receiver = receiver;
  }

  /**
   * Takes the next part of the text. Returns how much of it was taken: less than all if the text ends in it, undefined
   * if it is not JSON.
   */
  take(text: string): number | undefined {
    let at = 0;
    while (at < text.length) {
      if (this.#inValue !== undefined) {
        at = this.#value.take(text, at);
        if (!this.#value.isWhole) return text.length;
        if (!this.#valueEnds()) return undefined;
        continue;
      }
      const whole = this.#wholeElement(text, at);
      if (whole !== undefined) {
        at = whole;
        continue;
      }
      const character = text.charAt(at);
      if (BLANK.test(character)) {
        at++;
        continue;
      }
      const step = this.#step(character);
      if (step === undefined) return undefined;
      at += step;
      if (this.isAtEnd) return at;
    }
    return at;
  }

  /** The members of an outermost object, as far as they were read, without those that hold elements. */
  get members(): Members {
    return this.#members;
  }

  /** A line ends. Returns false if the text is not JSON: no string goes over the end of a line. */
  endLine(): boolean {
    if (this.#inValue === undefined) return true;
    if (!this.#value.endLine()) return false;
    return !this.#value.isWhole || this.#valueEnds();
  }

  /** Most writers put each element on a line of its own. */
  #wholeElement(text: string, at: number): number | undefined {
    if (this.#expected !== 'element' && this.#expected !== 'first-element') return undefined;
    if (at > 0 || !text.startsWith('{')) return undefined;
    const end = text.endsWith(',') ? text.length - 1 : text.length;
    if (text.charCodeAt(end - 1) !== CLOSE) return undefined;
    const value = parsed(text.slice(0, end));
    if (value === undefined) return undefined;
    this.#receiver.element(this.#name, value, this.#members);
    this.#expected = end === text.length ? 'element-comma-or-end' : 'element';
    return text.length;
  }

  /** Returns by how many characters to go on. */
  #step(character: string): 0 | 1 | undefined {
    switch (this.#expected) {
      case 'text':
        this.#isArray = character === '[';
        if (character !== '{' && character !== '[') return undefined;
        this.#expected = this.#isArray ? 'first-element' : 'member-or-end';
        return 1;
      case 'member-or-end':
      case 'member':
        if (character === '}' && this.#expected === 'member-or-end') return this.#finish();
        if (character !== '"') return undefined;
        return this.#begin('key');
      case 'colon':
        if (character !== ':') return undefined;
        this.#expected = 'value';
        return 1;
      case 'value':
        if (this.#opening) return this.#afterBracket(character);
        if (character !== '[') return this.#begin('member');
        this.#opening = true;
        return 1;
      case 'comma-or-end':
        if (character === '}') return this.#finish();
        if (character !== ',') return undefined;
        this.#expected = 'member';
        return 1;
      case 'first-element':
        if (character === ']') return this.#endArray();
        return character === '{' ? this.#begin('element') : undefined;
      case 'element':
        return this.#begin('element');
      default:
        if (character === ']') return this.#endArray();
        if (character !== ',') return undefined;
        this.#expected = 'element';
        return 1;
    }
  }

  /** An array of objects holds elements; any other, such as one of bytes, is a value. */
  #afterBracket(character: string): 0 | undefined {
    this.#opening = false;
    if (character === '{') {
      this.#expected = 'first-element';
      return 0;
    }
    this.#begin('member');
    this.#value.take('[', 0);
    return 0;
  }

  #begin(what: 'key' | 'member' | 'element'): 0 {
    this.#inValue = what;
    this.#value.begin();
    return 0;
  }

  #endArray(): 1 {
    if (this.#isArray) return this.#finish();
    this.#expected = 'comma-or-end';
    return 1;
  }

  #finish(): 1 {
    this.isAtEnd = true;
    return 1;
  }

  #valueEnds(): boolean {
    const { text } = this.#value;
    const what = this.#inValue;
    if (what === 'member') this.#length += text.length;
    const isTooLong = this.#value.isTooLong || this.#length > MOST_LENGTH;
    this.#inValue = undefined;
    const value = isTooLong ? undefined : parsed(text);
    if (isTooLong) this.#receiver.tooLong(this.#name);
    else if (value === undefined) return false;
    if (what === 'key') {
      if (typeof value !== 'string') return false;
      this.#name = value;
      this.#expected = 'colon';
    } else if (what === 'member') {
      if (value !== undefined && this.#members.size < MOST_MEMBERS) this.#members.set(this.#name, value);
      this.#expected = 'comma-or-end';
    } else {
      if (value !== undefined) this.#receiver.element(this.#isArray ? '' : this.#name, value, this.#members);
      this.#expected = 'element-comma-or-end';
    }
    return true;
  }
}

/** The value of a JSON text; undefined if it is none. */
export function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // Nesting that is too deep for the runtime is no JSON either.
    return undefined;
  }
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
/** What is behind a number, true, false or null. */
const BEHIND_WORD = /[\s,}\]]/g;

/** The text of one value, until its end. */
class ValueText {
  text = '';
  isWhole = false;
  isTooLong = false;
  #depth = 0;
  #inText = false;
  #isEscaped = false;
  #isWord = false;

  begin(): void {
    this.text = '';
    this.isWhole = false;
    this.isTooLong = false;
    this.#depth = 0;
    this.#inText = false;
    this.#isEscaped = false;
    this.#isWord = false;
  }

  /** Takes the value's next characters. Returns where it ends, or the end of the piece. */
  take(piece: string, from: number): number {
    const end = this.#scan(piece, from);
    if (this.text.length + end - from > LONGEST_VALUE) this.isTooLong = true;
    this.text = this.isTooLong ? '' : this.text + piece.slice(from, end);
    return end;
  }

  endLine(): boolean {
    if (this.#isWord) this.isWhole = true;
    return !this.#inText;
  }

  #scan(piece: string, from: number): number {
    let at = from;
    if (this.#isWord || (this.text === '' && this.#depth === 0 && !this.#inText && !/["{[]/.test(piece.charAt(at))))
      return this.#word(piece, at);
    for (; at < piece.length; at++) {
      const code = piece.charCodeAt(at);
      if (this.#inText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) this.#inText = false;
      } else if (code === QUOTE) this.#inText = true;
      else if (code === OPEN || code === OPEN_LIST) this.#depth++;
      else if (code === CLOSE || code === CLOSE_LIST) this.#depth--;
      else continue;
      if (this.#depth > 0 || this.#inText) continue;
      this.isWhole = true;
      return at + 1;
    }
    return at;
  }

  #word(piece: string, from: number): number {
    this.#isWord = true;
    BEHIND_WORD.lastIndex = from;
    const end = BEHIND_WORD.exec(piece)?.index ?? piece.length;
    this.isWhole = end < piece.length;
    return end;
  }
}

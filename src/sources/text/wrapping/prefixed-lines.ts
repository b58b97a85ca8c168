import { LONGEST_LINE } from '../line.ts';
import { withoutColours } from './clean.ts';
import { isTableHead } from './csv.ts';
import { isJsonBeginning } from './json-passage.ts';
import type { LinePart } from './lines.ts';
import { formsBeforeOwn, mayBeOther, mayBeOwn, surest } from './own-prefix.ts';
import {
  countingIn,
  type Form,
  gainOf,
  isBeforeFile,
  isLogged,
  isOfKernel,
  isSign,
  matchOf,
  mayBeFrame,
  type Prefix,
  prefixesBeforeFrame,
  type Reading,
  readingOf,
} from './unknown-prefix.ts';

/** Lines wait for so many others, until it is clear what stands before them. */
const MOST_WAITING = 24;
const MOST_STREAMS = 256;
const MOST_FORMS = 4;
/** So many lines of different prefixes are no chance. */
const LEAST_ALIKE = 4;
/** To look for a prefix is dear: in the long run, it is done for so many lines. */
const CREDIT = 1 / 16;
const MOST_CREDIT = 300;
const LONGEST_HEAD = 4;
const NUMBER = /^\d{1,10}$/;
/** What a prefix has around a name. */
const MARKS = /^[\s[({<|]+|[\s\])}>|:]+$/g;

/** Reads the lines of a text. */
export interface LineReader {
  take(part: LinePart): void;
  end(): void;
  /** Whether the next line may be a part of what has begun: of JSON, a table, a record. */
  readonly isWithin: boolean;
}

/** Opens a reader for the lines with one prefix. `place` names that, if there are several. */
type Open = (place: () => string | undefined) => LineReader;

interface Waiting {
  readonly part: LinePart;
  /** Without colours. */
  readonly text: string;
  /** What it tells as it is. */
  reading?: Reading;
}

/**
 * Takes off what stands before all lines of a text, or of a part of it, and is of no format that is known: it is
 * learned from the first frames, if lines tell more without it. The lines of each host, container or file, which the
 * prefix tells apart, are a text of their own.
 */
export class PrefixedLines implements LineReader {
  readonly #known: ReadonlySet<string>;
  readonly #plain: LineReader;
  readonly #open: Open;
  readonly #streams = new Map<string, LineReader>();
  #forms: readonly Form[] = [];
  /** The form of the latest line. */
  #form: Form | undefined;
  #waiting: Waiting[] = [];
  #released = '';
  /** How the latest line with a time began. */
  #head = '\n';
  /** The prefixes of frames. */
  readonly #places = new Set<string>();
  #credit = MOST_CREDIT;
  /** A line of kstack's own formats before which something stands that is not clear yet. */
  #own: string | undefined;
  /** The reader of a long line, of which more follows. */
  #long: LineReader | undefined;

  constructor(known: ReadonlySet<string>, plain: LineReader, open: Open) {
    this.#known = known;
    this.#plain = plain;
    this.#open = open;
  }

  get isWithin(): boolean {
    return this.#plain.isWithin;
  }

  take(part: LinePart): void {
    if (this.#form?.isOwn === true && this.#takeOwn(part)) return;
    const isTimed = part.text.startsWith(this.#head) || this.#isTimed(part.text);
    // Nearly all lines of a log.
    if (isTimed && isOfKernel(part.text)) this.#pass(part);
    else if (this.#plain.isWithin || !isLine(part)) this.#pass(part);
    else if (isTimed) this.#takeUnknown(part, part.text);
    else if (isJsonBeginning(part.text) || isTableHead(part.text)) this.#pass(part);
    else this.#takeUnknown(part, withoutColours(part.text));
  }

  #isTimed(text: string): boolean {
    if (!isLogged(text)) return false;
    this.#head = text.slice(0, LONGEST_HEAD);
    return true;
  }

  end(): void {
    if (this.#own !== undefined) this.#learnOwn(this.#own, true);
    this.#flush();
    this.#plain.end();
    for (const reader of this.#streams.values()) if (reader !== this.#plain) reader.end();
    this.#streams.clear();
  }

  #takeUnknown(part: LinePart, text: string): void {
    if (this.#forms.length > 0 && this.#takePrefixed(part, text)) return;
    this.#waiting.push({ part, text });
    if (this.#credit < MOST_CREDIT) this.#credit += CREDIT;
    if (this.#own !== undefined || (this.#credit >= 1 && mayBeOwn(text))) this.#learnOwn(this.#own ?? text, false);
    else if (this.#credit >= 1 && mayBeFrame(text, this.#known)) this.#learn(text);
    if (this.#waiting.length >= MOST_WAITING) this.#release();
  }

  #pass(part: LinePart): void {
    this.#own = undefined;
    this.#flush();
    this.#plain.take(part);
  }

  #release(): void {
    const first = this.#waiting.shift();
    if (first === undefined) return;
    this.#plain.take(first.part);
    this.#released = first.text;
  }

  #flush(): void {
    if (this.#waiting.length > 0) for (const { part } of this.#waiting.splice(0)) this.#plain.take(part);
  }

  /** Takes a line, or a part of a long one, behind a prefix that stands before lines of kstack's own formats. */
  #takeOwn(part: LinePart): boolean {
    if (part.begins) return this.#takePrefixed(part, withoutColours(part.text));
    if (this.#long === undefined) return false;
    this.#long.take(part);
    return true;
  }

  /** Takes a line with a prefix of a form that is known by now. `isLearned`: from this line, among others. */
  #takePrefixed(part: LinePart, text: string, isLearned = false): boolean {
    for (const form of this.#forms) {
      const match = matchOf(text, form);
      if (match === undefined) continue;
      // A line of another host follows at once; others may look alike.
      const isOther = !this.#streams.has(match.key);
      if (isOther && (this.#form !== form || (form.isOwn === true && !isLearned && !mayBeOther(text)))) continue;
      this.#flush();
      this.#form = form;
      const { rest } = match;
      if (this.#places.size < 2 && (mayBeFrame(rest, this.#known) || mayBeOwn(rest))) this.#places.add(match.key);
      this.#long = this.#stream(match.key, part);
      this.#long.take({ ...part, text: match.time + match.rest });
      return true;
    }
    if (text.trim() !== '') this.#form = undefined;
    return false;
  }

  #stream(key: string, part: LinePart): LineReader {
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#streams.keys();
    if (this.#streams.size >= MOST_STREAMS && oldest !== undefined) {
      const reader = this.#streams.get(oldest);
      if (reader !== this.#plain) reader?.end();
      this.#streams.delete(oldest);
    }
    const name = key.replaceAll(MARKS, '');
    const isNumber = NUMBER.test(name);
    const reader = this.#open(() => (isNumber || this.#places.size < 2 ? undefined : name));
    this.#streams.set(key, reader);
    // A loop over processes has put their PIDs there.
    if (isNumber) reader.take({ ...part, text: `${name}:` });
    return reader;
  }

  /** Learns from a frame what stands before it, and takes it off the lines that wait. */
  #learn(line: string): void {
    if (this.#forms.length >= MOST_FORMS) return;
    this.#credit--;
    let prefix: Prefix | undefined;
    let from = this.#waiting.length;
    for (const each of prefixesBeforeFrame(line, this.#known)) {
      const begin = this.#beginning(each);
      if (begin >= from || (isSign(each) && !this.#isWholeFile(begin))) continue;
      prefix = each;
      from = begin;
    }
    if (prefix === undefined) return;
    const form = this.#formOf(prefix, this.#waiting.slice(from));
    if (form !== undefined) this.#use(form, from);
  }

  /** The same from a line of kstack's own formats. `isLast`: no more lines follow that tell more. */
  #learnOwn(line: string, isLast: boolean): void {
    this.#own = undefined;
    const forms = this.#forms.length < MOST_FORMS ? formsBeforeOwn(line) : [];
    if (forms.length === 0) return;
    this.#credit--;
    const lines = this.#waiting.map(({ text }) => text);
    const form = surest(forms, lines, isLast);
    if (form === undefined) this.#own = isLast ? undefined : line;
    else this.#use(form, this.#beginning(form));
  }

  /** Takes a prefix of this form off the lines that wait, from one of them on. */
  #use(form: Form, from: number): void {
    const before = from === 0 ? matchOf(this.#released, form) : undefined;
    // The lines before these are no longer here: what they have begun goes on.
    if (before !== undefined) this.#streams.set(before.key, this.#plain);
    const lines = this.#waiting.splice(from);
    this.#flush();
    this.#forms = [...this.#forms, form];
    this.#form = form;
    for (const { part, text } of lines) if (!this.#takePrefixed(part, text, true)) this.#plain.take(part);
  }

  /** Whether nothing of a diff stands before this line but its head. */
  #isWholeFile(at: number): boolean {
    // Items of a list.
    if (this.#waiting.slice(at).every(({ text }) => text.trim() === '' || text.charAt(1) === ' ')) return false;
    return isBeforeFile(at === 0 ? this.#released : (this.#waiting[at - 1]?.text ?? ''));
  }

  /** Where among the lines that wait those of this form begin. */
  #beginning(form: Form): number {
    let from = this.#waiting.length;
    for (let at = from - 1; at >= 0; at--) {
      const { text = '' } = this.#waiting[at] ?? {};
      if (matchOf(text, form) !== undefined) from = at;
      else if (text.trim() !== '') break;
    }
    return from;
  }

  /** The form, if these lines tell more without the prefix, or if they are of several hosts. */
  #formOf(prefix: Form, lines: readonly Waiting[]): Form | undefined {
    const found = lines.flatMap((line) => {
      const match = matchOf(line.text, prefix);
      return match === undefined ? [] : [{ line, match }];
    });
    const counting = countingIn(found.map(({ match }) => match.numbers));
    const keys = new Map<string, number>();
    const telling = new Set<string>();
    let gain = 0;
    for (const { line, match } of found) {
      keys.set(match.key, (keys.get(match.key) ?? 0) + 1);
      line.reading ??= readingOf(line.text.slice(match.time.length), this.#known);
      const bare = readingOf(match.rest, this.#known);
      gain += gainOf(line.reading, bare);
      if (bare.weight > 0) telling.add(match.key);
    }
    if (counting !== undefined) return gain > 0 ? { ...prefix, counting } : undefined;
    if (telling.size < 2) return found.length > 1 && gain > 0 ? prefix : undefined;
    const isRepeated = [...telling].every((key) => (keys.get(key) ?? 0) > 1);
    return isRepeated && found.length >= LEAST_ALIKE && gain >= 0 ? prefix : undefined;
  }
}

function isLine({ begins, ends, text }: LinePart): boolean {
  return begins && ends && text.length <= LONGEST_LINE;
}

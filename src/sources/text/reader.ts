import type { Sample } from '../../model/sample.ts';
import type { InternedStacks } from './interned.ts';
import { isObject } from './own/fields.ts';
import { FoldedStacks } from './own/folded.ts';
import { isSampleHead } from './own/json.ts';
import { isSampleLine, SampleLines } from './own/jsonl.ts';
import { LongOutput } from './own/long.ts';
import { UnnamedTasks } from './own/unnamed.ts';
import { SampleBuilder } from './sample-builder.ts';
import { StackFinder } from './stacks/stacks.ts';
import {
  CriLines,
  htmlText,
  jsonAtEnd,
  type LogLine,
  type LogRecord,
  linesOf,
  wrappedRecord,
} from './wrapping/containers.ts';
import { CsvTable } from './wrapping/csv.ts';
import type { InputNotes } from './wrapping/decoded.ts';
import { JournalEntries } from './wrapping/journal.ts';
import { isJsonBeginning, JsonPassage } from './wrapping/json-passage.ts';
import { recordsIn } from './wrapping/json-records.ts';
import { parsed } from './wrapping/json-text.ts';
import type { LinePart } from './wrapping/lines.ts';
import { isKeyAlone, literalText } from './wrapping/literals.ts';
import { withoutMarkup } from './wrapping/markup.ts';
import { Base64Parts } from './wrapping/mime.ts';
import { NewestFirst } from './wrapping/newest-first.ts';
import type { LineReader } from './wrapping/prefixed-lines.ts';

/** What RFC 7464 and server-sent events put before a JSON text: journalctl -o json-seq and json-sse. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the first is one
const SEQUENCE = /^(?:\x1e|data: )(?=\{)/;
/** ansible(1) puts a host before one of several lines. */
const OF_HOST = ' => {';
const LONGEST_TITLE = 300;
/** A record in a record in a record was made to keep its readers busy. */
const MOST_LAYERS = 4;
/** More in a row mean no more than these. A small archive may have a hundred million. */
const MOST_EMPTY_LINES = 4;

/** See TextOptions. */
export interface ReaderOptions {
  readonly known: ReadonlySet<string> | undefined;
  readonly assumeTimeMs: ((clockMs: number) => number) | undefined;
  /** Where the text is from, if it does not tell that itself. */
  readonly place?: () => string | undefined;
  /** Learns what of a sample of kstack's own is not as kstack writes it, and in which line. */
  readonly malformed?: ((line: number | undefined, why: string) => void) | undefined;
}

/**
 * Reads a text line by line: takes the lines out of what a log store has put around them, reads kstack's own formats
 * back, and leaves all others to the finder of stacks.
 */
export class TextReader implements LineReader {
  readonly #found: Sample[];
  readonly #notes: InputNotes;
  readonly #stacks: InternedStacks;
  readonly #finder: StackFinder;
  readonly #builder: SampleBuilder;
  readonly #cri = new CriLines();
  readonly #journal = new JournalEntries();
  readonly #base64 = new Base64Parts();
  readonly #csv = new CsvTable();
  readonly #order = new NewestFirst();
  readonly #place: ReaderOptions['place'];
  readonly #sampleLines: SampleLines;
  readonly #long: LongOutput;
  readonly #folded: FoldedStacks;
  #json: JsonPassage | undefined;
  #afterJson = false;
  #emptyLines = 0;
  /** The number of the line that is being read. */
  #line = 0;
  /** Learns what is wrong with a sample of kstack's own. */
  readonly #malformed: (why: string) => void;

  /** `found` gets the samples that are complete. */
  constructor(stacks: InternedStacks, notes: InputNotes, found: Sample[], options: ReaderOptions) {
    this.#malformed = (why) => options.malformed?.(this.#line, why);
    this.#stacks = stacks;
    this.#found = found;
    this.#place = options.place;
    this.#finder = new StackFinder(options.known, stacks);
    this.#notes = notes;
    this.#builder = new SampleBuilder(this.#finder, found, options);
    this.#sampleLines = new SampleLines(stacks, this.#malformed);
    const unnamed = new UnnamedTasks();
    this.#long = new LongOutput(stacks, unnamed);
    this.#folded = new FoldedStacks(stacks, unnamed);
  }

  get isWithin(): boolean {
    return this.#json !== undefined || this.#journal.isOpen || this.#csv.isOpen;
  }

  take(part: LinePart): void {
    this.#line = part.line;
    this.#emptyLines = part.text === '' ? this.#emptyLines + 1 : 0;
    if (this.#emptyLines > MOST_EMPTY_LINES) return;
    if (this.#json !== undefined) this.#takeJson(this.#json, part);
    else if (part.begins) this.#begin(withoutTitle(part));
  }

  end(): void {
    this.#endJson();
    this.#takeRecords(this.#order.end());
    for (const line of this.#base64.end()) this.#takeLine(line, '', 1);
    for (const line of this.#journal.end()) this.#takeLine(line.text, line.stamp, 1);
    this.#add(this.#sampleLines.end());
    this.#long.end();
    this.#folded.end();
    this.#collect();
    this.#builder.finish();
  }

  #begin(part: LinePart): void {
    const attached = this.#base64.take(part.text);
    if (attached !== undefined) {
      for (const text of attached) this.#takeLine(text, '', 1);
      return;
    }
    const isJson = isJsonBeginning(part.text);
    // An empty line between two values ends no stack.
    const isBetween = this.#afterJson && part.text.trim() === '';
    this.#afterJson = isJson || isBetween;
    if (isBetween) return;
    if (!isJson) this.#takeLine(part.text, '', 0);
    else if (!this.#isWholeValue(part)) {
      this.#json = this.#newPassage();
      this.#takeJson(this.#json, part);
    }
  }

  /** Takes records of a log store in the order in which they were written. */
  #takeRecords(records: readonly LogRecord[]): void {
    for (const record of records) for (const line of linesOf(record)) this.#takeLine(line.text, line.stamp, 1);
  }

  #takeRecord(record: LogRecord): void {
    this.#takeRecords(this.#order.take(record));
  }

  #takeLine(text: string, stamp: string, layer: number): void {
    const lines = layer < MOST_LAYERS ? this.#unwrapped(text, layer) : undefined;
    if (lines !== undefined) {
      for (const line of lines) this.#takeLine(line.text, line.stamp === '' ? stamp : line.stamp, layer + 1);
      return;
    }
    for (const line of htmlText(text)) {
      if (this.#folded.take(line) || this.#long.take(line)) {
        this.#finder.end();
        this.#collect();
      } else {
        this.#builder.note(stamp + line);
        this.#finder.take(stamp + line);
      }
    }
    this.#builder.advance();
  }

  /** The lines in what a log store has written; undefined if it has not written this. */
  #unwrapped(text: string, layer: number): readonly LogLine[] | undefined {
    if (layer > 0 && isJsonBeginning(text)) {
      const value = parsed(text.trim());
      if (value !== undefined) return this.#linesIn(value);
    }
    const value = jsonAtEnd(text);
    const known = value === undefined ? undefined : this.#linesIn(value);
    if (known !== undefined) return known;
    const entry = layer === 0 ? this.#journal.take(text) : undefined;
    if (entry !== undefined) return entry;
    const cri = this.#cri.take(text);
    const row = cri === undefined && layer === 0 ? this.#csv.take(text) : undefined;
    if (row !== undefined) return this.#order.take(row).flatMap(linesOf);
    if (layer === 0 && !this.#order.isEmpty) this.#takeRecords(this.#order.end());
    const record = cri ?? wrappedRecord(text);
    if (record !== undefined) return record === 'part' ? [] : linesOf(record);
    const plain = withoutMarkup(text);
    if (isKeyAlone(plain)) return [];
    const literal = literalText(plain);
    if (literal !== undefined) return linesOf({ text: literal });
    return plain === text ? undefined : linesOf({ text: plain });
  }

  /** Most JSON is one value a line. */
  #isWholeValue({ text, ends }: LinePart): boolean {
    const trimmed = text.trim();
    // An array of objects, or an object with such arrays, is read as a stream.
    const isList = /^\[\s{0,40}[^\s{]/.test(trimmed);
    if (!ends || !(isList ? trimmed.endsWith(']') : trimmed.endsWith('}') && trimmed.startsWith('{'))) return false;
    const value = parsed(trimmed);
    if (value === undefined || isSample(value)) return false;
    const records = this.#recordsIn(value);
    if (records === undefined) return false;
    for (const record of records) this.#takeRecord(record);
    return true;
  }

  #linesIn(value: unknown): readonly LogLine[] | undefined {
    return this.#recordsIn(value)?.flatMap(linesOf);
  }

  /** The records in a value; none of what is a sample's; undefined if it is neither. */
  #recordsIn(value: unknown, without?: string): readonly LogRecord[] | undefined {
    if (isSampleLine(value)) {
      this.#add(this.#sampleLines.take(value, without));
      return [];
    }
    const records = recordsIn(value);
    return records.length === 0 ? undefined : records;
  }

  #newPassage(): JsonPassage {
    const record = (value: unknown, without?: string) => {
      for (const each of this.#recordsIn(value, without) ?? []) this.#takeRecord(each);
    };
    const sample = (each: Sample) => this.#add(each);
    return new JsonPassage({ record, sample, malformed: this.#malformed }, this.#stacks);
  }

  #takeJson(json: JsonPassage, part: LinePart): void {
    const rest = json.take(part);
    if (rest === undefined) return;
    this.#json = undefined;
    if (json.isWhole) {
      if (rest !== '') this.take({ ...part, begins: true, text: rest });
      return;
    }
    if (json.isSample) this.#notes.cut ??= 'a sample in JSON is damaged: what comes before that was read';
    // What follows a first line that only looked like JSON may be anything.
    const [first, ...others] = json.kept;
    if (first !== undefined) this.#takeLine(first, '', 0);
    for (const text of others) this.take({ ...part, text, begins: true, ends: true });
  }

  #endJson(): void {
    const json = this.#json;
    this.#json = undefined;
    if (json === undefined) return;
    json.end();
    if (json.isSample) this.#notes.cut ??= 'a sample in JSON ends early: what comes before its end was read';
    else for (const text of json.kept) this.#takeLine(text, '', 0);
  }

  #add(sample: Sample | undefined): void {
    if (sample !== undefined) this.#found.push(sample);
  }

  #collect(): void {
    if (this.#folded.found.length > 0) this.#notes.folded = true;
    const host = this.#place?.();
    for (const list of [this.#long.found, this.#folded.found])
      for (const sample of list.splice(0)) this.#found.push(host === undefined ? sample : { host, ...sample });
  }
}

/** The line without what stands before a JSON text that begins in it. */
function withoutTitle(part: LinePart): LinePart {
  if (part.text.endsWith(OF_HOST) && part.text.length < LONGEST_TITLE) return { ...part, text: '{' };
  return SEQUENCE.test(part.text) ? { ...part, text: part.text.replace(SEQUENCE, '') } : part;
}

function isSample(value: unknown): boolean {
  return isObject(value) && isSampleHead(new Map(Object.entries(value)));
}

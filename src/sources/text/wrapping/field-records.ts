import type { LinePart } from './lines.ts';
import { firstCode } from './literals.ts';
import type { LineReader } from './prefixed-lines.ts';

/** What log stores call the text of a record. */
const NAME = '(?:@?message|_?msg|textPayload|_raw|log|line|body|text|SyslogMessage|short_message|full_message)';
const TAG_NAME = '(?:message|msg|_raw|log|line|body|entry)';
/**
 * The text in a line of its own: `msg: text` of YAML, `"message" => text` of Ruby, `<message>text</message>`,
 * `<field k='_raw'>`, `Body: Str(text)` of OpenTelemetry.
 */
const TEXT = new RegExp(
  String.raw`^(\s{0,40}(?:- )?(?:${NAME}:(?: Str(?=\(.*\)\s{0,4}$))?|"${NAME}"\s{0,8}=>|:${NAME} ?=>)(?=\s|\(|$))\s{0,4}(.*)$`,
  'is',
);
const ELEMENT = new RegExp(
  String.raw`^(\s{0,40}<(?:${TAG_NAME}(?:\s[^<>]{0,200})?|\w{1,32} (?:k|name)=["']${TAG_NAME}["'])>)(.+)$`,
  'is',
);
/** Other lines of a record: a name and a value, brackets, tags, a title. */
const FIELD = new RegExp(
  String.raw`^\s{0,40}(?:(?:- |-> |\.)?["':]?[\w.@/\[\] -]{1,64}?["']?\s{0,20}(?::|=>|=)(?:\s.{0,2000}|\{|\[)?|[-{}[\](),]{1,4}` +
    String.raw`|<\/?[A-Za-z][^<>]{0,400}>(?:.{0,2000}<\/[\w:.-]{1,64}>)?|LogRecord #\d{1,9})?\s{0,8}$`,
  's',
);
const OF_FRAME = /\+0x[0-9a-f]|\[<[0-9a-f]|\bCall [Tt]race:|\bPID: \d/;
const MOST_FIELDS = 60;
const LONGEST_LINE = 4096;
const FIRST = new Set([...'@_msltbfBM":<-'].map((mark) => mark.charCodeAt(0)));
const LESS = 60;

interface Text {
  /** What stands before the text, the same in each record. */
  readonly head: string;
  readonly value: string;
}

/**
 * Takes the text out of records that have a field on each line. That they are records shows when the same field comes
 * again, and nothing but fields between.
 */
export class FieldRecords implements LineReader {
  readonly #next: LineReader;
  /** The first of the lines that wait: the text of a record. */
  #first: { readonly part: LinePart; readonly text: Text } | undefined;
  #head: string | undefined;
  /** The lines behind the latest text. */
  #fields: LinePart[] = [];
  /** What the fields between two texts begin with. */
  readonly #known = new Set<string>();

  constructor(next: LineReader) {
    this.#next = next;
  }

  get isWithin(): boolean {
    return this.#next.isWithin;
  }

  get isIdle(): boolean {
    return this.#head === undefined;
  }

  take(part: LinePart): void {
    if (this.isIdle && !FIRST.has(firstCode(part.text))) this.#next.take(part);
    else if (!part.begins || !part.ends || part.text.length > LONGEST_LINE || this.#isOfOther(part.text)) {
      this.#release();
      this.#next.take(part);
    } else this.#takeLine(part, textIn(part.text));
  }

  end(): void {
    this.#release();
    this.#next.end();
  }

  /** JSON has a reader of its own. Some lines of Ruby begin like it. */
  #isOfOther(line: string): boolean {
    return this.#head === undefined && this.#next.isWithin && !line.includes('" =>');
  }

  #takeLine(part: LinePart, text: Text | undefined): void {
    if (this.#head !== undefined) {
      if (text?.head === this.#head && this.#isRecord) {
        this.#takeText(part, text);
        return;
      }
      if (text?.head !== this.#head && FIELD.test(part.text) && this.#fields.length < MOST_FIELDS) {
        this.#fields.push(part);
        return;
      }
      this.#release();
    }
    if (text === undefined) this.#next.take(part);
    else {
      this.#head = text.head;
      this.#first = { part, text };
    }
  }

  /** Whether the lines behind the latest text are nothing but fields. */
  get #isRecord(): boolean {
    return !this.#fields.some(({ text }) => OF_FRAME.test(text));
  }

  #takeText(part: LinePart, { value }: Text): void {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) this.#next.take({ ...first.part, text: first.text.value });
    for (const { text } of this.#fields.splice(0)) this.#known.add(keyOf(text));
    this.#next.take({ ...part, text: value });
  }

  /** Ends the records. What is no field that came between them is a line of the text. */
  #release(): void {
    if (this.#head === undefined) return;
    const isUnknown = this.#first !== undefined;
    if (this.#first !== undefined) this.#next.take(this.#first.part);
    for (const part of this.#fields.splice(0))
      if (isUnknown || !this.#known.has(keyOf(part.text))) this.#next.take(part);
    this.#first = undefined;
    this.#head = undefined;
    this.#known.clear();
  }
}

function textIn(line: string): Text | undefined {
  const [, name, text] = (firstCode(line) === LESS ? ELEMENT : TEXT).exec(line) ?? [];
  if (name === undefined || text === undefined) return undefined;
  if (name.endsWith('>') && !name.endsWith('=>')) return { head: name, value: line };
  return { head: name, value: name.endsWith(' Str') ? text.trimEnd().slice(1, -1) : text };
}

/** A field, without its value. */
function keyOf(line: string): string {
  return line.replace(/[\d:=>].*$/s, '').trim();
}

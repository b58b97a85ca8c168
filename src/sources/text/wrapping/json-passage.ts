import type { Sample } from '../../../model/sample.ts';
import type { InternedStacks } from '../interned.ts';
import { isSampleEdge } from '../own/edges.ts';
import { isSampleHead, SampleDocument } from '../own/json.ts';
import { isSampleLine } from '../own/jsonl.ts';
import { isSampleEvent, MOST_FRAMES } from '../own/task.ts';
import { JsonText, type Members } from './json-text.ts';
import type { LinePart } from './lines.ts';

/** What is kept of a passage until it is clear that it is JSON. */
const MOST_KEPT_LINES = 64;
const MOST_KEPT_LENGTH = 256 * 1024;
const MOST_EARLY = 210_000;

/** A number in an array is one of asciinema(1): a time. */
const BEGINNING = /^\s{0,40}(?:\{\s{0,40}(?:["}]|$)|\[\s{0,40}(?:[{"[]|$|\d{1,9}(?:\.\d{1,20})?, ?"))/;

/** Whether a line may begin a JSON object, or an array. A time in brackets does not. */
export function isJsonBeginning(line: string): boolean {
  return BEGINNING.test(line);
}

export interface PassageReceiver {
  /** An object that may be a record of a log, or a line of a sample. `without`: a member that is too long. */
  record(value: unknown, without?: string): void;
  sample(sample: Sample): void;
  /** Something of a sample is not as kstack writes it. */
  malformed(why: string): void;
}

/** Some lines of a text that are one JSON value, or that look so at first. */
export class JsonPassage {
  readonly #receiver: PassageReceiver;
  readonly #stacks: InternedStacks;
  readonly #json: JsonText;
  #document: SampleDocument | undefined;
  #hasElements = false;
  /** Where members are sorted, edges and events come before what tells that this is a sample. */
  readonly #early: { readonly name: string; readonly value: unknown }[] = [];
  /** What may be the frames of a line of a sample: these are a member, and no records. */
  readonly #frames: unknown[] = [];
  #tooLong: string | undefined;
  #kept: string[] = [];
  #keptLength = 0;
  /** Whether the value is complete. */
  isWhole = false;

  constructor(receiver: PassageReceiver, stacks: InternedStacks) {
    this.#receiver = receiver;
    this.#stacks = stacks;
    this.#json = new JsonText({
      element: (name, value, head) => this.#element(name, value, head),
      tooLong: (name) => this.#leaveOut(name),
    });
  }

  /** Whether it is a sample of kstack. */
  get isSample(): boolean {
    const { members } = this.#json;
    return this.#document !== undefined || isSampleHead(members) || (members.has('type') && members.has('bootId'));
  }

  /**
   * The lines that turned out not to be JSON. If some of a passage was, only the last one. They are lost if there are
   * very many: no text is like that.
   */
  get kept(): readonly string[] {
    return this.#kept;
  }

  /** Takes a part of a line. Returns what follows the value in it; undefined if the value goes on. */
  take(part: LinePart): string | undefined {
    this.#keep(part.text);
    const taken = this.#json.take(part.text);
    if (taken !== undefined && this.#json.isAtEnd) {
      this.isWhole = true;
      this.#finish();
      return part.text.slice(taken).replace(/^[\s,]+/, '');
    }
    if (taken !== undefined && (!part.ends || this.#json.endLine())) return undefined;
    this.end();
    return '';
  }

  /** The passage is over before its value is complete. */
  end(): void {
    if (this.#document !== undefined) this.#finish();
    else this.#endFrames();
  }

  #leaveOut(name: string): void {
    if (this.#document === undefined) this.#tooLong ??= name;
    else this.#document.leaveOut(name);
  }

  #element(name: string, value: unknown, head: Members): void {
    if (!this.#hasElements && !isSampleHead(head) && isEarly(name, value) && this.#early.length < MOST_EARLY) {
      this.#early.push({ name, value });
      return;
    }
    if (name === 'frames' && head.has('bootId') && this.#frames.length < MOST_FRAMES) {
      this.#frames.push(value);
      return;
    }
    if (!this.#hasElements && isSampleHead(head)) this.#begin(head);
    this.#hasElements = true;
    if (this.#document === undefined) this.#receiver.record(value);
    else this.#document.element(name, value, head);
  }

  #begin(head: Members): void {
    this.#document = new SampleDocument(this.#stacks, this.#receiver.malformed);
    for (const { name, value } of this.#early.splice(0)) this.#document.element(name, value, head);
  }

  #finish(): void {
    const { members } = this.#json;
    // A sample without tasks has no elements.
    if (isSampleHead(members) && this.#document === undefined) this.#begin(members);
    if (this.#document !== undefined) this.#receiver.sample(this.#document.end(members));
    else if (members.size > 0) this.#finishObject(Object.fromEntries(members));
  }

  #finishObject(members: Readonly<Record<string, unknown>>): void {
    if (isSampleLine(members)) {
      const frames = this.#frames.length > 0 ? { frames: this.#frames } : {};
      this.#receiver.record({ ...members, ...frames }, this.#tooLong);
      return;
    }
    this.#endFrames();
    this.#receiver.record(members);
  }

  #endFrames(): void {
    for (const frame of this.#frames.splice(0)) this.#receiver.record(frame);
  }

  #keep(text: string): void {
    if (this.#hasElements) this.#kept = [];
    this.#kept.push(text);
    this.#keptLength += text.length;
    if (this.#kept.length > MOST_KEPT_LINES || this.#keptLength > MOST_KEPT_LENGTH) this.#kept = [text];
  }
}

/** Whether an element is one of those of a sample whose names come before `format`. */
function isEarly(name: string, value: unknown): boolean {
  return (name === 'events' && isSampleEvent(value)) || (name === 'edges' && isSampleEdge(value));
}

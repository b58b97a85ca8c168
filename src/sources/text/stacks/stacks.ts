import { bareName } from '../forms/bare-names.ts';
import { knownChain } from '../forms/chains.ts';
import { classic } from '../forms/classic.ts';
import { isCutMark } from '../forms/cut-marks.ts';
import { isBroken } from '../forms/dmesg.ts';
import { isBrokenFrame } from '../forms/drgn.ts';
import { inContext } from '../forms/labels.ts';
import { PsTable } from '../forms/ps.ts';
import { recognize } from '../forms/recognizer.ts';
import { beginsStack, isCodeComment } from '../forms/remarks.ts';
import { wchanAsked, wchanRow } from '../forms/wchan-rows.ts';
import { InternedStacks } from '../interned.ts';
import { IGNORED, LONGEST_LINE } from '../line.ts';
import { Stamps } from '../stamps.ts';
import { cleaned, isNumberedBlank, QuotedPrintable, withoutColours } from '../wrapping/clean.ts';
import { DiffSide } from '../wrapping/diff-side.ts';
import { bodyOf, unquoted } from '../wrapping/prefix.ts';
import { hasNearSign, hasSign, isNear, Skipped } from '../wrapping/skipped.ts';
import { Wraps } from '../wrapping/wraps.ts';
import { BodyReader } from './body-reader.ts';
import { Callers } from './callers.ts';
import { FoundStacks } from './found-stacks.ts';
import { Position } from './position.ts';
import type { LeftOut, TextStack } from './text-stack.ts';

/** `<IRQ>`, `<EOI>` and the like before a frame. Since 4.10 they are on a line of their own. */
const MARKED = /^\s{0,20}(<(?:IRQ|NMI|SOFTIRQ|#DB|#DF|EOI|<EOE>)>)\s{1,20}(\S.*)$/;
const MOST_MARKS = 4;
/** journalctl -o verbose and export: fields other than the message. */
const FIELD = /^\s{0,8}(?:_{0,2}[A-Z][A-Z0-9_]{2,64}=|\[s=[0-9a-f]{8,32};)/;
const MESSAGE = /^\s{0,8}MESSAGE=/;
/** Markdown's mark around a stack. */
const FENCE = /^\s{0,8}(?:`{3}|~{3})\w{0,16}\s{0,4}$/;
const MISREAD = /\+Ox[0-9a-fO]{1,8}(?: ?\/ ?[O0]x[0-9a-fO]{1,8})?/g;
const LONGEST_FENCE = 30;
/** So many lines in turn with blank ones: the text is double-spaced. */
const DOUBLE_SPACED = 3;

/**
 * Finds the stacks in the lines of a text of any known format, or a mix of formats. Never throws. Takes time and memory
 * linear in the text.
 */
export class StackFinder {
  /** The complete stacks. The caller empties the list. */
  readonly found: TextStack[] = [];
  readonly #known: ReadonlySet<string>;
  readonly #stamps = new Stamps();
  readonly #position = new Position();
  readonly #stacks: FoundStacks;
  readonly #callers: Callers;
  readonly #body: BodyReader;
  readonly #wraps = new Wraps();
  readonly #quoted = new QuotedPrintable();
  readonly #skipped = new Skipped();
  readonly #side = new DiffSide();
  #isField = false;
  /** The stack that has begun is in comments of code. */
  #isCode = false;
  #spacing = 0;
  #isAfterBlank = false;
  /** A line of a log without anything in it: a mail program may have broken it there. */
  #isAfterEmpty = false;

  /**
   * @param known names of functions that the kernel has, for stacks that are names and nothing else
   * @param stacks those of other texts, if equal stacks are to be one object in all of them
   */
  constructor(known: ReadonlySet<string> = new Set(), stacks = new InternedStacks()) {
    this.#known = known;
    this.#stacks = new FoundStacks(this.found, stacks, (waiter) => this.#callers.isPending(waiter));
    this.#callers = new Callers(this.#stamps, this.#stacks);
    this.#body = new BodyReader({
      callers: this.#callers,
      found: this.#stacks,
      position: this.#position,
      stamps: this.#stamps,
      known,
    });
  }

  /** What was left out since the last complete stack. */
  get leftOut(): LeftOut {
    const { guesses, cut, mixed } = this.#callers.leftOut;
    return { guesses, cut: cut + this.#stacks.cut, mixed };
  }

  /** Takes the next line, without its line end. rsyslog writes `#012` for those within a message. */
  take(line: string): void {
    if (line.includes('#012')) for (const each of line.split('#012')) this.#takeWritten(each);
    else this.#takeWritten(line);
  }

  #takeWritten(line: string): void {
    // Quoted-printable, where lines ended with CR LF.
    const ended = line.endsWith('=0D') && !line.startsWith('PID:') ? line.slice(0, -3) : line;
    // Programs that read pictures take a zero for a letter.
    const read = ended.includes('+Ox') ? ended.replaceAll(MISREAD, (offset) => offset.replaceAll('O', '0')) : ended;
    for (const whole of this.#wraps.take(read)) this.#take(whole);
  }

  #take(line: string): void {
    if (line.length > LONGEST_LINE) this.#stacks.leaveOut(1);
    // The command line of a Java program has thousands of characters, but the task is named before it.
    const beginning = line.length > LONGEST_LINE ? line.slice(0, LONGEST_LINE) : line;
    const whole = this.#quoted.take(beginning);
    if (whole === undefined) return;
    if (this.#isSettled) {
      if (!hasSign(withoutColours(whole)) || !this.#isKnown(whole)) {
        this.#skipped.add(whole);
        this.#position.skip();
        return;
      }
      // The lines before it may say whose stack this is.
      const skipped = this.#skipped.take();
      // Anything may be the title of what follows at once.
      for (const [at, before] of skipped.entries())
        if (at === skipped.length - 1 || isNear(before)) this.#read(before);
        else {
          this.#stamps.take(before);
          this.#body.pass();
        }
    }
    this.#read(whole);
  }

  /** Whether no stack has begun. */
  get #isSettled(): boolean {
    return this.#body.isIdle && !this.#quoted.isOn && this.#callers.areIdle();
  }

  /** Whether this line belongs to a stack, or to what is printed well before one. */
  #isKnown(line: string): boolean {
    if (line.startsWith('zzz <')) return true;
    const { text, logged: isLogged, isOutput } = bodyOf(cleaned(line, this.#quoted.isOn));
    const logged = isLogged && !isOutput;
    const known = inContext(recognize(text), logged);
    if (known !== undefined) return known !== IGNORED;
    if (bareName(text) !== undefined || PsTable.from(text) !== undefined) return true;
    if (isBroken(text) || isBrokenFrame(text)) return true;
    if (!logged && knownChain(text, this.#known) !== undefined) return true;
    return !logged && (wchanAsked(text) !== undefined || wchanRow(text, this.#known) !== undefined);
  }

  #read(line: string): void {
    this.#stamps.take(line);
    const own = classic(line);
    if (own !== undefined) {
      this.#body.endTable();
      this.#isAfterBlank = false;
      this.#isAfterEmpty = false;
      this.#position.turnTo(false, 0, undefined);
      this.#body.takeClassic(own);
      return;
    }
    const clean = cleaned(line, this.#quoted.isOn);
    const isBlank = isNumberedBlank(line);
    if (isBlank || clean.trim() === '') {
      // A line of markup is none to its reader.
      this.#position.skip();
      if (isBlank || withoutColours(line).trim() === '') this.#blank();
      return;
    }
    this.#spacing = this.#isAfterBlank ? this.#spacing + 1 : 0;
    this.#isAfterBlank = false;
    this.#isField = clean.includes('=') && FIELD.test(clean);
    if (this.#isField && !MESSAGE.test(clean)) return;
    const { text, caller, logged: isLogged, isOutput, quotes } = this.#body.isInRow ? unquoted(clean) : bodyOf(clean);
    const logged = isLogged && !isOutput;
    const isComment = isCodeComment(clean);
    const { hasFrames, isWhole } = this.#callers.current;
    if (!hasFrames) this.#isCode = isComment;
    else if (isComment && !this.#isCode) {
      if (!beginsStack(recognize(text), isWhole)) {
        this.#position.skip();
        return;
      }
      this.#isCode = true;
    }
    if (this.#isAfterEmpty && (logged || !text.includes('+0x'))) this.#body.empty();
    this.#isAfterEmpty = false;
    this.#callers.turnTo(caller, isLogged);
    this.#position.turnTo(isLogged, quotes, caller);
    if (text.trim() === '') {
      this.#position.skip();
      if (logged) this.#isAfterEmpty = true;
      else if (isOutput) this.#blank();
      else this.#body.empty();
      return;
    }
    if (text.length < LONGEST_FENCE && FENCE.test(text)) {
      this.#fence();
      return;
    }
    if (this.#side.turnsTo(text) && this.#callers.current.hasFrames) this.#callers.current.end();
    if (isCutMark(text)) this.#position.cut();
    // While another caller prints a stack, most lines are none.
    if (logged && this.#body.isIdle && !hasSign(text) && !hasNearSign(text)) {
      this.#body.pass(text);
      return;
    }
    let rest = text;
    for (let marks = 0; marks < MOST_MARKS && rest.includes('<'); marks++) {
      const [, mark, behind] = MARKED.exec(rest) ?? [];
      if (mark === undefined || behind === undefined) break;
      this.#body.take(mark, logged);
      rest = behind;
    }
    this.#body.take(rest, logged);
  }

  /** Markdown's mark around a stack: the title may stand before it. */
  #fence(): void {
    this.#position.skip();
    this.#body.endTable();
    if (this.#callers.current.hasFrames) this.#callers.current.end();
  }

  #blank(): void {
    this.#isAfterEmpty = false;
    this.#body.blank();
    const isDouble = this.#spacing >= DOUBLE_SPACED && !this.#isAfterBlank;
    this.#isAfterBlank = true;
    // journalctl -o export separates its records by blank lines.
    if (!this.#isField) this.#callers.blank(isDouble);
  }

  /** Ends the current stacks: the text is at its end. */
  end(): void {
    for (const line of this.#wraps.end()) this.#take(line);
    const rest = this.#quoted.end();
    if (rest !== '') this.#read(rest);
    this.#body.end();
    this.#callers.endAll();
    this.#stacks.end();
  }
}

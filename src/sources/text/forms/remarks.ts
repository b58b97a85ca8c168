import type { Line } from '../line.ts';

/** How a remark begins that somebody has written between the lines of a stack. */
const MARK = /^(\s{0,200})(?:<-|->|\/\*|\*\/|\^|<!--)/;
/** Titles begin with the same marks: a remark is a sentence. */
const SENTENCE =
  /^\s{0,200}(?:[#;%"!]{1,3}|--|REM\b)\s{0,4}(?!.{0,300}(?:\d|:\s{0,4}$))(?:\S{1,40}\s{1,4}){3,60}\S{1,40}\s{0,4}$/;
const CODE = /^\s{0,200}\/\/(?:\s|$)/;
const LONGEST = 1000;
/** The most lines of one C comment. */
const LONGEST_COMMENT = 20;

/** Whether the line is a comment of code. All of a text may be one. */
export function isCodeComment(line: string): boolean {
  return line.includes('//') && CODE.test(line);
}

/**
 * Whether such a comment behind a stack that is in none belongs to the next stack: names its task, begins it or, behind
 * an outermost function, is a frame.
 */
export function beginsStack(line: Line | undefined, isBehindOutermost: boolean): boolean {
  switch (line?.kind) {
    case 'label':
      return Object.keys(line.header).length > 0;
    case 'task':
    case 'hung':
    case 'begin':
      return true;
    case 'frame':
      return isBehindOutermost;
    default:
      return false;
  }
}

/** Tells the remarks between the frames of a stack from text that ends it. */
export class Remarks {
  /** How far the latest one is indented. */
  #indent: number | undefined;
  /** A sentence with such a mark stands above the stack: another one does above the next. */
  #isTitled = false;
  /** So many lines may follow within a comment of C. */
  #open = 0;

  /** Takes a line above a stack. */
  above(text: string): void {
    this.#isTitled = text.length <= LONGEST && SENTENCE.test(text);
  }

  /**
   * Whether a line that says nothing of a stack is a remark, or goes on with one: then it is not indented less. `known`
   * is how it is recognized: a sentence has the look of a title.
   */
  take(text: string, known: Line | undefined): boolean {
    if (text.length > LONGEST || (known !== undefined && !isBareTitle(known))) return false;
    if (this.#open > 0) {
      this.#open = text.includes('*/') ? 0 : this.#open - 1;
      return true;
    }
    const [, blanks] = MARK.exec(text) ?? [];
    if (blanks !== undefined) {
      this.#indent = blanks.length;
      if (text.includes('/*') && !text.includes('*/')) this.#open = LONGEST_COMMENT;
    } else if (!this.#isTitled && SENTENCE.test(text)) return true;
    else if (this.#indent === undefined || this.#indent === 0 || text.search(/\S/) < this.#indent) this.end();
    return this.#indent !== undefined;
  }

  /** What follows belongs to none. */
  end(): void {
    this.#indent = undefined;
    this.#open = 0;
  }
}

/** Whether this is a title that tells nothing. */
function isBareTitle(line: Line): boolean {
  return line.kind === 'label' && line.isTitle === true && Object.keys(line.header).length === 0;
}

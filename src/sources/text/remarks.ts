/** How a remark begins that somebody has written between the lines of a stack. */
const MARK = /^(\s{0,200})(?:<-|->|\/\*|\*\/|\^)/;

/** Tells the remarks between the frames of a stack from text that ends it. */
export class Remarks {
  /** How far the latest one is indented. */
  #indent: number | undefined;

  /** Whether a line that says nothing of a stack is a remark, or goes on with one: then it is not indented less. */
  take(text: string): boolean {
    const [, blanks] = MARK.exec(text) ?? [];
    if (blanks !== undefined) this.#indent = blanks.length;
    else if (this.#indent === undefined || this.#indent === 0 || text.search(/\S/) < this.#indent) this.end();
    return this.#indent !== undefined;
  }

  /** What follows belongs to none. */
  end(): void {
    this.#indent = undefined;
  }
}

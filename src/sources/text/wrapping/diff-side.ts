const [PLUS, MINUS] = [43, 45];
/** A frame in a diff. */
const FRAME = /^[+-]\s{0,8}(?:\[<|[\w.]{1,128}\+0x)/;

/** The side of a diff of two traces that the latest line is of: the old and the new one are two stacks. */
export class DiffSide {
  #side: '+' | '-' | undefined;

  /** Whether this line is of the other side than the one before. */
  turnsTo(text: string): boolean {
    const code = text.charCodeAt(0);
    const sign = code === PLUS ? '+' : code === MINUS ? '-' : undefined;
    const side = sign !== undefined && FRAME.test(text) ? sign : undefined;
    const isOther = side !== undefined && this.#side !== undefined && side !== this.#side;
    this.#side = side;
    return isOther;
  }
}

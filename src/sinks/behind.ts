import type { NodeKey } from '../model/edge.ts';

const MOST_LINES = 4;
/** Bounds the memory that a text of any size takes. */
const MOST_PHRASES = 100;

/** What tasks that share an explanation wait for by who holds it. */
export class Behind {
  readonly #waiters = new Map<string, Set<NodeKey>>();

  add(tid: NodeKey, phrases: readonly string[]): void {
    for (const phrase of phrases) {
      const known = this.#waiters.get(phrase);
      if (known !== undefined) known.add(tid);
      else if (this.#waiters.size < MOST_PHRASES) this.#waiters.set(phrase, new Set([tid]));
    }
  }

  get lines(): string[] {
    const all = [...this.#waiters].map(([phrase, { size }]) => (size === 1 ? phrase : `${phrase}  x ${size}`));
    return all.length > MOST_LINES ? [...all.slice(0, MOST_LINES), `(${all.length - MOST_LINES} others)`] : all;
  }
}

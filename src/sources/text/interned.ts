import type { Frame, Stack } from '../../model/stack.ts';

/** What the kept frames may take: some 60 MB. */
const MOST_FRAMES = 200_000;

/**
 * Keeps equal stacks of a stream one object, wherever in it they come from. To bound memory, it forgets all of them
 * when there are many.
 */
export class InternedStacks {
  readonly #stacks = new Map<string, Stack>();
  #frames = 0;
  #nextId = 0;

  /** `isMixed`: frames of several stacks, which are one object only if they are mixed in the same way. */
  intern(frames: readonly Frame[], isMixed = false): Stack {
    const names = frames
      .map(({ symbol, offset, size, module }) => `${symbol} ${offset ?? ''} ${size ?? ''} ${module ?? ''}`)
      .join('\n');
    const key = isMixed ? `mixed\n${names}` : names;
    const known = this.#stacks.get(key);
    if (known !== undefined) return known;
    if (this.#frames > MOST_FRAMES) {
      this.#stacks.clear();
      this.#frames = 0;
    }
    const stack: Stack = { id: this.#nextId++, frames, ...(isMixed && { mixed: true }) };
    this.#stacks.set(key, stack);
    this.#frames += frames.length + 1;
    return stack;
  }
}

import type { Unread } from '../model/sample.ts';

/** After this many different complaints, new ones are dropped. */
const MOST_COMPLAINTS = 1000;

/** How many unread items are remembered, so that they are not reported again with each sample. */
const MOST_TOLD = 50_000;

/** Reports each complaint of a run once, however often it recurs. */
export class Complaints {
  readonly #say: (level: 'INFO' | 'ERROR', text: string) => void;
  readonly #complaints = new Set<string>();
  readonly #told = new Set<string>();

  constructor(say: (level: 'INFO' | 'ERROR', text: string) => void) {
    this.#say = say;
  }

  complain(text: string, level: 'INFO' | 'ERROR' = 'ERROR'): void {
    const complaints = this.#complaints;
    if (complaints.has(text) || complaints.size > MOST_COMPLAINTS) return;
    complaints.add(text);
    const isLast = complaints.size > MOST_COMPLAINTS;
    this.#say(level, isLast ? 'Too many different messages; new ones are no longer reported.' : text);
  }

  isNews({ tid, what, why }: Unread): boolean {
    const told = this.#told;
    const fact = `${tid} ${what} ${why}`;
    if (told.has(fact)) return false;
    if (told.size >= MOST_TOLD) told.clear();
    told.add(fact);
    return true;
  }
}

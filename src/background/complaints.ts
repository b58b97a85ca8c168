import type { Unread } from '../model/sample.ts';

/** How many different complaints are remembered, in order not to repeat them with each sample. */
const MOST_COMPLAINTS = 1000;

/** How many things that could not be read are remembered, in order not to tell them with each sample. */
const MOST_TOLD = 50_000;

/** What a run has complained of: the same is said once, however often it happens. */
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
    this.#say(level, isLast ? 'There is too much to complain of; what is new from here on is not said.' : text);
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

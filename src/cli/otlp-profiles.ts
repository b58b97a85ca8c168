import { randomBytes } from 'node:crypto';
import type { Sample } from '../model/sample.ts';
import { StackProfile } from '../sinks/otlp-profiles.ts';
import { OtlpQueue } from './otlp-queue.ts';
import type { OtlpTarget } from './otlp-target.ts';
import { VERSION } from './version.ts';

/** A profile has the samples of so long, or fewer if there are many different stacks. */
const PROFILE_MS = 60_000;
const MOST_ENTRIES = 10_000;
/** While nobody takes them: each has some megabytes at the most. */
const MOST_KEPT = 10;
const ID_BYTES = 16;

/** Sends profiles of where tasks are that do not idle. A recording never waits for that. */
export class ProfileSender {
  readonly #queue: OtlpQueue<Uint8Array>;
  readonly #profile: StackProfile;

  /** @param intervalMs how far apart samples are */
  constructor(target: OtlpTarget, intervalMs: number, tell: (text: string) => void) {
    this.#profile = new StackProfile(VERSION, intervalMs);
    this.#queue = new OtlpQueue({
      target,
      signal: 'profiles',
      words: ['profile', 'profiles'],
      mostKept: MOST_KEPT,
      mostSent: 1,
      encode: ([request = new Uint8Array()]) => request,
      tell,
    });
  }

  add(sample: Sample): void {
    this.#profile.add(sample);
    if (this.#profile.spanMs >= PROFILE_MS || this.#profile.entries >= MOST_ENTRIES) this.#flush();
  }

  /** Sends what is left, if that does not take long, and tells what was not delivered. */
  end(): Promise<void> {
    this.#flush();
    return this.#queue.end();
  }

  #flush(): void {
    const request = this.#profile.take(randomBytes(ID_BYTES));
    if (request !== undefined) this.#queue.add([request]);
  }
}

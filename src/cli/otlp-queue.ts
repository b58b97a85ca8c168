import { sleep } from '../native/clock.ts';
import { Pauses } from '../shipping/pauses.ts';
import { type Posted, post } from './otlp-post.ts';
import { type OtlpTarget, type Signal, signalUrl } from './otlp-target.ts';

const ONE_REQUEST_MS = 10_000;
/** Between two complaints. */
const QUIET_MS = 60_000;
/** What is left at the end has so long. */
const ENDS_MS = 5000;

export interface OtlpQueueOptions<T> {
  readonly target: OtlpTarget;
  readonly signal: Signal;
  /** What it holds, in words: one and several. */
  readonly words: readonly [one: string, several: string];
  /** Bounds memory while nobody takes them: the oldest make room. */
  readonly mostKept: number;
  /** How many are sent at once. */
  readonly mostSent: number;
  encode(some: readonly T[]): Uint8Array;
  tell(text: string): void;
}

/** Sends what comes to a receiver of OTLP, one request after the other. Whoever adds to it never waits. */
export class OtlpQueue<T> {
  readonly #options: OtlpQueueOptions<T>;
  readonly #url: URL;
  readonly #over = new AbortController();
  #kept: T[] = [];
  #sending: Promise<void> | undefined;
  #lost = 0;
  /** What is wrong with the receiver, as it was told. */
  #wrong: string | undefined;
  #toldMs = 0;

  constructor(options: OtlpQueueOptions<T>) {
    this.#options = options;
    this.#url = signalUrl(options.target, options.signal);
  }

  /** Takes some, to be sent soon. */
  add(some: readonly T[]): void {
    if (some.length === 0) return;
    for (const each of some) this.#kept.push(each);
    this.#lose(this.#kept.length - this.#options.mostKept);
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Sends what is left, if that does not take long, and tells what was not delivered. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#over.abort(), ENDS_MS);
    await this.#sending;
    clearTimeout(timer);
    const lost = this.#lost + this.#kept.length;
    this.#kept = [];
    this.#lost = 0;
    if (lost > 0) this.#options.tell(`${this.#url.href}: ${this.#counted(lost)} not delivered`);
  }

  async #send(): Promise<void> {
    const { signal } = this.#over;
    const pauses = new Pauses();
    while (this.#kept.length > 0 && !signal.aborted) {
      const some = this.#kept.slice(0, this.#options.mostSent);
      const posted = await this.#post(some);
      if (!posted.isTaken && posted.afterMs !== undefined) {
        this.#complain(posted.why);
        await sleep(pauses.next(posted.afterMs), signal);
        continue;
      }
      pauses.reset();
      // Meanwhile the oldest may have made room.
      const sent = new Set(some);
      this.#kept = this.#kept.filter((each) => !sent.has(each));
      if (posted.isTaken) this.#took(posted.rejected);
      else {
        this.#lost += some.length;
        this.#complain(posted.why);
      }
    }
  }

  #post(some: readonly T[]): Promise<Posted> {
    const { target, encode } = this.#options;
    const { signal } = this.#over;
    return post(target, { url: this.#url, body: encode(some), deadlineMs: ONE_REQUEST_MS, signal });
  }

  #took(rejected: (Posted & { isTaken: true })['rejected']): void {
    const { words, tell } = this.#options;
    if (rejected !== undefined) {
      this.#lost += rejected.count;
      this.#complain(`${this.#counted(rejected.count)} not taken: ${rejected.why || 'no reason given'}`);
    } else if (this.#wrong !== undefined) {
      this.#wrong = undefined;
      tell(`${this.#url.href}: ${words[1]} are accepted again`);
    }
  }

  #counted(count: number): string {
    const [one, several] = this.#options.words;
    return count === 1 ? `1 ${one} was` : `${count} ${several} were`;
  }

  #lose(count: number): void {
    if (count <= 0) return;
    this.#kept = this.#kept.slice(count);
    this.#lost += count;
  }

  /** Tells each fault once, and no more than one in a minute. */
  #complain(why: string): void {
    const nowMs = performance.now();
    if (this.#wrong !== undefined && (this.#wrong === why || nowMs - this.#toldMs < QUIET_MS)) return;
    this.#options.tell(`${this.#url.href}: ${why}`);
    this.#wrong = why;
    this.#toldMs = nowMs;
  }
}

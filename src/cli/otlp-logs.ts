import { setTimeout as pause } from 'node:timers/promises';
import { type News, NewsWatch } from '../analysis/news.ts';
import type { Sample } from '../model/sample.ts';
import { logsRequest, type OtlpResource, otlpResource } from '../sinks/otlp.ts';
import { type OtlpTarget, signalUrl } from './otlp-options.ts';
import { type Posted, post } from './otlp-post.ts';
import { VERSION } from './version.ts';

/** Bounds memory while nobody takes them: the oldest make room. */
const MOST_KEPT = 10_000;
const MOST_SENT = 500;
const ONE_REQUEST_MS = 10_000;
const MOST_PAUSE_MS = 60_000;
/** Between two complaints. */
const QUIET_MS = 60_000;
/** What is left at the end has so long. */
const ENDS_MS = 5000;

/** Sends a log record for each task that becomes stuck and each trigger. A recording never waits for that. */
export class LogSender {
  readonly #target: OtlpTarget;
  readonly #url: URL;
  readonly #tell: (text: string) => void;
  readonly #watch = new NewsWatch();
  readonly #over = new AbortController();
  #kept: News[] = [];
  #resource: OtlpResource = { version: VERSION };
  #sending: Promise<void> | undefined;
  #lost = 0;
  /** What is wrong with the receiver, as it was told. */
  #wrong: string | undefined;
  #toldMs = 0;

  constructor(target: OtlpTarget, tell: (text: string) => void) {
    this.#target = target;
    this.#url = signalUrl(target, 'logs');
    this.#tell = tell;
  }

  /** Takes what is new in a sample, to be sent soon. */
  add(sample: Sample): void {
    const news = this.#watch.of(sample);
    if (news.length === 0) return;
    this.#resource = otlpResource(sample, VERSION);
    for (const each of news) this.#kept.push(each);
    this.#lose(this.#kept.length - MOST_KEPT);
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
    if (lost > 0) this.#tell(`${this.#url.href}: ${records(lost)} not delivered`);
  }

  async #send(): Promise<void> {
    const { signal } = this.#over;
    let pauseMs = 0;
    while (this.#kept.length > 0 && !signal.aborted) {
      const some = this.#kept.slice(0, MOST_SENT);
      const posted = await this.#post(some);
      if (!posted.isTaken && posted.afterMs !== undefined) {
        this.#complain(posted.why);
        pauseMs = Math.min(MOST_PAUSE_MS, Math.max(posted.afterMs, 2 * pauseMs));
        await waitFor(pauseMs, signal);
        continue;
      }
      pauseMs = 0;
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

  #post(news: readonly News[]): Promise<Posted> {
    const body = logsRequest(news, this.#resource, Date.now());
    const { signal } = this.#over;
    return post({ url: this.#url, headers: this.#target.headers, body, deadlineMs: ONE_REQUEST_MS, signal });
  }

  #took(rejected: (Posted & { isTaken: true })['rejected']): void {
    if (rejected !== undefined) {
      this.#lost += rejected.count;
      this.#complain(`${records(rejected.count)} not taken: ${rejected.why || 'it does not say why'}`);
    } else if (this.#wrong !== undefined) {
      this.#wrong = undefined;
      this.#tell(`${this.#url.href}: log records are taken again`);
    }
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
    this.#tell(`${this.#url.href}: ${why}`);
    this.#wrong = why;
    this.#toldMs = nowMs;
  }
}

function records(count: number): string {
  return count === 1 ? '1 log record was' : `${count} log records were`;
}

async function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

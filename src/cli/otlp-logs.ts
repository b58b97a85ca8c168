import { type News, NewsWatch } from '../analysis/times/news.ts';
import type { Sample } from '../model/sample.ts';
import { logsRequest, type OtlpResource, otlpResource } from '../sinks/otlp.ts';
import { OtlpQueue } from './otlp-queue.ts';
import type { OtlpTarget } from './otlp-target.ts';
import { VERSION } from './version.ts';

const MOST_KEPT = 10_000;
const MOST_SENT = 500;

/** Sends a log record for each task that becomes stuck and each trigger. A recording never waits for that. */
export class LogSender {
  readonly #watch = new NewsWatch();
  readonly #queue: OtlpQueue<News>;
  #resource: OtlpResource = { version: VERSION };

  constructor(target: OtlpTarget, tell: (text: string) => void) {
    this.#queue = new OtlpQueue({
      target,
      signal: 'logs',
      words: ['log record', 'log records'],
      mostKept: MOST_KEPT,
      mostSent: MOST_SENT,
      encode: (news) => logsRequest(news, this.#resource, Date.now()),
      tell,
    });
  }

  /** Takes what is new in a sample, to be sent soon. */
  add(sample: Sample): void {
    const news = this.#watch.of(sample);
    if (news.length > 0) this.#resource = otlpResource(sample, VERSION);
    this.#queue.add(news);
  }

  /** Sends what is left, if that does not take long, and tells what was not delivered. */
  end(): Promise<void> {
    return this.#queue.end();
  }
}

import type { ServerResponse } from 'node:http';
import type { Metric } from '../analysis/metrics.ts';
import type { Clock } from '../model/time.ts';
import { formatMetrics, METRICS_TYPES } from '../sinks/metrics.ts';

export interface MetricsOptions {
  /** Metrics are as old as that at the most: whoever asks more often gets the same again. */
  readonly mostMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Takes a sample. `samples` is how many were taken before. */
  measure(samples: number): Promise<readonly Metric[]>;
}

/** Metrics of this host, which are measured when somebody asks. All who ask meanwhile get the same. */
export class MetricsPage {
  readonly #options: MetricsOptions;
  #latest: { readonly atMs: number; readonly metrics: Promise<readonly Metric[]> } | undefined;
  #samples = 0;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  async serve(accept: string | undefined, response: ServerResponse): Promise<void> {
    const form = accept?.includes('application/openmetrics-text') === true ? 'openMetrics' : 'prometheus';
    let [status, type, text] = [200, METRICS_TYPES[form] as string, ''];
    try {
      text = formatMetrics(await this.#metrics(), form);
    } catch (error) {
      [status, type] = [503, 'text/plain; charset=utf-8'];
      text = `No sample was taken: ${error instanceof Error ? error.message : String(error)}\n`;
    }
    response.writeHead(status, { 'content-type': type });
    response.end(text);
  }

  #metrics(): Promise<readonly Metric[]> {
    const { mostMs, clock, measure } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#latest !== undefined && nowMs - this.#latest.atMs < mostMs) return this.#latest.metrics;
    const metrics = measure(this.#samples).then((measured) => {
      this.#samples++;
      return measured;
    });
    this.#latest = { atMs: nowMs, metrics };
    return metrics;
  }
}

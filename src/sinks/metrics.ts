import type { Metric } from '../analysis/metrics.ts';

/** What a monitoring system may be told about the content of a response. */
export const METRICS_TYPES = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;

export type MetricsForm = keyof typeof METRICS_TYPES;

/**
 * Metrics as text: Prometheus' exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), or
 * OpenMetrics 1.0, where a counter is named without `_total` and the end is marked.
 */
export function formatMetrics(metrics: readonly Metric[], form: MetricsForm): string {
  const lines = metrics.flatMap(({ name, type, help, values }) => {
    const family = form === 'openMetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
    const head = [`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`];
    return [...head, ...values.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`)];
  });
  return [...lines, ...(form === 'openMetrics' ? ['# EOF'] : []), ''].join('\n');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, escaped)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}

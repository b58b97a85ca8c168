import { expect, it } from 'vitest';
import { formatMetrics } from './metrics.ts';

const METRICS = [
  {
    name: 'kstack_x',
    type: 'gauge',
    help: 'One.',
    values: [{ labels: { rule: 'a"b\\c\nd', state: 'D' }, value: 1.5 }],
  },
  { name: 'kstack_y_total', type: 'counter', help: 'Two.', values: [{ labels: {}, value: 3 }] },
] as const;

it('metrics are text that Prometheus reads, with labels escaped', () => {
  expect(formatMetrics(METRICS, 'prometheus')).toBe(`# HELP kstack_x One.
# TYPE kstack_x gauge
kstack_x{rule="a\\"b\\\\c\\nd",state="D"} 1.5
# HELP kstack_y_total Two.
# TYPE kstack_y_total counter
kstack_y_total 3
`);
});

it('OpenMetrics names the family of a counter without its ending, and marks the end', () => {
  const text = formatMetrics(METRICS, 'openMetrics');
  expect(text).toContain('# TYPE kstack_y counter\nkstack_y_total 3\n');
  expect(text.endsWith('\n# EOF\n')).toBe(true);
});

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testRequires } from '../../test/harness.ts';
import { FIELDS, metricsRequest } from './otlp.ts';
import { rejectedIn, statusIn } from './otlp-answer.ts';

const TEST = join(import.meta.dirname, '../../test');

it('has the numbers that test/otlp.proto has', () => {
  const proto = readFileSync(join(TEST, 'otlp.proto'), 'utf8');
  for (const [message, fields] of Object.entries(FIELDS)) {
    const [, body = ''] = new RegExp(`^message ${message} \\{\\n(.*?)\\n\\}`, 'ms').exec(proto) ?? [];
    const numbers = [...body.matchAll(/(\w+) = (\d+);/g)].map(([, name, number]) => [name, Number(number)]);
    expect([message, Object.fromEntries(numbers)]).toEqual([message, fields]);
  }
});

it('writes counters as cumulative sums, and text that is not UTF-8 as its bytes', () => {
  testRequires('protoc');
  const at = { timeMs: 1_700_000_000_123, sinceMs: 1_700_000_000_000 };
  const metric = { name: 'kstack_samples_total', type: 'counter', help: 'Samples.' } as const;
  const request = metricsRequest(
    [{ ...metric, values: [{ labels: { rule: 'a\udcffb' }, value: 2.5 }] }],
    { version: '1', host: 'one' },
    at,
  );
  const text = execFileSync(
    'protoc',
    ['--decode=otlp.ExportMetricsServiceRequest', `--proto_path=${TEST}`, 'otlp.proto'],
    {
      input: request,
    },
  ).toString();
  expect(text).toContain('start_time_unix_nano: 1700000000000000000');
  expect(text).toContain(' time_unix_nano: 1700000000123000000');
  expect(text).toContain('as_double: 2.5');
  expect(text).toContain('aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE');
  expect(text).toContain('is_monotonic: true');
  expect(text).toContain('string_value: "a\\\\xffb"');
});

it('takes any bytes for an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const rejected = rejectedIn(bytes);
      expect(rejected === undefined || typeof rejected.why === 'string').toBe(true);
      expect(['string', 'undefined']).toContain(typeof statusIn(bytes));
    }),
  );
  expect(rejectedIn(Buffer.from('\x0a\x06\x08\x03\x12\x02no', 'latin1'))).toEqual({ count: 3, why: 'no' });
  expect([rejectedIn(Buffer.alloc(0)), rejectedIn(Buffer.from('\x0a\x00', 'latin1'))]).toEqual([undefined, undefined]);
  expect(statusIn(Buffer.from('\x08\x05\x12\x02no', 'latin1'))).toBe('no');
  // One line; and a count below zero is none.
  expect(statusIn(Buffer.from('\x12\x03a\nb', 'latin1'))).toBe('a b');
  const below = Buffer.from('\x0a\x0f\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x02no', 'latin1');
  expect(rejectedIn(below)).toEqual({ count: 0, why: 'no' });
});

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testRequires } from '../../test/harness.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import { parseFrames } from '../model/stack.ts';
import { FIELDS, metricsRequest } from './otlp.ts';
import { rejectedIn, statusIn, textOf } from './otlp-answer.ts';
import { PROFILE_FIELDS, StackProfile } from './otlp-profiles.ts';

const TEST = join(import.meta.dirname, '../../test');

it('has the numbers that test/otlp.proto has', () => {
  const proto = readFileSync(join(TEST, 'otlp.proto'), 'utf8');
  for (const [message, fields] of Object.entries({ ...FIELDS, ...PROFILE_FIELDS })) {
    const [, body = ''] = new RegExp(`^message ${message} \\{\\n(.*?)\\n\\}`, 'ms').exec(proto) ?? [];
    const numbers = [...body.matchAll(/(\w+) = (\d+);/g)].map(([, name, number]) => [name, Number(number)]);
    expect([message, Object.fromEntries(numbers)]).toEqual([message, fields]);
  }
});

it('writes counters as cumulative sums, and text that is not UTF-8 as its bytes', () => {
  const at = { timeMs: 1_700_000_000_123, sinceMs: 1_700_000_000_000 };
  const metric = { name: 'kstack_samples_total', type: 'counter', help: 'Samples.' } as const;
  const request = metricsRequest(
    [{ ...metric, values: [{ labels: { rule: 'a\udcffb' }, value: 2.5 }] }],
    { version: '1', host: 'one' },
    at,
  );
  const text = decoded('ExportMetricsServiceRequest', request);
  expect(text).toContain('start_time_unix_nano: 1700000000000000000');
  expect(text).toContain(' time_unix_nano: 1700000000123000000');
  expect(text).toContain('as_double: 2.5');
  expect(text).toContain('aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE');
  expect(text).toContain('is_monotonic: true');
  expect(text).toContain('string_value: "a\\\\xffb"');
});

/** What protoc reads in a request, which has no field that is not in test/otlp.proto. */
function decoded(message: string, input: Uint8Array): string {
  testRequires('protoc');
  const args = [`--decode=otlp.${message}`, `--proto_path=${TEST}`, 'otlp.proto'];
  const text = execFileSync('protoc', args, { input }).toString();
  // Such a field has a number for its name.
  expect(text).not.toMatch(/^\s*\d+(?:: | \{)/m);
  return text;
}

it('writes a profile of where tasks are that do not idle, until it is taken', () => {
  const stackOf = (...lines: string[]) => ({
    value: { id: 0, frames: parseFrames(lines.map((line) => `[<0>] ${line}`).join('\n')) },
  });
  const blocked = stackOf('io_schedule+0x1/0x2', 'ext4_read+0x3/0x4 [ext4]');
  const named = (tid: number, comm: string) => observationOf(tid, { task: taskOf(tid, { comm }), stack: blocked });
  const idle = observationOf(9, { state: 'S', stack: stackOf('do_epoll_wait+0x1/0x2', 'do_syscall_64+0x1/0x2') });
  const own = observationOf(8, { task: { ...taskOf(8), own: true }, stack: blocked });
  const observations = [named(1, 'a'), named(2, 'a'), named(3, 'b\udcff'), idle, own];
  const profile = new StackProfile('1', 2000);
  for (const timeMs of [1_700_000_000_000, 1_700_000_002_000])
    profile.add({ ...EMPTY_SAMPLE, host: 'one', timeMs, observations });
  expect([profile.spanMs, profile.entries]).toEqual([4000, 2]);
  const text = decoded('ExportProfilesServiceRequest', profile.take(new Uint8Array(16).fill(65)) ?? new Uint8Array());
  expect(text).toContain('time_unix_nano: 1700000000000000000');
  expect(text).toContain('duration_nano: 4000000000');
  expect(text).toContain('period: 2000000000');
  expect(text).toContain(`profile_id: "${'A'.repeat(16)}"`);
  expect(text.match(/ values: \d+/g)).toEqual([' values: 4', ' values: 2']);
  // Each table begins with an entry without content, to which 0 refers.
  const all = (name: string) =>
    [...text.matchAll(new RegExp(`^  ${name} \\{\\n([^]*?)^  \\}`, 'gm'))].map(([, one]) => one);
  for (const table of ['mapping', 'location', 'function', 'link', 'attribute', 'stack'])
    expect([table, all(`${table}_table`)[0]]).toEqual([table, '']);
  const strings = [...text.matchAll(/string_table: "(.*)"/g)].map(([, one]) => one);
  expect(strings[0]).toBe('');
  const functionAt = (location: number) => {
    const [, of] = /function_index: (\d+)/.exec(all('location_table')[location] ?? '') ?? [];
    const [, name] = /name_strindex: (\d+)/.exec(all('function_table')[Number(of)] ?? '') ?? [];
    return strings[Number(name)];
  };
  const locations = [...(all('stack_table')[1] ?? '').matchAll(/location_indices: (\d+)/g)].map(([, at]) => Number(at));
  expect(locations.map(functionAt)).toEqual(['io_schedule', 'ext4_read']);
  expect(strings).toEqual(expect.arrayContaining(['[kernel.kallsyms]', '[ext4]', 'thread.name', 'kstack.state']));
  expect(text).toContain('string_value: "b\\\\xff"');
  expect(text).toMatch(/key: "host.name"\s+value \{\s+string_value: "one"/);
  expect([profile.spanMs, profile.entries, profile.take(new Uint8Array(16))]).toEqual([0, 0, undefined]);
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
  expect(textOf(Buffer.from(` a\n${'b'.repeat(400)}`))).toBe(`a ${'b'.repeat(297)}...`);
  // One line; and a count below zero is none.
  expect(statusIn(Buffer.from('\x12\x03a\nb', 'latin1'))).toBe('a b');
  const below = Buffer.from('\x0a\x0f\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x02no', 'latin1');
  expect(rejectedIn(below)).toEqual({ count: 0, why: 'no' });
});

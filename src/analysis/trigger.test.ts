import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import type { Sample } from '../model/sample.ts';
import { parseTrigger, TriggerError, truthOf } from './trigger.ts';

const refusal = (text: string) => {
  try {
    return parseTrigger(text);
  } catch (error) {
    if (!(error instanceof TriggerError)) throw error;
    return error.message;
  }
};

describe('a condition', () => {
  it.each([
    ['blocked>20', { kind: 'blocked', above: 20, forMs: 0 }],
    [' blocked > 20 for 10s ', { kind: 'blocked', above: 20, forMs: 10_000 }],
    ['io-pressure>20.5%', { kind: 'pressure', resource: 'io', above: 20.5, forMs: 0 }],
    ['memory-pressure>5 for 2m', { kind: 'pressure', resource: 'memory', above: 5, forMs: 120_000 }],
    ['cpu-pressure>0', { kind: 'pressure', resource: 'cpu', above: 0, forMs: 0 }],
    ['hung-task', { kind: 'hung-task' }],
    ['rule:epoll', { kind: 'rule', rule: 'epoll' }],
    ['function:^nfs_|rpc wait', { kind: 'function', pattern: '^nfs_|rpc wait' }],
  ])('%s is understood', (text, expected) => {
    expect(parseTrigger(text)).toEqual({ text: text.trim(), ...expected });
  });

  it.each([
    ['blocked', "'blocked' is not a condition. Write it in quotes, with a number: 'blocked>20'. Conditions are"],
    ['load>3', "'load>3' is not a condition. Conditions are 'blocked>N', 'cpu-pressure>PERCENT', "],
    ['', "'' is not a condition. Conditions are"],
    ['blocked>20 for ever', "'ever' is not a duration: write 'for 10s'"],
    ['io-pressure>100', 'never comes true'],
    ['rule:epol', "There is no rule 'epol'. Did you mean 'epoll'?"],
  ])('%s is refused with a way out', (text, message) => {
    expect(refusal(text)).toContain(message);
  });
});

describe('a sample', () => {
  const [first] = ODD_SAMPLES;
  const tests = new Map([['^xfs_', (name: string) => name.startsWith('xfs_')]]);
  const truth = (when: string, sample: Sample | undefined = first) =>
    sample && truthOf(parseTrigger(when), sample, tests);

  it('makes true what it has more of', () => {
    expect(truth('blocked>2')).toMatch(/^\d+ blocked tasks$/);
    expect(truth('blocked>2000')).toBeUndefined();
    expect([truth('io-pressure>99'), truth('io-pressure>99.5'), truth('memory-pressure>0')]).toEqual([
      'io pressure 99.01 %',
      undefined,
      undefined,
    ]);
  });

  it('makes no pressure true that it does not tell', () => {
    expect(truth('io-pressure>0', ODD_SAMPLES[1])).toBeUndefined();
  });

  it('makes true what is in it: a line of the kernel log, a rule, a function that a blocked task is in', () => {
    expect(truth('hung-task')).toContain('blocked for more than 120 seconds');
    expect(truth('hung-task', ODD_SAMPLES[1])).toBeUndefined();
    expect(truth('rule:epoll')).toMatch(/^systemd 1 and \d+ more$/);
    expect(truth('function:^xfs_')).toBe('postgres 501 and 2 more');
    expect(truth('function:^nothing')).toBeUndefined();
  });
});

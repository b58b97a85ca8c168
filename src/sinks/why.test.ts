import { describe, expect, it } from 'vitest';
import { HOSTILE, ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import { verdictOf } from '../analysis/verdict.ts';
import type { Sample } from '../model/sample.ts';
import { formatWhy, type WhyContext } from './why.ts';
import { formatWhyJson } from './why-json.ts';

const CONTEXT: WhyContext = {
  colour: false,
  evidence: true,
  host: { load: [1.5, 2, 0.25], cpus: 2 },
  unknown: [],
};
const written = (sample: Sample, context: Partial<WhyContext> = {}) =>
  [...formatWhy(verdictOf(sample), { ...CONTEXT, ...context })].join('');

describe('a verdict as text', () => {
  it('has no control character and no escape sequence, whatever is in the sample', () => {
    for (const sample of ODD_SAMPLES) {
      const text = written(sample, { unknown: [HOSTILE] });
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('is one screen, however much is held up', () => {
    const tasks = Array.from({ length: 3000 }, (_, at) =>
      observationOf(at + 1, {
        task: taskOf(at + 1, { comm: `c${at % 700}` }),
        state: at % 3 === 0 ? 'T' : 'D',
        facts: { offCpuMs: 60_000 },
      }),
    );
    const edges = tasks.flatMap((_, at) =>
      at % 3 === 0 ? [] : [{ from: at + 1, to: at - (at % 3) + 1, by: 'mutex' as const, evidence: [] }],
    );
    const text = written({ ...EMPTY_SAMPLE, observations: tasks, edges }, { unknown: Array(500).fill('x') });
    expect(text.split('\n').length).toBeLessThan(50);
    expect(text).toContain('... and 996 more that hold up others (-f json has all)');
  });

  it('shows as many waiters of one name as a number', () => {
    const tasks = Array.from({ length: 301 }, (_, at) =>
      observationOf(at + 1, {
        task: taskOf(at + 1, { comm: at === 0 ? 'holder' : 'postgres' }),
        state: at === 0 ? 'T' : 'D',
      }),
    );
    const edges = tasks.slice(1).map((_, at) => ({ from: at + 2, to: 1, by: 'mutex' as const, evidence: [] }));
    const text = written({ ...EMPTY_SAMPLE, observations: tasks, edges }, { evidence: false });
    expect(text).toMatch(/^300 tasks wait, directly or through others, for 1 holder, which is stopped by a signal\.\n/);
    expect(text).toContain('\n    300 x postgres wait for the mutex that 1 holder holds\n');
  });
});

describe('the sentence', () => {
  it('tells a selection without a task from stacks that could not be read', () => {
    const denied = observationOf(1, { state: 'S', stack: { unread: 'denied' } });
    expect(written(EMPTY_SAMPLE)).toMatch(/^Nothing can be said: no task was found that is selected\.\n/);
    expect(written({ ...EMPTY_SAMPLE, observations: [denied] })).toMatch(/^Nothing can be said: no kernel stack could/);
  });

  it('is about whatever holds up most', () => {
    const stopped = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ from: 10 + at, to: 1, by: 'child' as const, evidence: [] }));
    const deadlock = [
      { from: 2, to: 3, by: 'mutex' as const, evidence: [] },
      { from: 3, to: 2, by: 'mutex' as const, evidence: [] },
    ];
    const observations = [1, 2, 3, 10, 11, 12].map((tid) => observationOf(tid, { state: tid === 1 ? 'T' : 'S' }));
    const first = (count: number) =>
      written({ ...EMPTY_SAMPLE, observations, edges: [...stopped(count), ...deadlock] }).split('\n', 1)[0];
    expect(first(2)).toBe('Deadlock: 2 t2, 3 t3 wait for each other.');
    expect(first(3)).toBe('3 tasks wait, directly or through others, for 1 t1, which is stopped by a signal.');
  });
});

describe('a verdict as JSON', () => {
  it('is one valid document in UTF-8, whatever is in the sample', () => {
    for (const sample of ODD_SAMPLES) {
      const text = [...formatWhyJson(verdictOf(sample), CONTEXT)].join('');
      expect(text.isWellFormed()).toBe(true);
      expect(JSON.parse(text)).toMatchObject({ format: 'kstack-why', version: 1, load: [1.5, 2, 0.25] });
    }
  });
});

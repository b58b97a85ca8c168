import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../../test/samples.ts';
import type { Observation } from '../../model/sample.ts';
import { parseFrame } from '../../model/stack.ts';
import { NewsWatch } from './news.ts';

const stackOf = (id: number, ...functions: string[]) => ({
  value: { id, frames: functions.map((name) => parseFrame(`[<0>] ${name}+0x1/0x2`)) },
});
const COMMIT = stackOf(1, 'jbd2_log_wait_commit', 'ext4_sync_file');
const IDLE = stackOf(2, 'ep_poll', 'do_epoll_wait');

const blocked = (tid: number, offCpuMs?: number, switches?: number): Observation =>
  observationOf(tid, {
    state: 'D',
    stack: COMMIT,
    ...(offCpuMs !== undefined && { facts: { offCpuMs, ...(switches !== undefined && { switches }) } }),
  });
const sampleAt = (seconds: number, observations: readonly Observation[]) => ({
  ...EMPTY_SAMPLE,
  timeMs: 1_000_000 + 1000 * seconds,
  observations,
});

describe('news', () => {
  it('are of tasks that have not run for ten seconds, once until they have run', () => {
    const watch = new NewsWatch();
    const told = (seconds: number, ...observations: Observation[]) =>
      watch.of(sampleAt(seconds, observations)).map(({ kind, about }) => [kind, about['tid'], about['seconds']]);
    expect(told(0, blocked(7, 9000, 1))).toEqual([]);
    expect(told(1, blocked(7, 10_000, 1), observationOf(8, { state: 'S', stack: IDLE }))).toEqual([['stuck', 7, 10]]);
    expect(told(2, blocked(7, 11_000, 1))).toEqual([]);
    expect(told(3, blocked(7, 500, 2))).toEqual([]);
    expect(told(20, blocked(7, 17_500, 2))).toEqual([['stuck', 7, 17]]);
  });

  it('are of tasks that were in one place for so long, where it is not known when they ran', () => {
    const watch = new NewsWatch();
    expect([0, 5, 10, 15].map((seconds) => watch.of(sampleAt(seconds, [blocked(7)])).length)).toEqual([0, 0, 1, 0]);
  });

  it('say what a task waits for, and where', () => {
    const [one] = new NewsWatch().of(sampleAt(0, [blocked(7, 12_345, 1)]));
    expect(one).toMatchObject({
      timeMs: 1_000_000,
      text: expect.stringMatching(/^7 .* has been stuck for 12 s: waits for .*journal/),
      about: { state: 'D', function: 'jbd2_log_wait_commit', stack: 'jbd2_log_wait_commit\next4_sync_file' },
    });
  });

  it('are of triggers, and count what is too much of one sample', () => {
    const all = Array.from({ length: 250 }, (_, at) => blocked(at + 1, 20_000, 1));
    const events = [
      { kind: 'trigger', text: 'blocked>20', timeMs: 5 },
      { kind: 'oom', text: 'x', timeMs: 6 },
    ] as const;
    const news = new NewsWatch().of({ ...sampleAt(0, all), events });
    expect(news).toHaveLength(102);
    expect(news[0]).toEqual({ timeMs: 5, kind: 'trigger', text: 'blocked>20', about: {} });
    expect(news.at(-1)?.text).toBe('150 more tasks are stuck');
  });
});

import { expect, it } from 'vitest';
import type { Clock } from '../model/time.ts';
import { beats } from './beats.ts';

/** A clock that stands still but for what sleeps and samples take. */
class FakeClock implements Clock {
  monotonic = 1234.5;
  nowMs = () => 0;
  monotonicMs = () => this.monotonic;
  sleep = async (milliseconds: number) => {
    this.monotonic += milliseconds;
  };
  zoneAt = () => ({ offsetSeconds: 0, abbreviation: 'UTC' });
}

async function begun(intervalAfter: (ms: number) => number, durationMs: number, tookMs = 7): Promise<number[]> {
  const clock = new FakeClock();
  const start = clock.monotonic;
  const stop = new AbortController().signal;
  const begun: number[] = [];
  const take = async () => {
    const at = clock.monotonic - start;
    begun.push(at);
    clock.monotonic += tookMs;
    return at;
  };
  let last = 0;
  for await (const { taken, sinceDueMs } of beats({
    take,
    clock,
    intervalMs: () => intervalAfter(last),
    durationMs,
    stop,
  })) {
    last = taken;
    expect(sinceDueMs()).toBeCloseTo(tookMs);
  }
  return begun;
}

it('takes the interval that is chosen after each sample', async () => {
  const interval = (ms: number) => (ms >= 1000 && ms < 1300 ? 100 : 500);
  expect(await begun(interval, 2400)).toEqual([0, 500, 1000, 1100, 1200, 1300, 1800, 2300]);
});

it('begins no sample at the end or later, but always the first', async () => {
  expect(await begun(() => 100, 300)).toEqual([0, 100, 200]);
  expect(await begun(() => 100, 0)).toEqual([0]);
});

it('skips the beats that a long sample takes up', async () => {
  expect(await begun(() => 100, 1000, 250)).toEqual([0, 300, 600, 900]);
});

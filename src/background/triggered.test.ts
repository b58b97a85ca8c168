import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTrigger } from '../analysis/trigger.ts';
import { TriggerWatch } from '../analysis/trigger-watch.ts';
import type { Event } from '../model/event.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { triggeredBeats } from './triggered.ts';

/** A clock that stands still but for what sleeps and samples take. */
class FakeClock implements Clock {
  monotonic = 5000;
  nowMs = () => this.monotonic;
  monotonicMs = () => this.monotonic;
  sleep = async (milliseconds: number) => {
    this.monotonic += milliseconds;
  };
  zoneAt = () => ({ offsetSeconds: 0, abbreviation: 'UTC' });
}

const FROZEN = {
  id: 1,
  frames: [
    { symbol: 'percpu_rwsem_wait', raw: '' },
    { symbol: 'mnt_want_write', raw: '' },
  ],
};

function blocked(count: number): Observation[] {
  return Array.from({ length: count }, (_, at) => ({
    task: { id: { tid: at + 1 }, comm: 'touch', commandLine: { value: '' } },
    state: 'D',
    stack: { value: FROZEN },
  }));
}

interface Host {
  readonly when: readonly string[];
  readonly intervalMs: number;
  readonly durationMs: number;
  readonly tookMs?: number;
  readonly denseMs?: number;
  readonly keepMs?: number;
  /** Blocked tasks, by milliseconds since the start. */
  blockedAt(ms: number): number;
  eventsAt?(ms: number): readonly Event[];
}

/** When each written sample was taken, in milliseconds since the start, and its events. */
async function written(host: Host): Promise<{ at: number[]; events: [number, string, string][]; taken: number[] }> {
  const { when, intervalMs, durationMs, tookMs = 0, denseMs = 100, keepMs = 2000 } = host;
  const clock = new FakeClock();
  const start = clock.monotonic;
  const watch = new TriggerWatch(when.map(parseTrigger), new Map(), keepMs);
  const taken: number[] = [];
  const take = async (): Promise<Sample> => {
    const at = Math.round(clock.monotonic - start);
    taken.push(at);
    clock.monotonic += tookMs;
    const events = host.eventsAt?.(at) ?? [];
    return {
      timeMs: at,
      source: { name: 'bpf' },
      threads: true,
      fields: [],
      observations: blocked(host.blockedAt(at)),
      holders: [],
      leftOut: {},
      unread: [],
      ...(events.length > 0 && { events }),
    };
  };
  const at: number[] = [];
  const events: [number, string, string][] = [];
  const stop = new AbortController().signal;
  const options = { take, clock, watch, intervalMs, denseMs, keepMs, durationMs, stop };
  for await (const { taken: sample } of triggeredBeats(options)) {
    at.push(sample?.timeMs ?? -1);
    for (const { kind, text } of sample?.events ?? []) events.push([sample?.timeMs ?? -1, kind, text]);
  }
  return { at, events, taken };
}

const inSteps = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);

describe('while nothing happens', () => {
  it('writes one sample each interval, and looks once a second', async () => {
    const { at, taken } = await written({
      when: ['blocked>2'],
      intervalMs: 10_000,
      durationMs: 35_000,
      blockedAt: () => 2,
    });
    expect(at).toEqual([0, 10_000, 20_000, 30_000, 34_000]);
    expect(taken).toEqual(inSteps(0, 34_000, 1000));
  });

  it('looks less often if samples are dear: at most a twentieth of the time', async () => {
    const { at, taken } = await written({
      when: ['blocked>2'],
      intervalMs: 10_000,
      durationMs: 31_000,
      tookMs: 150,
      blockedAt: () => 0,
    });
    expect(at.slice(0, 4)).toEqual([0, 10_000, 20_000, 30_000]);
    expect(taken).toHaveLength(10);
  });

  it('takes no more than the ordinary samples if these are close enough', async () => {
    const { at, taken } = await written({ when: ['blocked>2'], intervalMs: 500, durationMs: 2001, blockedAt: () => 0 });
    expect(at).toEqual([0, 500, 1000, 1500, 2000]);
    expect(taken).toEqual(at);
  });

  it('keeps what happened at samples that are not written, with the next one that is', async () => {
    const { events } = await written({
      when: ['blocked>2'],
      intervalMs: 10_000,
      durationMs: 24_500,
      blockedAt: () => 0,
      eventsAt: (ms) => (ms % 4000 === 0 ? [{ kind: 'oom', text: String(ms) }] : []),
    });
    expect(events).toEqual([
      [0, 'oom', '0'],
      [10_000, 'oom', '4000'],
      [10_000, 'oom', '8000'],
      [20_000, 'oom', '12000'],
      [20_000, 'oom', '16000'],
      [20_000, 'oom', '20000'],
      [24_000, 'oom', '24000'],
    ]);
  });
});

describe('when a condition comes true', () => {
  it('writes what came before, then densely for as long as it is to keep, each sample once and in order', async () => {
    const { at, events } = await written({
      when: ['blocked>2'],
      intervalMs: 10_000,
      durationMs: 31_000,
      blockedAt: (ms) => (ms >= 15_500 && ms < 17_000 ? 3 : 0),
    });
    expect(at).toEqual([
      ...[0, 10_000],
      ...inSteps(11_000, 15_000, 1000),
      ...inSteps(16_000, 17_900, 100),
      // It is over ten seconds after it was last true.
      ...[20_000, 27_000, 30_000],
    ]);
    expect(events).toEqual([
      [16_000, 'trigger', 'blocked>2: 3 blocked tasks'],
      [27_000, 'calm', 'blocked>2: over after 1.0 s'],
    ]);
  });

  it('writes what it looks at from the moment on when it began to be true, if that has to last', async () => {
    const { at, events } = await written({
      when: ['blocked>2 for 3s'],
      intervalMs: 10_000,
      durationMs: 19_000,
      keepMs: 5000,
      blockedAt: (ms) => (ms >= 12_000 ? 4 : 0),
    });
    expect(at).toEqual([0, 10_000, ...inSteps(11_000, 15_000, 1000), ...inSteps(15_100, 18_900, 100)]);
    expect(events).toEqual([[15_000, 'trigger', 'blocked>2 for 3s: 4 blocked tasks, for 3.0 s']]);
  });

  it('is not set off by what does not last', async () => {
    const { events } = await written({
      when: ['blocked>2 for 3s'],
      intervalMs: 10_000,
      durationMs: 60_000,
      blockedAt: (ms) => (ms % 5000 < 2900 ? 4 : 0),
    });
    expect(events).toEqual([]);
  });

  it('is recorded at a bounded rate if the condition stays true', async () => {
    const hour = 3_600_000;
    const { at, events } = await written({
      when: ['blocked>2'],
      intervalMs: 10_000,
      durationMs: hour,
      keepMs: 60_000,
      blockedAt: () => 3,
    });
    expect(events).toHaveLength(6);
    expect(events[1]).toEqual([600_000, 'trigger', 'blocked>2: 3 blocked tasks, still, after 600 s']);
    // 600 samples in each of six minutes, six in the others.
    expect(at.length).toBeGreaterThan(6 * 600);
    expect(at.length).toBeLessThan(6 * 600 + 54 * 6 + 6 * 20);
    expect(at).toEqual([...new Set(at)].sort((a, b) => a - b));
  });

  it('is recorded at a bounded rate if the condition comes and goes', async () => {
    const { at } = await written({
      when: ['blocked>2'],
      intervalMs: 10_000,
      durationMs: 3_600_000,
      keepMs: 60_000,
      blockedAt: (ms) => (ms % 40_000 < 20_000 ? 3 : 0),
    });
    expect(at.length).toBeLessThan(0.25 * 36_000);
    expect(at).toEqual([...new Set(at)].sort((a, b) => a - b));
  });

  it('ends with the last sample when it is told to', async () => {
    const { at } = await written({ when: ['blocked>2'], intervalMs: 10_000, durationMs: 7500, blockedAt: () => 0 });
    expect(at).toEqual([0, 7000]);
  });
});

it('hung tasks set it off at the line of the log, but not each time that it is printed again', async () => {
  const text = 'INFO: task tar:7 blocked for more than 120 seconds.';
  const { at, events } = await written({
    when: ['hung-task'],
    intervalMs: 10_000,
    durationMs: 500_000,
    blockedAt: () => 0,
    eventsAt: (ms) => (ms > 0 && ms % 120_000 === 4000 ? [{ kind: 'hung-task', text }] : []),
  });
  expect(events.filter(([, kind]) => kind === 'trigger')).toEqual([[4000, 'trigger', `hung-task: ${text}`]]);
  expect(at.filter((ms) => ms > 4000 && ms < 6000)).toHaveLength(19);
  expect(at.filter((ms) => ms > 120_000 && ms < 130_000).length).toBeLessThan(3);
});

it('writes each sample at most once, in order, and none later than the interval after the one before', async () => {
  const spells = fc.array(fc.tuple(fc.nat(60_000), fc.integer({ min: 1, max: 20_000 })), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      spells,
      fc.constantFrom(100, 700, 2500, 10_000),
      fc.constantFrom(0, 30, 400),
      fc.constantFrom('blocked>2', 'blocked>2 for 2s'),
      async (some, intervalMs, tookMs, when) => {
        const { at, taken } = await written({
          when: [when],
          intervalMs,
          durationMs: 60_000,
          tookMs,
          blockedAt: (ms) => (some.some(([from, length]) => ms >= from && ms < from + length) ? 3 : 0),
        });
        expect(at).toEqual([...new Set(at)].sort((a, b) => a - b));
        expect(taken).toEqual(expect.arrayContaining(at));
        expect([at[0], at.at(-1)]).toEqual([taken[0], taken.at(-1)]);
        const pauses = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
        const mostMs = Math.max(intervalMs, tookMs) * 1.5 + tookMs;
        expect(pauses.filter((pause) => pause > mostMs)).toEqual([]);
      },
    ),
  );
});

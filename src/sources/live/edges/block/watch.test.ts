import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../../model/edge.ts';
import type { Reading } from '../../../../model/reading.ts';
import type { Clock } from '../../../../model/time.ts';
import { watchDevices } from './watch.ts';

const DISK: Resource = { key: 'device 8:0', kind: 'device', name: 'sda', evidence: [] };

const requests = (completed: number, inFlight: number): Reading<string> => ({
  value: `${completed} 0 0 0 0 0 0 0 ${inFlight} 0 0\n`,
});

/** Watches a disk whose counters are these, one look after the other, the last one for good. */
async function watch(looks: readonly Reading<string>[], isAwaitedLong = false) {
  let nowMs = 1000;
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (milliseconds) => {
      nowMs += milliseconds;
    },
    zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  };
  const places: string[] = [];
  const readFile = async (path: string) => {
    places.push(path);
    return looks[Math.min(places.length, looks.length) - 1] ?? { unread: 'gone' as const };
  };
  const watched = await watchDevices([DISK], () => isAwaitedLong, { clock, readFile });
  return { ...watched.get('device 8:0'), looks: places.length, tookMs: nowMs - 1000 };
}

describe('a device that is watched', () => {
  it('and completes something is left alone at once', async () => {
    expect(await watch([requests(100, 3), requests(142, 2)])).toMatchObject({
      condition: 'has 2 requests in flight and completed 42 in 10 ms',
      looks: 2,
      evidence: {
        place: '/sys/class/block/sda/stat',
        text: 'in flight 3, then 2; completed 100, then 142',
      },
    });
  });

  it('and ends what it does is told so', async () => {
    const seen = await watch([requests(100, 1), requests(101, 0)]);
    expect(seen).toMatchObject({ condition: 'completed 1 request in 10 ms' });
    expect(seen).not.toHaveProperty('stalled');
  });

  it('and completes nothing is watched for a fifth of a second', async () => {
    expect(await watch([requests(100, 3)])).toMatchObject({
      condition: 'has 3 requests in flight and completed none in 200 ms',
      stalled: true,
      tookMs: 200,
    });
  });

  it('and completes nothing is watched for longer if somebody has waited long', async () => {
    expect(await watch([requests(100, 1)], true)).toMatchObject({
      condition: 'has 1 request in flight and completed none in 500 ms',
      stalled: true,
    });
    const late = [...Array.from({ length: 5 }, () => requests(100, 1)), requests(101, 1)];
    expect(await watch(late, true)).not.toHaveProperty('stalled');
  });

  it('and has nothing to do is looked at once', async () => {
    const seen = await watch([requests(100, 0)]);
    expect(seen).toMatchObject({ idle: true, looks: 1 });
    expect(seen.condition).toBeUndefined();
  });

  it('and counts nothing is not said to have nothing to do', async () => {
    expect(await watch([requests(0, 0)])).not.toHaveProperty('idle');
  });

  it('and goes away meanwhile is gone', async () => {
    expect(await watch([requests(100, 1), { unread: 'gone' }])).toMatchObject({ condition: 'is gone' });
    expect(await watch([{ unread: 'gone' }])).toMatchObject({ condition: 'is gone', looks: 1 });
  });

  it('and does not tell in time is not said to be idle', async () => {
    const seen = await watch([{ unread: 'timeout' }]);
    expect(seen).toMatchObject({ condition: 'does not tell its requests in time', evidence: { text: 'timeout' } });
    expect(seen).not.toHaveProperty('idle');
  });
});

import { expect, it } from 'vitest';
import { Pauses } from './pauses.ts';

it('are longer each time, never longer than a minute, and short again when it has worked', () => {
  const pauses = new Pauses();
  for (let tries = 0; tries < 10; tries++) {
    const longest = Math.min(60_000, 1000 * 2 ** tries);
    const pause = pauses.next();
    expect(pause).toBeGreaterThanOrEqual(longest / 2);
    expect(pause).toBeLessThanOrEqual(longest);
  }
  pauses.reset();
  expect(pauses.next()).toBeLessThanOrEqual(1000);
});

it('are as long as the peer asks, up to a minute', () => {
  const pauses = new Pauses();
  expect(pauses.next(5000)).toBe(5000);
  const next = pauses.next(5000);
  expect(next).toBeGreaterThanOrEqual(5000);
  expect(next).toBeLessThanOrEqual(10_000);
  expect(pauses.next(3_600_000)).toBe(60_000);
});

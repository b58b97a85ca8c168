import { expect, it } from 'vitest';
import { describeFull } from './space.ts';

it.each([
  [{ used: 85, bytes: 0 }, 'Maximum filesystem space reached. Used: 85%, Threshold: 85%'],
  [{ used: 84, bytes: 0 }, undefined],
  [{ used: 80, bytes: 3 * 4096 }, undefined],
  [{ used: 80, bytes: 9000 }, undefined],
  [{ used: 7, bytes: 400_000 }, '400000 bytes more would pass the maximum filesystem space. Used: 7%, Threshold: 85%'],
])('says what is true of a file system of 100 blocks: %o', ({ used, bytes }, told) => {
  expect(describeFull({ type: 0, blocks: 100, used, blockBytes: 4096 }, 85, bytes)).toBe(told);
});

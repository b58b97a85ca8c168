import { expect, it } from 'vitest';
import { takingTurns } from './taking-turns.ts';

it('takes some of each list before more of a long one', () => {
  const long = Array.from({ length: 5000 }, (_, at) => at);
  expect(takingTurns([long, [-1], [-2, -3]], 6)).toEqual([0, -1, -2, 1, -3, 2]);
  expect(takingTurns([[1], [2]], 9)).toEqual([1, 2]);
});

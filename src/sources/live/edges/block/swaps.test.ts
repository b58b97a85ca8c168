import { expect, it } from 'vitest';
import { parseSwaps } from './swaps.ts';

it('names what has pages that were swapped out', () => {
  const text = `Filename				Type		Size		Used		Priority
/dev/dm-1                               partition	8388604		512		-2
/var/swap\\040file                       file		1048572		4		-3
/dev/zram0                              partition	8388604		0		100
broken
`;
  expect(parseSwaps(text)).toEqual([
    { path: '/dev/dm-1', isDevice: true },
    { path: '/var/swap file', isDevice: false },
  ]);
  expect(parseSwaps('')).toEqual([]);
});

import { expect, it } from 'vitest';
import { mapsPlace, sharedPlaceOf } from './shared-memory.ts';

const ONE = `55d0c0000000-55d0c0001000 rw-p 00000000 fe:00 42                         /usr/bin/a
7f0000000000-7f0000004000 rw-s 00001000 00:01 77                         /dev/zero (deleted)
`;
const OTHER = `7e0000000000-7e0000002000 rw-s 00002000 00:01 77                         /dev/zero (deleted)
7e0000002000-7e0000003000 rw-p 00003000 00:01 77                         /dev/zero (deleted)
`;

it('is the same place of the same file, wherever it is mapped', () => {
  const place = sharedPlaceOf(ONE, 0x7f0000001010n);
  expect(place).toEqual({ file: '00:01 77', offset: 0x2010n });
  expect(place && mapsPlace(OTHER, place)).toBe(true);
});

it('is not what is mapped privately, or not at all', () => {
  expect(sharedPlaceOf(ONE, 0x55d0c0000010n)).toBeUndefined();
  const [before, after] = [0x7f0000000000n, 0x7f0000003000n].map((address) => sharedPlaceOf(ONE, address));
  expect(before && mapsPlace(OTHER, before)).toBe(false);
  expect(after && mapsPlace(OTHER, after)).toBe(false);
});

import { describe, expect, it } from 'vitest';
import { parseDiskNames, parseRequests } from './requests.ts';

describe('the counters of a block device', () => {
  it.for([
    [
      'since Linux 5.5',
      '  1950581    90000 62221970  6164264   871774   586999 244122016  2323942        3   633500  8879343   607347     1381 221059752   297056   133591    94078\n',
      { completed: 1_950_581 + 871_774 + 607_347 + 133_591, inFlight: 3 },
    ],
    ['before, with discards', '5 0 40 1 7 0 56 2 1 3 3 11 0 88 1\n', { completed: 23, inFlight: 1 }],
    [
      'before Linux 4.18',
      '       5        0       40        1        7        0       56        2        0        3        3\n',
      { completed: 12, inFlight: 0 },
    ],
    ['below zero in flight', '5 0 40 1 7 0 56 2 4294967295 3 3\n', { completed: 12, inFlight: 0 }],
  ] as const)('are read: %s', ([, text, requests]) => {
    expect(parseRequests(text)).toEqual(requests);
  });

  it.for(['', '\n', '1 2 3\n', '5 0 40 1 7 0 56 2 x 3 3\n', '5 0 40 1 7 0 56 2 -1 3 3\n'])(
    'are not made up from %j',
    (text) => {
      expect(parseRequests(text)).toBeUndefined();
    },
  );
});

it('names all devices of /proc/diskstats', () => {
  const text = `   8       0 sda 1 2 3
   8       1 sda1 1 2 3
 259       0 nvme0n1 1 2 3
 104       0 cciss/c0d0 1 2 3
garbage
 253       0 dm-0 1 2`;
  expect(parseDiskNames(text)).toEqual(['sda', 'sda1', 'nvme0n1', 'cciss/c0d0', 'dm-0']);
});

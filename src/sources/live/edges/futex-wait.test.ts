import { expect, it } from 'vitest';
import { futexWaitOf, parseFutexArray } from './futex-wait.ts';

const callOf = (...words: readonly (number | bigint)[]) => ({
  number: 0,
  arguments: words.map((word) => `0x${word.toString(16)}`),
});

it.each([
  ['FUTEX_WAIT', 'futex', [0x1000, 0, 2], { address: 0x1000n, value: 2, shared: true }],
  ['FUTEX_WAIT_PRIVATE', 'futex', [0x1000, 128, 2], { address: 0x1000n, value: 2, shared: false }],
  ['FUTEX_WAIT_BITSET with a clock', 'futex', [0x1000, 0x189, 5], { address: 0x1000n, value: 5, shared: false }],
  [
    'a value of 32 bits',
    'futex',
    [0x1000, 0, 0xffffffff80000010n],
    { address: 0x1000n, value: 0x80000010, shared: true },
  ],
  ['FUTEX_LOCK_PI', 'futex', [0x1000, 134, 7], { address: 0x1000n, value: undefined, shared: false }],
  ['FUTEX_LOCK_PI2', 'futex', [0x1000, 13, 7], { address: 0x1000n, value: undefined, shared: true }],
  ['FUTEX_WAIT_REQUEUE_PI', 'futex', [0x1000, 139, 0], undefined],
  ['futex_wait', 'futex_wait', [0x1000, 2, 0xffffffff, 0x82], { address: 0x1000n, value: 2, shared: false }],
  ['futex_wait of a byte', 'futex_wait', [0x1000, 2, 0xff, 0], undefined],
  ['futex_waitv', 'futex_waitv', [0x1000, 2], { address: 0x1000n, count: 2 }],
  ['futex_waitv of too many', 'futex_waitv', [0x1000, 129], undefined],
  ['another call', 'read', [3, 0x1000, 2], undefined],
])('%s', (_, name, words, wait) => {
  expect(futexWaitOf(name, callOf(...words))).toEqual(wait);
});

it('takes an array of futexes, unless one of them is of another size or missing', () => {
  const bytes = Buffer.alloc(48);
  bytes.writeBigUInt64LE(2n, 0);
  bytes.writeBigUInt64LE(0x1000n, 8);
  bytes.writeUInt32LE(0x82, 16);
  bytes.writeBigUInt64LE(3n, 24);
  bytes.writeBigUInt64LE(0x2000n, 32);
  bytes.writeUInt32LE(0x02, 40);
  expect(parseFutexArray(bytes, { address: 0n, count: 2 })).toEqual([
    { address: 0x1000n, value: 2, shared: false },
    { address: 0x2000n, value: 3, shared: true },
  ]);
  expect(parseFutexArray(bytes.subarray(0, 40), { address: 0n, count: 2 })).toBeUndefined();
  bytes.writeUInt32LE(0x01, 40);
  expect(parseFutexArray(bytes, { address: 0n, count: 2 })).toBeUndefined();
});

import { expect, it } from 'vitest';
import { type FutexWaiter, inTurns, wordsOf } from './futex-words.ts';

const waiterOf = (pid: number, tid: number, stackPointer = '0x7fff00000000'): FutexWaiter => ({
  pid,
  tid,
  call: { number: 202, arguments: [], stackPointer },
});
const waitFor = (address: bigint, value = 2) => ({ address, value, shared: false });

it('has a word once for all that wait for it, and none that names nobody', () => {
  const words = wordsOf([
    [waiterOf(1, 1), waitFor(0x1000n)],
    [waiterOf(1, 2), waitFor(0x1000n)],
    [waiterOf(2, 3), waitFor(0x1000n)],
    [waiterOf(1, 4), waitFor(0x2000n, 0)],
  ]);
  expect(words.map(({ pid, waiters }) => [pid, waiters.map(({ tid }) => tid)])).toEqual([
    [1, [1, 2]],
    [2, [3]],
  ]);
});

it('lets no process with many words hide those of another, nor words on stacks hide locks', () => {
  const pool = Array.from({ length: 1000 }, (_, at) => {
    const stack = 0x7f0000000000n + BigInt(at) * 0x100000n;
    return [waiterOf(1, at + 1, `0x${stack.toString(16)}`), waitFor(stack + 256n)] as const;
  });
  const words = wordsOf([
    ...pool,
    [waiterOf(1, 2001), waitFor(0x3000n)],
    [waiterOf(1, 2002), waitFor(0x4000n)],
    [waiterOf(1, 2003), waitFor(0x4000n)],
    [waiterOf(2, 3001), waitFor(0x1000n)],
  ]);
  expect(inTurns(words, 4).map(({ waiters: [first] }) => first?.tid)).toEqual([2002, 3001, 2001, 1]);
  expect(inTurns(words, 4000).length).toBe(3 + 64);
});

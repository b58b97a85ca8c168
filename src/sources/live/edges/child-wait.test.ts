import { expect, it } from 'vitest';
import { childWaitOf } from './child-wait.ts';

const ALL = 0xffffffffffffffffn;

it.each([
  ['one', 'wait4', [7n, 0n, 0n], { which: { pid: 7 }, ofThread: false }],
  ['any', 'wait4', [ALL, 0n, 0n], { which: { all: true }, ofThread: false }],
  ['any, by 32 bits', 'waitpid', [0xffffffffn, 0n, 2n], { which: { all: true }, ofThread: false }],
  ['its own group', 'wait4', [0n, 0n, 0n], { which: { group: 0 }, ofThread: false }],
  ['a group', 'wait4', [0xfffffff9n, 0n, 0n], { which: { group: 7 }, ofThread: false }],
  ['those of the thread', 'wait4', [ALL, 0n, 0x20000000n], { which: { all: true }, ofThread: true }],
  ['any, by waitid', 'waitid', [0n, 7n, 0n, 4n], { which: { all: true }, ofThread: false }],
  ['one, by waitid', 'waitid', [1n, 7n, 0n, 0x20000004n], { which: { pid: 7 }, ofThread: true }],
  ['a group, by waitid', 'waitid', [2n, 7n, 0n, 4n], { which: { group: 7 }, ofThread: false }],
  ['a descriptor', 'waitid', [3n, 7n, 0n, 4n], { which: { pidfd: 7 }, ofThread: false }],
  ['an unknown kind', 'waitid', [4n, 7n, 0n, 4n], undefined],
  ['another call', 'read', [0n, 7n, 0n, 4n], undefined],
])('%s', (_, name, words, wait) => {
  expect(childWaitOf(name, { number: 0, arguments: words.map((word) => `0x${word.toString(16)}`) })).toEqual(wait);
});

import { expect, it } from 'vitest';
import { findHidden } from './prefetch.ts';

/** A host with processes 1, 7, 8 and 9, of three threads each. The program visits only `seenPids`. */
function hiddenOf(seenPids: readonly number[], before: { forks: number; threads: number } | undefined) {
  let lists = 0;
  const processes = {
    list: () => {
      lists++;
      return [1, 7, 8, 9];
    },
    threads: () => 12,
    forks: () => 500,
    threadsOf: () => 3,
  };
  const seen = { tasks: seenPids.length * 3, visited: (pid: number) => seenPids.includes(pid) };
  return { hidden: findHidden([1, 7, 7, 0], seen, before, processes), lists };
}

const before = { forks: 500, threads: 12 };

it('does not list processes if none but parents are hidden', () => {
  expect(hiddenOf([1, 7, 8, 9], before)).toEqual({ hidden: [], lists: 0 });
  expect(hiddenOf([7, 8, 9], before)).toEqual({ hidden: [1], lists: 0 });
  expect(hiddenOf([8, 9], before)).toEqual({ hidden: [1, 7], lists: 0 });
});

it('lists processes if others may be hidden', () => {
  expect(hiddenOf([1, 7, 8], before)).toEqual({ hidden: [9], lists: 1 });
  expect(hiddenOf([7, 8], before)).toEqual({ hidden: [1, 9], lists: 1 });
  // A process forked since then could offset a hidden one in the count.
  expect(hiddenOf([1, 7, 8, 9], { ...before, forks: 499 })).toEqual({ hidden: [], lists: 1 });
  expect(hiddenOf([1, 7, 8, 9], { ...before, threads: 13 })).toEqual({ hidden: [], lists: 1 });
  expect(hiddenOf([1, 7, 8, 9], { forks: Number.NaN, threads: Number.NaN })).toEqual({ hidden: [], lists: 1 });
  expect(hiddenOf([1, 7, 8, 9], undefined)).toEqual({ hidden: [], lists: 1 });
});

import { expect, it } from 'vitest';
import { groupNumbers, namespaceNumbers, switchesIn } from './thread-numbers.ts';

const STATUS = `Name:\ta
Tgid:\t4711
NStgid:\t4711\t7
NSpid:\t4712\t8
NSpgid:\t4711\t7
voluntary_ctxt_switches:\t5
nonvoluntary_ctxt_switches:\t2
`;

it('has the numbers of all namespaces, that of the procfs first', () => {
  expect(namespaceNumbers(STATUS)).toEqual([4712, 8]);
  expect(groupNumbers(STATUS)).toEqual([4711, 7]);
  expect(namespaceNumbers('Name:\ta\n')).toEqual([]);
});

it('adds up how often a task has left a CPU, if that is told', () => {
  expect(switchesIn(STATUS)).toBe(7);
  expect(switchesIn('')).toBeNaN();
});

import { expect, test } from 'vitest';
import { listedLater, withObservations } from './changes.ts';
import type { Observation, Sample } from './sample.ts';

const empty: Omit<Sample, 'observations'> = {
  source: { name: 'text' },
  threads: false,
  fields: [],
  holders: [],
  leftOut: {},
  unread: [],
};

test('observations that are listed later are listed once, when somebody asks, by one getter for all samples', () => {
  let lists = 0;
  const listing = (comm: string) => (): Observation[] => {
    lists++;
    return [{ task: { id: {}, comm, commandLine: { unread: 'notTold' } }, stack: { unread: 'notTold' } }];
  };
  const samples = [
    listedLater({ ...empty }, listing('a')),
    listedLater({ ...empty }, listing('b')),
    withObservations(listedLater({ ...empty }, listing('never asked for')), listing('c')),
  ];
  expect(lists).toBe(0);
  const names = () => samples.map(({ observations }) => observations[0]?.task.comm);
  expect([names(), names(), lists]).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], 3]);
  const copies = samples.map((sample) => ({ ...sample }));
  expect(copies.map(({ observations }) => observations[0]?.task.comm)).toEqual(['a', 'b', 'c']);
  // With a getter each, V8 makes a table of names of each sample: a report of a day takes a sixth longer.
  const getters = samples.map((sample) => Object.getOwnPropertyDescriptor(sample, 'observations')?.get);
  expect(new Set(getters).size).toBe(1);
});

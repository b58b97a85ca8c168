import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import { TaskLives } from '../analysis/times/task-lives.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { StackTable } from '../model/stack.ts';
import { changeOf, comparedTree, type FlameNode, flameBoxes, flameTree, matchedWeight } from './flame-layout.ts';

const stacks = new StackTable();

function observation(tid: number, comm: string, ...symbols: string[]): Observation {
  const stack = stacks.intern(symbols.map((symbol) => `[<0>] ${symbol}+0x1/0x2`).join('\n'));
  return { task: { id: { tid }, pid: tid, comm, commandLine: { value: '' } }, state: 'D', stack: { value: stack } };
}

function sampleAt(seconds: number, ...observations: Observation[]): Sample {
  return { ...EMPTY_SAMPLE, timeMs: 1000 * seconds, threads: true, observations };
}

/** Two tasks in write(2) for ten seconds, one of which then reads for five. */
function lives() {
  const all = new TaskLives();
  const one = observation(1, 'a', 'inner', 'ksys_write', 'do_syscall_64');
  const other = observation(2, 'b', 'ksys_write', 'do_syscall_64');
  const reads = observation(1, 'a', 'ksys_read', 'do_syscall_64');
  for (const seconds of [0, 5]) all.add(sampleAt(seconds, one, other));
  for (const seconds of [10, 15]) all.add(sampleAt(seconds, reads));
  return all.all();
}

const WHOLE = { fromMs: 0, toMs: 15_000 };

describe('a flame graph', () => {
  it('is as wide as the time that tasks were in a function, from the outermost in', () => {
    const root = flameTree(lives(), WHOLE, 'function', false);
    const entry = root.children.get('do_syscall_64');
    expect([root.weight, entry?.weight]).toEqual([25, 25]);
    expect(entry?.children.get('ksys_write')?.weight).toBe(20);
    expect(entry?.children.get('ksys_write')?.children.get('inner')?.weight).toBe(10);
    expect(entry?.children.get('ksys_read')?.weight).toBe(5);
  });

  it('has only what is in the chosen time', () => {
    expect(flameTree(lives(), { fromMs: 8000, toMs: 12_000 }, 'function', false).weight).toBe(2 + 2 + 2);
  });

  it('groups by command, too', () => {
    const { children } = flameTree(lives(), WHOLE, 'command', false);
    expect([...children].map(([name, { weight }]) => [name, weight])).toEqual([
      ['a', 15],
      ['b', 10],
    ]);
  });

  it('leaves out boxes that nobody could see, and keeps the others beside each other', () => {
    const boxes = flameBoxes(flameTree(lives(), WHOLE, 'function', false), 0.3);
    expect(boxes.map(({ node, depth, from, to }) => [node.name, depth, from, to])).toEqual([
      ['all', 0, 0, 1],
      ['do_syscall_64', 1, 0, 1],
      ['ksys_write', 2, 0, 0.8],
      ['inner', 3, 0, 0.4],
    ]);
  });

  it('counts what matches a search once, also where a match is in another', () => {
    const root = flameTree(lives(), WHOLE, 'function', false);
    expect(matchedWeight(root, (name) => name === 'ksys_write' || name === 'inner')).toBe(20);
  });
});

describe('a comparison of two flame graphs', () => {
  const node = (name: string, weight: number, ...children: FlameNode[]): FlameNode => ({
    name,
    weight,
    children: new Map(children.map((child) => [child.name, child])),
  });
  const before = { tree: node('all', 40, node('gone', 20), node('stays', 20, node('inner', 10))), seconds: 10 };
  const after = { tree: node('all', 20, node('stays', 10), node('new', 10)), seconds: 5 };

  it('has how many tasks there were on average on both sides, however long these are', () => {
    const { children, ...all } = comparedTree(before, after, 'larger');
    expect(all).toMatchObject({ before: 4, after: 4 });
    const found = [...children.values()].map((child) => [child.name, child.before, child.after, changeOf(child)]);
    expect(found).toEqual([
      ['gone', 2, 0, -1],
      ['stays', 2, 2, 0],
      ['new', 0, 2, 1],
    ]);
  });

  it('is as wide as the larger side of each stack, or as one of the sides', () => {
    const widthsBy = (width: 'larger' | 'before' | 'after') => {
      const root = comparedTree(before, after, width);
      return [root.weight, ...[...root.children.values()].map(({ weight }) => weight)];
    };
    // In `stays`, one task was in `inner` before, and two were in `stays` itself after.
    expect(widthsBy('larger')).toEqual([7, 2, 3, 2]);
    expect(widthsBy('before')).toEqual([4, 2, 2, 0]);
    expect(widthsBy('after')).toEqual([4, 0, 2, 2]);
  });
});

import { describe, expect, it } from 'vitest';
import { TaskLives } from '../analysis/task-lives.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { StackTable } from '../model/stack.ts';
import { flameBoxes, flameTree, matchedSeconds } from './flame-layout.ts';

const stacks = new StackTable();

function observation(tid: number, comm: string, ...symbols: string[]): Observation {
  const stack = stacks.intern(symbols.map((symbol) => `[<0>] ${symbol}+0x1/0x2`).join('\n'));
  return { task: { id: { tid }, pid: tid, comm, commandLine: { value: '' } }, state: 'D', stack: { value: stack } };
}

function sampleAt(seconds: number, ...observations: Observation[]): Sample {
  return {
    timeMs: 1000 * seconds,
    host: 'h',
    source: { name: 'procfs' },
    threads: true,
    fields: [],
    observations,
    holders: [],
    leftOut: {},
    unread: [],
  };
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
    expect([root.seconds, entry?.seconds]).toEqual([25, 25]);
    expect(entry?.children.get('ksys_write')?.seconds).toBe(20);
    expect(entry?.children.get('ksys_write')?.children.get('inner')?.seconds).toBe(10);
    expect(entry?.children.get('ksys_read')?.seconds).toBe(5);
  });

  it('has only what is in the chosen time', () => {
    expect(flameTree(lives(), { fromMs: 8000, toMs: 12_000 }, 'function', false).seconds).toBe(2 + 2 + 2);
  });

  it('groups by command, too', () => {
    const { children } = flameTree(lives(), WHOLE, 'command', false);
    expect([...children].map(([name, { seconds }]) => [name, seconds])).toEqual([
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
    expect(matchedSeconds(root, (name) => name === 'ksys_write' || name === 'inner')).toBe(20);
  });
});

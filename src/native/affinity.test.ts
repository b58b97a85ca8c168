import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { onEachCpu } from './affinity.ts';

const allowed = () => /^Cpus_allowed:\t(.*)$/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1];
const cpuNow = () => Number(readFileSync('/proc/thread-self/stat', 'latin1').replace(/.*\) /, '').split(' ')[36]);
const always = { nowMs: () => 0, untilMs: 1 };

describe('onEachCpu', () => {
  it('looks on each CPU, and leaves the thread where it may run', () => {
    const before = allowed();
    expect([...onEachCpu([0], cpuNow, always)]).toEqual([[0, 0]]);
    expect(allowed()).toBe(before);
  });

  it('leaves out what is no CPU of this host, and what it has no time for', () => {
    expect([...onEachCpu([8191, 8192, -1, 0.5], cpuNow, always)]).toEqual([]);
    expect([...onEachCpu([0], cpuNow, { nowMs: () => 2, untilMs: 1 })]).toEqual([]);
  });

  it('goes back even if the look fails', () => {
    const before = allowed();
    const failing = () => {
      throw new Error('no');
    };
    expect(() => onEachCpu([0], failing, always)).toThrow('no');
    expect(allowed()).toBe(before);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../model/time.ts';
import { ownTime } from './own-time.ts';

const UTC = { offsetSeconds: 0, abbreviation: 'UTC' };

function host(schedstat: string) {
  const root = mkdtempSync(join(tmpdir(), 'kstack-own-time-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'self'));
  const tell = (text: string) => writeFileSync(join(root, 'self/schedstat'), text);
  tell(schedstat);
  let nowMs = 1000;
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => nowMs, sleep: () => Promise.resolve(), zoneAt: () => UTC };
  const own = ownTime(clock, root, 2500);
  return {
    tell,
    passed(passedMs: number) {
      nowMs += passedMs;
      return own.monotonicMs();
    },
  };
}

describe('the time for work', () => {
  it('passes only while the process does not wait for a CPU', () => {
    const { tell, passed } = host('5000000 40000000 7\n');
    expect(passed(100)).toBe(1100);
    tell('6000000 340000000 9\n');
    expect(passed(400)).toBe(1200);
    expect(passed(50)).toBe(1250);
  });

  it('falls behind by so much at most, and never goes back', () => {
    const { tell, passed } = host('0 0 0\n');
    tell('0 900000000000 1\n');
    expect(passed(4000)).toBe(2500);
    tell('0 0 1\n');
    expect(passed(20)).toBe(2520);
  });

  it('is the ordinary one where the kernel does not tell', () => {
    const { tell, passed } = host('');
    tell('0 900000000 1\n');
    expect(passed(500)).toBe(1500);
  });
});

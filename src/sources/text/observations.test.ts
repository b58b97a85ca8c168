import { describe, expect, it } from 'vitest';
import { foundIn } from '../../../test/found.ts';
import type { Observation } from '../../model/sample.ts';
import { observationsOf } from './observations.ts';

function observationsIn(...lines: readonly string[]): Observation[] {
  return foundIn(lines).flatMap(observationsOf);
}

describe('a task of a text', () => {
  it('waits for the lock that the kernel names, and likely for its holder', () => {
    const likely = 'INFO: task a:7 is blocked on a mutex likely owned by task b:8.';
    const lock = { kind: 'mutex', owner: 8, inferred: true };
    expect(observationsIn('task:a state:D stack:0 pid:7', 'Call Trace:', ' f+0x1/0x2', likely)).toMatchObject([
      { task: { id: { tid: 7 }, comm: 'a' }, state: 'D', stack: { value: {} }, facts: { lock } },
    ]);
    expect(observationsIn(likely)).toMatchObject([
      { task: { id: { tid: 7 }, comm: 'a' }, state: 'D', stack: { unread: 'notTold' }, facts: { lock } },
    ]);
  });

  it('ran for as long as the watchdog says', () => {
    const lockup = 'watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [copier:7]';
    const told = { task: { id: { tid: 7 }, comm: 'copier' }, state: 'R', facts: { onCpuMs: 26_000 } };
    expect(observationsIn(lockup)).toMatchObject([told]);
    expect(
      observationsIn(
        lockup,
        'CPU: 3 PID: 7 Comm: copier Not tainted',
        'RIP: 0010:f+0x1/0x2',
        'Call Trace:',
        ' g+0x1/0x2',
      ),
    ).toMatchObject([{ ...told, stack: { value: {} } }]);
  });

  it('of a table of ps has the beginning of a stack, or none', () => {
    expect(observationsIn('PID STAT WCHAN COMMAND', '7 Ds f tar', '8 R - cp')).toMatchObject([
      { task: { comm: 'tar' }, state: 'D', stack: { value: { frames: [{ symbol: 'f' }] }, cut: true }, wchan: 'f' },
      { task: { comm: 'cp' }, state: 'R', stack: { unread: 'notTold' } },
    ]);
  });
});

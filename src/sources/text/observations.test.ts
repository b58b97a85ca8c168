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

  it('runs the work that the log names behind its header', () => {
    const of = (work: string) =>
      observationsIn('task:kworker/0:1 state:D stack:0 pid:7', work, 'Call Trace:', ' f+0x1/0x2')[0]?.facts?.work;
    expect(of('Workqueue: writeback wb_workfn (flush-8:0)')).toBe('wb_workfn');
    expect(of('Workqueue: xfs-conv/dm-0 xfs_end_io [xfs]')).toBe('xfs_end_io');
    expect(of('Workqueue:  0x0 (events)')).toBeUndefined();
    expect(observationsIn('Workqueue: events f', 'Call Trace:', ' f+0x1/0x2')[0]?.facts).toBeUndefined();
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

  it('ran for as long as RCU waited, at least', () => {
    const rcu = (line: string) => `[ 1234.500000] rcu: ${line}`;
    const stack = ['CPU: 3 PID: 7 Comm: copier Not tainted', 'RIP: 0010:f+0x1/0x2', 'Call Trace:', ' g+0x1/0x2'];
    const other = ['CPU: 1 PID: 8 Comm: other Not tainted', 'Call Trace:', ' h+0x1/0x2', ' h+0x1/0x2'];
    const log = (lines: readonly string[]) => lines.map((line) => `[ 1234.600000] ${line}`);
    for (const told of ['(t=21003 jiffies g=12345 q=99)', '(detected by 2, t=21003 jiffies, g=12345, q=99)'])
      expect(
        observationsIn(rcu(told), ...log(stack), rcu('rcu_sched kthread starved for 5 jiffies!'), ...log(other)),
      ).toMatchObject([
        { task: { comm: 'copier' }, state: 'R', facts: { onCpuMs: 21_003 } },
        { task: { comm: 'other' }, state: 'R' },
      ]);
    const [, without] = observationsIn(
      rcu('(t=21003 jiffies g=1)'),
      ...log(stack),
      rcu('All QSes seen'),
      ...log(other),
    );
    expect(without?.facts).toBeUndefined();
    expect(observationsIn(rcu('(t=9 jiffies g=1)'), ...stack.map((line) => `[ 9999.000000] ${line}`))[0]?.facts).toBe(
      undefined,
    );
  });

  it('of a table of ps has the beginning of a stack, or none', () => {
    expect(observationsIn('PID STAT WCHAN COMMAND', '7 Ds f tar', '8 R - cp')).toMatchObject([
      { task: { comm: 'tar' }, state: 'D', stack: { value: { frames: [{ symbol: 'f' }] }, cut: true }, wchan: 'f' },
      { task: { comm: 'cp' }, state: 'R', stack: { unread: 'notTold' } },
    ]);
  });
});

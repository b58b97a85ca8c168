import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';

const COPY = ['__schedule+0x2e/0x90', 'f_wait+0xc5/0x140', 'f_sync+0x1c8/0x3a0 [f]'];
const MOVE = ['__schedule+0x2e/0x90', 'g_wait+0xc5/0x140', 'g_sync+0x1c8/0x3a0 [g]'];
const OTHER = 'usb 1-1: new device';
const log = (lines: readonly string[]) => lines.map((line) => `[ 1234.567890] ${line}\n`).join('');
const tell = (...lines: readonly string[]) => told(log(lines));

describe('a line of a log above a stack', () => {
  it.each([
    'nfs: stuck request of cp (pid 4102)',
    'drv: timeout in task cp:4102',
    'drv: stack of cp/4102:',
    'drv 0000:03:00.0: ring stuck, dumping process cp[4102]:',
    'drv: thread cp, pid 4102, blocked; stack:',
    'drv: PID 4102 (cp)',
    'Lustre: dumping the stack for debugging: pid 4102, comm cp',
    'thread 4102 (cp) is stuck:',
    'pid=4102 comm=cp',
  ])('names its task: %s', async (title) => {
    expect(await tell(OTHER, title, ...COPY)).toEqual(['cp 4102: __schedule f_wait f_sync']);
    expect(await tell(OTHER, title, 'Call Trace:', '<TASK>', ...COPY)).toEqual(['cp 4102: __schedule f_wait f_sync']);
  });

  it('tells the state, and the name of a worker', async () => {
    expect(await tell('drv: task kworker/12:1 (77) state D', ...COPY)).toEqual([
      'kworker/12:1 77 D: __schedule f_wait f_sync',
    ]);
  });

  it('is a header of an old kernel, also in wider columns', async () => {
    expect(await tell('archiver          D    0  4102      1 0x00000000', ...COPY)).toEqual([
      'archiver 4102 D: __schedule f_wait f_sync',
    ]);
  });

  it('ends the stack before, if that is not cut off by it', async () => {
    expect(await tell('drv: PID 4102 (cp):', ...COPY, 'drv: PID 4103 (mv):', ...MOVE)).toEqual([
      'cp 4102: __schedule f_wait f_sync',
      'mv 4103: __schedule g_wait g_sync',
    ]);
    expect(await tell('the first waiter:', ...COPY, 'the second waiter:', ...MOVE)).toEqual([
      ': __schedule f_wait f_sync',
      ': __schedule g_wait g_sync',
    ]);
    expect(await tell(...COPY, 'drv: PID 4103 (mv):', 'h_open+0x5/0x10')).toEqual([
      ': __schedule f_wait f_sync h_open',
    ]);
  });

  it.each([
    ['another line follows', 'drv: PID 4102 (cp)', OTHER, ...COPY],
    ['a header follows', 'drv: PID 4103 (mv)', 'task:cp state:D stack:0 pid:4102', ...COPY],
    ['the stack is that of who prints it', 'drv: bad request of cp (pid 4102)', 'dump_stack+0x5/0x10', ...COPY],
    ['it is of the audit', 'audit: type=1300 pid=4102 comm="cp"', ...COPY],
    ['it is a sentence about a CPU', 'drv: stuck in step(12)', ...COPY],
  ])('says nothing of it: %s', async (_, ...lines) => {
    expect(await tell(...lines)).not.toEqual([expect.stringMatching(/^(?:cp 4102:|mv|step)/)]);
  });
});

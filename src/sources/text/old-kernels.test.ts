import { describe, expect, it } from 'vitest';
import { told } from '../../../test/told.ts';

const lines = (...all: readonly string[]) => `${all.join('\n')}\n`;
const TRACE = ['Call Trace:', ' [<c0265da0>] schedule+0xd8/0xfc', ' [<c02a0bab>] flush_queue+0x72/0xa7'];

describe('old kernels', () => {
  it('print the module in brackets, and the offset behind it', async () => {
    const text = lines(
      'journald      D DD99A000     0   197      1           956   196 (L-TLB)',
      'Call Trace: [<c0118ecb>] sleep_on [kernel] 0x4b',
      '[<e084076e>] commit_all_Rsmp_89deb980 [jbd] 0x15e',
      '[<c0107286>] kernel_thread [kernel] 0x26',
    );
    expect(await told(text)).toEqual(['journald 197 D: sleep_on commit_all kernel_thread']);
  });

  it.each([
    ['behind the state', 'ip   D [ffff810139201040] ffff81013fe47840    0  3526 3433 (NOTLB)', 'ip 3526 D'],
    [
      'before it',
      'monitor       [c53da030]D 00001CBC  5996 25659   6740               13442 (NOTLB)',
      'monitor 25659 D',
    ],
  ])('print the address of a task %s, with the real-time patches', async (_, header, task) => {
    expect(await told(lines(header, ...TRACE))).toEqual([`${task}: schedule flush_queue`]);
  });

  it.each([
    ['ip   D [ffff810139201040] ffff81013fe47840    0  3526 3433'],
    ['kernel: ip          D C053EAA0     0  3526  17769         17844 17842'],
  ])('have headers that a mail program breaks before their flags: %s', async (header) => {
    expect(await told(lines(header, '(NOTLB)', ...TRACE))).toEqual(['ip 3526 D: schedule flush_queue']);
  });
});

describe('crash and its relatives', () => {
  it('leave no frame for calls that a script has added', async () => {
    const header = 'PID: 7  TASK: 99398000  CPU: 0   COMMAND: "tar"';
    const added = ['     [inlined] f2', '    [ret call] f3+0x1a at 3089d96a', '    [ret call] f4+0x1a at 3089d96b'];
    const frames = [' #0 [997df970] f+0x34c at 3089c424', ...added, ' #1 [997df9e0] g+0x7e at 3089cafe'];
    expect(await told(lines(header, ...frames))).toEqual(['tar 7: f g']);
  });

  it('name files without a line, or shortened, behind a frame of its own', async () => {
    const text = lines(
      'PID: 7 tar',
      '#0 at 0xffffffff90d79914 (schedule+0x394/0xa53) in schedule at ../core.c:3551:2',
      '#1 at 0xffffffffc0be06b3 (txg_wait+0xf3/0x258) in txg_wait at ..',
    );
    expect(await told(text)).toEqual(['7: schedule txg_wait']);
  });
});

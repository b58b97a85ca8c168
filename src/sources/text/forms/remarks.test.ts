import { describe, expect, it } from 'vitest';
import { told } from '../../../../test/told.ts';

const COPY = ['[<0>] f_wait+0xc5/0x140', '[<0>] f_sync+0x1c8/0x3a0 [f]'];
const MOVE = ['[<0>] g_wait+0xc5/0x140', '[<0>] g_sync+0x1c8/0x3a0 [g]'];
const OUTERMOST = '[<0>] entry_SYSCALL_64_after_hwframe+0x33/0x40';
const code = (lines: readonly string[]) => lines.map((line) => `// ${line}`);
const tell = (...lines: readonly string[]) => told(`${lines.join('\n')}\n`);

describe('comments of code', () => {
  it.each([
    ['frames', COPY, MOVE],
    ['whole stacks', [...COPY, OUTERMOST], [...MOVE, OUTERMOST]],
    ['frames in comments, too', COPY, code(MOVE)],
    ['frames with remarks', [...COPY, '// holds the lock'], [...MOVE, '// see also io_schedule+0x1/0x2']],
  ])('are the titles of stacks: %s', async (_, first, second) => {
    const found = await tell('// PID 4102 (cp):', ...first, '// PID 4103 (mv):', ...second);
    const [copy, move] = found.map((each) => each.replace(' entry_SYSCALL_64_after_hwframe', ''));
    expect(found).toHaveLength(2);
    expect([copy, move]).toEqual(['cp 4102: f_wait f_sync', 'mv 4103: g_wait g_sync']);
  });

  it('have a whole stack in them, behind a plain one', async () => {
    const stacks = [': f_wait f_sync entry_SYSCALL_64_after_hwframe', ': g_wait g_sync entry_SYSCALL_64_after_hwframe'];
    expect(await tell(...COPY, OUTERMOST, ...code([...MOVE, OUTERMOST]))).toEqual(stacks);
    expect(await tell(...COPY, OUTERMOST, ...code(['Call Trace:', ...MOVE, OUTERMOST]))).toEqual(stacks);
  });

  it('are titles also where no other one is a comment', async () => {
    expect(await tell('PID 4102 (cp):', ...COPY, '// PID 4103 (mv):', ...code(MOVE))).toEqual([
      'cp 4102: f_wait f_sync',
      'mv 4103: g_wait g_sync',
    ]);
  });

  it('have frames in them that somebody took out', async () => {
    expect(await tell(...COPY, '// [<0>] h_sync+0x1/0x2', '// PID of the other', OUTERMOST)).toEqual([
      ': f_wait f_sync entry_SYSCALL_64_after_hwframe',
    ]);
  });
});

describe('a remark behind a function', () => {
  const remarks = [
    '# here',
    '<-- here',
    '<== HERE',
    '<<<',
    '// waits here',
    '/* here */',
    '← here',
    '(stuck here)',
    '!!!',
    '** here',
  ];

  it.each(remarks)('is left out: %s', async (remark) => {
    const names = ['__schedule', 'schedule', 'io_schedule', 'folio_wait_bit', 'do_fsync', 'do_syscall_64'];
    const remarked = (lines: readonly string[]) =>
      lines.map((line, at) => (at > 1 && at < 4 ? `${line} ${remark}` : line));
    const found = [`: ${names.join(' ')}`];
    expect(await tell(...remarked(names))).toEqual(found);
    expect(await tell(...remarked(names.map((name) => `    ${name}+12`)))).toEqual(found);
    expect(await tell(...remarked(names.map((name) => ` ${name}+0x12/0x40`)))).toEqual(found);
    expect(await tell(...remarked(names.map((name, at) => `#${at}  ${name} (fs/f.c:12:3)`)))).toEqual(found);
  });

  it('with an offset has no function in it', async () => {
    expect(await tell(...COPY.map((line) => `${line} # at +0x5/0x10`))).toEqual([': f_wait f_sync']);
  });

  it('makes no stack of a sum in code', async () => {
    expect(await tell('    buf_len+4 // the header', '    buf_len+8 // and the tail')).toEqual([]);
  });
});

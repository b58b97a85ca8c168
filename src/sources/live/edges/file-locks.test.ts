import { expect, it } from 'vitest';
import { observationOf } from '../../../../test/samples.ts';
import { FileLockTable } from './file-lock-table.ts';
import { whoGotLock } from './file-locks.ts';

it('whoever waited when it was seen, and holds a lock when the table is read, has just got it', () => {
  const seen = (tid: number, ...names: string[]) => {
    const frames = names.map((symbol) => ({ raw: `${symbol}+0x1/0x2`, symbol, offset: 1, size: 2 }));
    return observationOf(tid, { state: 'S', stack: { value: { id: tid, frames } } });
  };
  const tasks = [seen(10, 'fcntl_setlk', 'do_fcntl'), seen(20, 'fcntl_setlk', 'do_fcntl'), seen(30, 'do_poll')];
  const table = '1: POSIX  ADVISORY  WRITE 10 00:21:7 0 EOF\n1: -> POSIX  ADVISORY  WRITE 20 00:21:7 0 EOF\n';
  expect(whoGotLock(tasks, new FileLockTable(table))).toEqual(new Set([10]));
});

import { expect, it } from 'vitest';
import { FileLockTable, parseFileLocks, parseLocksOfDescriptor } from './file-lock-table.ts';

const NEW = `1: OFDLCK ADVISORY  WRITE -1 fe:00:2228516 0 EOF
1: -> OFDLCK ADVISORY  WRITE -1 fe:00:2228516 0 EOF
2: POSIX  ADVISORY  READ  5185 fe:00:2228501 0 99
2: -> POSIX  ADVISORY  WRITE 5238 fe:00:2228501 50 EOF
3: FLOCK  ADVISORY  WRITE 5185 fe:00:2228468 0 EOF
3: -> FLOCK  ADVISORY  WRITE 5236 fe:00:2228468 0 EOF
3:  -> FLOCK  ADVISORY  WRITE 5237 fe:00:2228468 0 EOF
4: LEASE  BREAKING  UNLCK 13987 fe:00:2228512 0 EOF
4: -> LEASE  BREAKER   WRITE 13988 <none>:0 0 EOF
5: POSIX  ADVISORY  READ  5186 fe:00:2228501 40 60
6: POSIX  ADVISORY  READ  5187 fe:00:2228501 0 49
7: POSIX  ADVISORY  READ  5238 fe:00:2228501 0 EOF
8: DELEG  ACTIVE    READ  900 fe:00:77 0 EOF
9: UNKNOWN UNKNOWN  NONE  1 fe:00:78 0 EOF
`;

it('has waiters behind the lock that they wait for, however far they are indented', () => {
  expect(parseFileLocks(NEW).map(({ kind, pid, waiters }) => [kind, pid, waiters.map((each) => each.pid)])).toEqual([
    ['ofd', -1, [-1]],
    ['posix', 5185, [5238]],
    ['flock', 5185, [5236, 5237]],
    ['lease', 13987, [13988]],
    ['posix', 5186, []],
    ['posix', 5187, []],
    ['posix', 5238, []],
    ['delegation', 900, []],
  ]);
});

it('takes ranges, files and access', () => {
  const [, posix, , lease] = parseFileLocks(NEW);
  expect(posix).toMatchObject({ writes: false, file: 'fe:00:2228501', start: 0n, end: 99n });
  expect(posix?.waiters[0]).toMatchObject({ writes: true, start: 50n, end: undefined });
  expect(lease?.waiters[0]?.file).toBeUndefined();
});

it('finds the waits of a process, and all locks in the way of one', () => {
  const table = new FileLockTable(NEW);
  const entry = table.waitsOf(5238).find(({ wanted }) => wanted.kind === 'posix');
  if (entry === undefined) throw new Error('no wait');
  // Not that of other bytes, nor its own.
  expect(table.othersInTheWay(entry.held, entry.wanted).map(({ pid }) => pid)).toEqual([5186]);
  // Of file descriptions no process is recorded.
  expect(table.waitsOf(1).map(({ wanted }) => wanted.kind)).toEqual(['ofd']);
});

it('leaves out what is no line of it', () => {
  expect(
    parseFileLocks('\n-> FLOCK\n1: FLOCK ADVISORY WRITE x fe:00:1 0 EOF\n2: toString  a WRITE 1 b 0 EOF\n'),
  ).toEqual([]);
  expect(parseFileLocks('1: -> FLOCK  ADVISORY  WRITE 5236 fe:00:1 0 EOF\n')).toEqual([]);
});

it('finds the locks of a descriptor', () => {
  const fdinfo = 'pos:\t0\nflags:\t02\nlock:\t1: FLOCK  ADVISORY  WRITE 5185 fe:00:2228468 0 EOF\n';
  const [, , flock] = parseFileLocks(NEW);
  expect(parseLocksOfDescriptor(fdinfo).map(({ text }) => text)).toEqual([flock?.text]);
});

import { expect, it } from 'vitest';
import { filesOfCall } from './files.ts';

const CWD = '0xffffff9c';

it.each([
  ['read', 0, ['0x3', '0x7000', '0x10'], [{ fd: 3 }]],
  ['rename', 82, ['0x10', '0x20'], [16n, 32n].map((path) => ({ path, from: 'cwd' }))],
  [
    'renameat2',
    316,
    [CWD, '0x10', '0x5', '0x20', '0x0'],
    [
      { path: 16n, from: 'cwd' },
      { path: 32n, from: 5 },
    ],
  ],
  ['openat that creates', 257, [CWD, '0x10', '0x41', '0x1b6'], [{ path: 16n, from: 'cwd' }]],
  ['symlink', 88, ['0x10', '0x20'], [{ path: 32n, from: 'cwd' }]],
  ['copy_file_range', 326, ['0x3', '0x0', '0x4', '0x0', '0x10', '0x0'], [{ fd: 3 }, { fd: 4 }]],
  ['mmap without a file', 9, ['0x0', '0x1000', '0x3', '0x22', '0xffffffff', '0x0'], []],
  ['getpid', 39, [], []],
  ['a call that is not known', 9999, ['0x3'], []],
])('the files of %s', (_, number, registers, files) => {
  expect(filesOfCall({ number, arguments: registers }, 'x64')).toEqual(files);
});

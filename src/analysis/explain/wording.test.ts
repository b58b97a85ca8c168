import { expect, it } from 'vitest';
import { tellsMore } from './wording.ts';

it.each([
  ['write pages of a file to the disk', 'pages of a file to be written'],
  ['read an ext4 inode', 'an ext4 inode to be read'],
  ['use an ext4 inode', 'an ext4 inode to be read'],
  ['flush a file of a FUSE file system', 'a FUSE daemon to flush a file'],
])('%s tells nothing new after: %s', (purpose, sentence) => {
  expect(tellsMore(purpose, sentence)).toBe(false);
});

it.each([
  ['change the attributes of a file', 'pages of a file to be written to an NFS server'],
  ['load a kernel module', 'the lock of the list of kernel modules, which another task holds'],
  ['unmount a file system', 'all dirty data of a file system to be written'],
])('%s tells more after: %s', (purpose, sentence) => {
  expect(tellsMore(purpose, sentence)).toBe(true);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MountTable, normalPath, parseMountinfo } from './mountinfo.ts';

const TEXT = `27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,discard
24 27 0:6 / /dev rw,nosuid - devtmpfs devtmpfs rw,size=4096k
42 27 0:39 / /mnt/a\\040b\\134 rw shared:2 master:1 - fuse.sshfs host:/a\\054b rw,user_id=0,lowerdir=/x=y
43 27 0:40 /sub /mnt/nfs rw - nfs4 10.0.0.5:/srv rw,vers=4.2,addr=10.0.0.5
44 43 0:41 / /mnt/nfs rw - tmpfs  rw
45 27 0:42 / /mn rw - tmpfs tmpfs
47 27 0:44 / /srv/old/deep rw - tmpfs tmpfs
48 27 0:45 / /srv/old rw - tmpfs tmpfs`;

const parsed = parseMountinfo(`${TEXT}\nsomething else\n46 27 0:43 / /cut rw`);
const table = new MountTable(parsed);

describe('mountinfo', () => {
  it('is read with optional fields, octal escapes and options, without lines that are cut or something else', () => {
    expect(parsed.map(({ id, point, type }) => [id, point, type])).toEqual([
      [27, '/', 'ext4'],
      [24, '/dev', 'devtmpfs'],
      [42, '/mnt/a b\\', 'fuse.sshfs'],
      [43, '/mnt/nfs', 'nfs4'],
      [44, '/mnt/nfs', 'tmpfs'],
      [45, '/mn', 'tmpfs'],
      [47, '/srv/old/deep', 'tmpfs'],
      [48, '/srv/old', 'tmpfs'],
    ]);
    expect(parsed[2]).toMatchObject({ device: '0:39', parentId: 27, root: '/', source: 'host:/a,b' });
    expect(parsed[2]?.options.get('lowerdir')).toBe('/x=y');
    expect(parsed[3]?.options.get('addr')).toBe('10.0.0.5');
    expect(parsed[4]?.source).toBe('');
  });

  it.each([
    ['/etc/passwd', 27],
    ['/', 27],
    ['/dev', 24],
    ['/devices', 27],
    ['/mnt/a b\\/c', 42],
    ['/mnt', 27],
    // The later mount covers the earlier one.
    ['/mnt/nfs/x', 44],
    ['/mn/x', 45],
    // Hidden by a later mount above it.
    ['/srv/old/deep/x', 48],
  ])('%s lies on mount %i', (path, id) => {
    expect(table.at(path)?.id).toBe(id);
  });

  it('of this process can be read', () => {
    const own = new MountTable(parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')));
    expect(own.at('/proc/self')?.type).toBe('proc');
  });

  it('of a chroot without a mount has none for most paths', () => {
    const chroot = new MountTable(parseMountinfo('42 27 0:39 / /mnt rw - ext4 /dev/sdb rw'));
    expect([chroot.at('/etc'), chroot.at('/mnt/a')?.id]).toEqual([undefined, 42]);
  });
});

it.each([
  ['/a/./b//c/', '/a/b/c'],
  ['/a/../../b', '/b'],
  ['/', '/'],
])('%s is the same path as %s', (path, normal) => {
  expect(normalPath(path)).toBe(normal);
});

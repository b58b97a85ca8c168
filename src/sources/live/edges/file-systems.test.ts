import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Reader } from '../../../native/reader/reader.ts';
import { FileReads } from '../procfs/file-reads.ts';
import { TaskDetails } from '../procfs/task-details.ts';
import { UnixSockets } from '../unix-sockets.ts';
import { FileSystems } from './file-systems.ts';

/** A folder like /proc, with the given files and links of tasks. */
function fileSystemsOf(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>): FileSystems {
  const root = mkdtempSync(join(tmpdir(), 'kstack-test-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  const unixSockets = new UnixSockets(root, reader);
  return new FileSystems({ root, files: new FileReads(reader), details: new TaskDetails(root, reader, unixSockets) });
}

const HOST = '27 1 254:0 / / rw - ext4 /dev/root rw\n42 27 0:39 / /mnt/share rw - fuse.sshfs h:/ rw\n';
const CONTAINER = '90 80 0:50 / / rw - overlay overlay rw,lowerdir=/l\n';

it('a descriptor is on the mount that the kernel says, and a path on that with the longest mount point', async () => {
  const fileSystems = fileSystemsOf(
    {
      '7/task/8/mountinfo': HOST,
      '7/task/8/fdinfo/3': 'pos:\t0\nflags:\t0100000\nmnt_id:\t42\nino:\t5\n',
      '7/task/8/fdinfo/4': 'pos:\t0\nflags:\t02\nmnt_id:\t9\n',
    },
    {},
  );
  const task = { pid: 7, tid: 8 };
  expect(await fileSystems.ofDescriptor(task, 3)).toMatchObject({
    mount: { device: '0:39' },
    evidence: [{ place: '/proc/7/task/8/fdinfo/3', text: 'mnt_id 42' }],
  });
  // A pipe or a socket.
  expect(await fileSystems.ofDescriptor(task, 4)).toBeUndefined();
  expect(await fileSystems.ofDescriptor(task, 5)).toBeUndefined();
  expect(await fileSystems.ofPath(task, '/mnt/./share/../share/a')).toMatchObject({
    mount: { device: '0:39' },
    inferred: true,
  });
  expect(fileSystems.mounted('0:39')?.point).toBe('/mnt/share');
});

it('a table of mounts is read once for each namespace and root directory', async () => {
  const namespace = (pid: number, mnt: string, root: string) => ({
    [`${pid}/task/${pid}/ns/mnt`]: `mnt:[${mnt}]`,
    [`${pid}/task/${pid}/root`]: root,
  });
  const fileSystems = fileSystemsOf(
    { '1/task/1/mountinfo': HOST, '3/task/3/mountinfo': CONTAINER, '4/task/4/mountinfo': '' },
    {
      ...namespace(1, '40', '/'),
      ...namespace(2, '40', '/'),
      ...namespace(3, '41', '/'),
      ...namespace(4, '40', '/jail'),
    },
  );
  const pointsOf = async (pid: number) =>
    (await fileSystems.mountsOf({ pid, tid: pid }))?.mounts.map(({ device }) => device);
  expect(await pointsOf(1)).toEqual(['254:0', '0:39']);
  // It has no table of its own here.
  expect(await pointsOf(2)).toEqual(['254:0', '0:39']);
  expect(await pointsOf(3)).toEqual(['0:50']);
  expect(await pointsOf(4)).toEqual([]);
  expect(await pointsOf(5)).toBeUndefined();
});

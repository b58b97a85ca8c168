import { constants, lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogDirectory } from '../../background/log-directory.ts';
import { RunFile } from '../../background/run-file.ts';
import { Reader } from './reader.ts';
import { RemoteFiles } from './remote-files.ts';

const INODE = { offset: 32, mask: 0x7ff } as const;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Files as on a file system whose inode numbers start at `first`. */
function files({ first = 0n, deadlineMs = 5000 } = {}): RemoteFiles {
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  const call: Reader['call'] = (number, args, take) =>
    reader.call(number, args, (record) => {
      const isStatx = args[3] === INODE.mask && record.result === 0;
      if (isStatx) record.bytes.writeBigUInt64LE(first + record.bytes.readBigUInt64LE(INODE.offset), INODE.offset);
      take(record);
    });
  return new RemoteFiles(
    { call, end: undefined, restart: () => false },
    deadlineMs,
    (path) => new Error(`${path} is late`),
  );
}

function withReader() {
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  return { reader, remote: new RemoteFiles(reader, 5000, (path) => new Error(`${path} is late`)) };
}

async function killed(reader: Reader): Promise<void> {
  process.kill(reader.pid, 'SIGKILL');
  await vi.waitUntil(() => reader.end !== undefined);
}

describe('inode numbers above 2^53', () => {
  it('are compared in full: numbers that differ in the last digit are different files', async () => {
    const folder = temporaryFolder();
    // Files made one after the other have adjacent numbers, which a double cannot tell apart up there.
    const remote = files({ first: 2n ** 62n });
    const directory = await LogDirectory.open(remote, folder, false);
    const runFile = await RunFile.make(directory, 'h');
    await directory.check();
    await runFile.check();
    const path = join(folder, '.kstack_h.run');
    const { inode } = (await remote.status(undefined, path)) ?? { inode: 0n };
    expect(inode).toBe(2n ** 62n + lstatSync(path, { bigint: true }).ino);
    writeFileSync(join(folder, 'other'), '');
    const other = await remote.status(undefined, join(folder, 'other'));
    expect(Number(other?.inode)).toBe(Number(inode));
    await remote.rename(undefined, join(folder, 'other'), path);
    await expect(runFile.check()).rejects.toThrow('was removed or replaced');
  });
});

describe('RemoteFiles', () => {
  it('write large pieces whole, read them back, list and measure', async () => {
    const folder = temporaryFolder();
    const remote = files();
    const fd = await remote.open(undefined, join(folder, 'large'), 0o102, 0o600);
    const bytes = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => at % 251));
    await remote.append(fd, bytes);
    expect(readFileSync(join(folder, 'large')).equals(bytes)).toBe(true);
    expect((await remote.statusOf(fd)).size).toBe(bytes.length);
    expect((await remote.read(fd, 2_000_000, 1000)).equals(bytes.subarray(2_000_000, 2_001_000))).toBe(true);
    const directory = await remote.open(undefined, folder, 0);
    expect(await remote.list(directory)).toEqual(['large']);
    expect(await remote.nameOf(directory)).toBe(folder);
  });

  it('fail with the errno and the name', async () => {
    await expect(files().open(undefined, '/nothing/there', 0)).rejects.toMatchObject({
      code: 'ENOENT',
      message: 'cannot open /nothing/there: no such file or directory (ENOENT)',
    });
    expect(await files().status(undefined, '/nothing/there')).toBeUndefined();
  });

  it('go on if the reader is killed, with the same files and the same lock', async () => {
    const folder = temporaryFolder();
    const { reader, remote } = withReader();
    const ends: string[] = [];
    remote.renewed = (end) => ends.push(end);
    const path = join(folder, 'log');
    const directory = await remote.open(undefined, folder, 0);
    await remote.statusOf(directory);
    const fd = await remote.open(directory, 'log', constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    await remote.statusOf(fd);
    expect(await remote.lock(fd)).toBe(true);
    await remote.append(fd, Buffer.from('before '));
    await killed(reader);
    await remote.append(fd, Buffer.from('after'));
    expect(readFileSync(path, 'latin1')).toBe('before after');
    expect(ends).toEqual(['it was killed by SIGKILL']);
    const other = files();
    expect(await other.lock(await other.open(undefined, path, constants.O_RDWR))).toBe(false);
  });

  it('do not go on with a file that was replaced, that is locked by another, or whose position is lost', async () => {
    const folder = temporaryFolder();
    const { reader, remote } = withReader();
    const open = async (name: string, flags = constants.O_RDWR | constants.O_APPEND) => {
      const fd = await remote.open(undefined, join(folder, name), flags | constants.O_CREAT, 0o600);
      await remote.statusOf(fd);
      return fd;
    };
    const [replaced, locked, positioned] = [await open('a'), await open('b'), await open('c', constants.O_WRONLY)];
    await remote.lock(locked);
    await killed(reader);
    writeFileSync(join(folder, 'other'), '');
    renameSync(join(folder, 'other'), join(folder, 'a'));
    const other = files();
    const theirs = await other.open(undefined, join(folder, 'b'), constants.O_RDWR);
    await expect.poll(() => other.lock(theirs)).toBe(true);
    const bytes = Buffer.from('x');
    await expect(remote.append(replaced, bytes)).rejects.toMatchObject({ code: 'ESTALE' });
    await expect(remote.append(locked, bytes)).rejects.toMatchObject({ code: 'EBUSY' });
    await expect(remote.append(positioned, bytes)).rejects.toMatchObject({ code: 'ESTALE' });
    await remote.write(positioned, bytes, 0);
    expect(['a', 'b', 'c'].map((name) => readFileSync(join(folder, name), 'latin1'))).toEqual(['', '', 'x']);
    await remote.close(replaced);
  });

  it('abandon a call at the deadline, while others are answered', async () => {
    const reader = new Reader('/proc');
    onTestFinished(() => reader.close());
    const never = new Promise<void>(() => undefined);
    const call: Reader['call'] = (number, args, take) => (args.length === 2 ? never : reader.call(number, args, take));
    const remote = new RemoteFiles(
      { call, end: undefined, restart: () => false },
      200,
      (path) => new Error(`${path} is late`),
    );
    const late = remote.spaceAt('/tmp');
    expect((await remote.status(undefined, '/tmp'))?.links).toBeGreaterThan(0);
    await expect(late).rejects.toThrow('/tmp is late');
    expect(remote.waitsMs).toBeGreaterThanOrEqual(190);
  });
});

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DESCRIPTORS_BIT, WHAT } from '../../../native/reader/protocol.ts';
import { Reader } from '../../../native/reader/reader.ts';
import { takeDescriptors } from '../bpf/descriptors.ts';
import { deviceOf } from '../edges/stream-ends.ts';
import { parseFdinfo, parseLinks } from './descriptors.ts';

type Link = ReturnType<typeof parseLinks> extends Generator<infer Each> ? Each : never;

async function descriptorsOf(paths: boolean, pid = process.pid): Promise<Map<number, Link>> {
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  const found = new Map<number, Link>();
  const options = { threads: false, commandLines: { allBytes: 0, leastBytes: 0 }, paths };
  const own = { pid, tid: pid };
  await reader.get(
    [own],
    () => DESCRIPTORS_BIT,
    options,
    ({ what, bytes }) => {
      if (what === WHAT.descriptors) for (const link of parseLinks(bytes)) found.set(link.fd, link);
    },
  );
  return found;
}

describe('the descriptors of a process', () => {
  it('are those of its links in /proc, with those of files only where they are wanted', async () => {
    const fd = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(fd));
    const all = await descriptorsOf(true);
    expect(all.get(fd)?.target).toBe('/dev/null');
    expect(all.get(0)?.target).toBe(readlinkSync('/proc/self/fd/0'));
    const some = await descriptorsOf(false);
    expect(some.size).toBeGreaterThan(0);
    expect(Array.from(some.values(), ({ target }) => target[0])).not.toContain('/');
  });

  it('end where what was read of them ends', () => {
    expect([...parseLinks(Buffer.from('0 pipe:[1]\x003 /a b\n\x0012 sock'))]).toEqual([
      { fd: 0, target: 'pipe:[1]', access: undefined },
      { fd: 3, target: '/a b\n', access: undefined },
    ]);
    expect([...parseLinks(Buffer.from(''))]).toEqual([]);
  });
});

describe('what a descriptor is open for', () => {
  it('stands behind the name of a pipe, and is both for a socket', () => {
    const lines = '0 pipe:[1] r\x001 pipe:[1] w\x002 pipe:[2] rw\x003 socket:[3]\x004 /a rw\0';
    expect(Array.from(parseLinks(Buffer.from(lines)), ({ target, access }) => [target, access])).toEqual([
      ['pipe:[1]', { reads: true, writes: false }],
      ['pipe:[1]', { reads: false, writes: true }],
      ['pipe:[2]', { reads: true, writes: true }],
      ['socket:[3]', { reads: true, writes: true }],
      ['/a rw', undefined],
    ]);
  });

  it('is told by the reader for each end of a pipe', async () => {
    const shell = spawn('sh', ['-c', 'cat | cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
    onTestFinished(() => {
      shell.stdin.end();
    });
    const children = () => readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'latin1').split(' ');
    await expect.poll(() => children().filter(Boolean).length).toBe(2);
    const [writer = 0, reader = 0] = children().map(Number);
    const own = async (pid: number, fd: number) => {
      const { target, access } = (await descriptorsOf(false, pid)).get(fd) ?? {};
      expect(target).toBe(readlinkSync(`/proc/${pid}/fd/${fd}`));
      return access;
    };
    await expect.poll(() => own(writer, 1)).toEqual({ reads: false, writes: true });
    await expect.poll(() => own(reader, 0)).toEqual({ reads: true, writes: false });
  });

  const text = (flags: string) => `pos:\t0\nflags:\t${flags}\nmnt_id:\t15\nino:\t4711\n`;

  it('is in its flags', () => {
    const about = { inode: '4711', mountId: '15' };
    expect(parseFdinfo(text('0100000'))).toEqual({ reads: true, writes: false, ...about });
    expect(parseFdinfo(text('02100001'))).toEqual({ reads: false, writes: true, ...about });
    expect(parseFdinfo(text('02'))).toEqual({ reads: true, writes: true, ...about });
    expect(parseFdinfo('pos:\t0\nflags:\t01\n')).toMatchObject({ writes: true, inode: undefined });
    expect(parseFdinfo('pos:\t0\n')).toBeUndefined();
  });

  it('is read from the kernel as it is written there', () => {
    const fd = openSync('/dev/null', 'w');
    onTestFinished(() => closeSync(fd));
    expect(parseFdinfo(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))).toMatchObject({
      reads: false,
      writes: true,
    });
  });
});

it('the device of a mount is in mountinfo', () => {
  const mounts = '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n115 22 0:45 / /mnt/15 rw - tmpfs x rw\n';
  expect(deviceOf('115', mounts)).toEqual({ major: 0, minor: 45 });
  expect(deviceOf('15', mounts)).toBeUndefined();
});

describe('records of the BPF program', () => {
  function record(inode: bigint, peer: bigint, numbers: readonly number[]): Buffer {
    const bytes = Buffer.alloc(40);
    bytes.writeBigUInt64LE(inode, 0);
    bytes.writeBigUInt64LE(peer, 16);
    for (const [at, number] of numbers.entries()) bytes.writeUInt32LE(number, 24 + 4 * at);
    return bytes;
  }

  it('are descriptors, by what they are of', () => {
    const key = Buffer.alloc(16);
    key.writeBigUInt64LE(4711n);
    const targets = new Map([[key.toString('latin1'), 'pipe:[4711]']]);
    const files = new Map();
    const peers = new Map();
    const bytes = Buffer.concat([
      record(4711n, 0n, [10, 10, 3, 1]),
      record(0n, 0n, [0, 0, 0, 0]),
      record(4711n, 0n, [12, 12, 4, 2]),
      record(5n, 6n, [13, 14, 5, 3]),
      Buffer.alloc(39),
    ]);
    takeDescriptors(bytes, targets, files, peers);
    expect(files.get('pipe:[4711]')).toEqual([
      { pid: 10, tid: 10, fd: 3, reads: true, writes: false },
      { pid: 12, tid: 12, fd: 4, reads: false, writes: true },
    ]);
    expect(files.get('socket:[5]')).toEqual([{ pid: 13, tid: 14, fd: 5, reads: true, writes: true }]);
    expect(peers).toEqual(new Map([['socket:[5]', 'socket:[6]']]));
  });
});

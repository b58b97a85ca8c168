import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../model/sample.ts';
import { mayBeStreamWait, parsePollfd, parseUnixAddress, streamWaitOf } from './stream-wait.ts';

/** Numbers of system calls, by Node.js's name of the architecture. */
const NUMBERS: Readonly<Record<string, readonly [x64: number, arm64: number]>> = {
  read: [0, 63],
  write: [1, 64],
  connect: [42, 203],
  sendto: [44, 206],
  openat: [257, 56],
  ppoll: [271, 73],
  splice: [275, 76],
};

function task(symbols: readonly string[], call: string, words: readonly number[], state = 'S'): Observation {
  const [x64 = 0, arm64 = 0] = NUMBERS[call] ?? [];
  const frames = symbols.map((symbol) => ({ symbol, raw: symbol }));
  const registers = Array.from(
    { length: 6 },
    (_, at) => `0x${BigInt.asUintN(64, BigInt(words[at] ?? 0)).toString(16)}`,
  );
  return {
    task: { id: { tid: 11 }, pid: 10, commandLine: { unread: 'notTold' } },
    state: state === 'D' ? 'D' : 'S',
    stack: { value: { id: 1, frames } },
    systemCall: {
      value: {
        number: process.arch === 'arm64' ? arm64 : x64,
        arguments: registers,
        stackPointer: '0x7fff00000000',
        programCounter: '0x7f0000000000',
      },
    },
  };
}

describe('a wait at a pipe or socket', () => {
  it.each([
    ['read', ['pipe_read', 'vfs_read', 'ksys_read'], [3], { does: 'read', at: 'pipe', fd: 3 }],
    ['read', ['schedule', 'anon_pipe_read', 'vfs_read'], [3], { does: 'read', at: 'pipe', fd: 3 }],
    ['write', ['pipe_write.constprop.0', 'vfs_write'], [1], { does: 'write', at: 'pipe', fd: 1 }],
    ['splice', ['pipe_wait_readable', 'splice_from_pipe_next'], [4, 0, 5], { does: 'read', at: 'pipe', fd: 4 }],
    ['splice', ['pipe_wait_writable', 'wait_for_space'], [4, 0, 5], { does: 'write', at: 'pipe', fd: 5 }],
    ['splice', ['sk_wait_data', 'tcp_splice_read'], [4, 0, 5], { does: 'read', at: 'tcp', fd: 4 }],
    ['read', ['unix_stream_read_generic'], [7], { does: 'read', at: 'unix', fd: 7 }],
    ['write', ['schedule_timeout', 'sock_alloc_send_pskb', 'unix_stream_sendmsg'], [7], { does: 'write', at: 'unix' }],
    ['connect', ['unix_wait_for_peer', 'unix_stream_connect'], [7, 4096, 20], { address: { at: 4096n, bytes: 20 } }],
    ['sendto', ['unix_wait_for_peer', 'unix_dgram_sendmsg'], [7, 0, 0, 0, 4096, 9], { does: 'write', at: 'unix' }],
    ['connect', ['inet_stream_connect'], [7, 4096, 16], { does: 'connect', at: 'tcp', fd: 7 }],
    ['openat', ['wait_for_partner', 'fifo_open'], [-100, 4096, 1], { does: 'open', opensToWrite: true }],
    ['openat', ['fifo_open'], [-100, 4096, 0], { does: 'open', opensToWrite: false }],
    ['ppoll', ['do_sys_poll'], [4096, 1, 0], { polls: true, address: { at: 4096n, bytes: 8 } }],
  ] as const)('is told by the stack and the arguments: %s in %j', (call, symbols, words, wanted) => {
    expect(streamWaitOf(task(symbols, call, words))).toMatchObject({ tid: 11, pid: 10, ...wanted });
  });

  it.each([
    ['of another state, which waits for a lock there', task(['pipe_read'], 'read', [3], 'D')],
    ['of a poll of several', task(['do_sys_poll'], 'ppoll', [4096, 2, 0])],
    ['of a poll with a timeout', task(['do_sys_poll'], 'ppoll', [4096, 1, 8192])],
    ['of a call whose descriptor is not known', task(['pipe_read'], 'openat', [3])],
    ['elsewhere', task(['do_wait'], 'read', [3])],
  ])('is not one %s', (_, observation) => {
    expect(streamWaitOf(observation)).toBeUndefined();
  });

  it('is suspected where the system call is not known yet', () => {
    const { systemCall: _, ...unknown } = task(['do_sys_poll'], 'ppoll', []);
    expect(mayBeStreamWait(unknown)).toBe(true);
    expect(streamWaitOf(unknown)).toBeUndefined();
  });
});

describe('memory', () => {
  it('has what is polled, and what for', () => {
    const polled = (fd: number, events: number) => {
      const memory = Buffer.alloc(8);
      memory.writeInt32LE(fd, 0);
      memory.writeUInt16LE(events, 4);
      return parsePollfd(memory);
    };
    expect(polled(3, 1)).toEqual({ fd: 3, does: 'read' });
    expect(polled(3, 4)).toEqual({ fd: 3, does: 'write' });
    expect(polled(3, 5)).toEqual({ fd: 3, does: 'any' });
    expect(polled(3, 0)).toBeUndefined();
    expect(polled(-1, 1)).toBeUndefined();
    expect(parsePollfd(Buffer.alloc(7))).toBeUndefined();
  });

  it('has the name of a UNIX socket', () => {
    expect(parseUnixAddress(Buffer.from('\x01\0/run/a\0rest'))).toBe('/run/a');
    expect(parseUnixAddress(Buffer.from('\x01\0/run/a'))).toBe('/run/a');
    expect(parseUnixAddress(Buffer.from('\x01\0\0a\0b'))).toBe('@a@b');
    expect(parseUnixAddress(Buffer.from('\x02\0/run/a'))).toBeUndefined();
    expect(parseUnixAddress(Buffer.from('\x01\0'))).toBeUndefined();
  });
});

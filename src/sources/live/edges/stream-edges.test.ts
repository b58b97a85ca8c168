import { describe, expect, it } from 'vitest';
import type { FoundFiles, OpenFile } from './open-file.ts';
import { edgesAt, type Threads } from './stream-edges.ts';
import type { StreamAt } from './stream-ends.ts';
import type { StreamWait } from './stream-wait.ts';
import { threadsFrom } from './streams.ts';

const CALL = { number: 0, arguments: [] };
const wait: StreamWait = { tid: 11, pid: 10, call: CALL, does: 'read', at: 'pipe', fd: 3 };
const pipe: StreamAt = { wait, file: { target: 'pipe:[1]' }, others: [] };
const writer = (pid: number): OpenFile => ({ pid, tid: pid, fd: 4, reads: false, writes: true });
const reader = (pid: number): OpenFile => ({ pid, tid: pid, fd: 5, reads: true, writes: false });
const socket = (pid: number): OpenFile => ({ pid, tid: pid, fd: 6, reads: true, writes: true });

function found(files: Readonly<Record<string, readonly OpenFile[]>>, more: Partial<FoundFiles> = {}): FoundFiles {
  return {
    files: new Map(Object.entries(files)),
    peers: new Map(),
    missing: undefined,
    place: '/proc/PID/fd',
    ...more,
  };
}

/** Each process has one thread, unless told otherwise. */
function known(more: Readonly<Record<number, Threads>> = {}, deaf: readonly number[] = []) {
  const threads = new Map<number, Threads>();
  for (let pid = 10; pid < 100; pid++) threads.set(pid, more[pid] ?? { tids: [pid], areAll: true });
  return { threads, deaf: new Set(deaf) };
}

const ends = ({ edges }: ReturnType<typeof edgesAt>) =>
  edges.map(({ to, by, any, inferred }) => [to, by, any === true, inferred === true]);

describe('the edges of a wait at a pipe', () => {
  it('lead to whoever has the other end open, and not to those that have the same one open', () => {
    const files = found({ 'pipe:[1]': [writer(20), reader(30), reader(10)] });
    expect(ends(edgesAt(pipe, files, known()))).toEqual([[20, 'pipe-writer', false, false]]);
    const writes: StreamAt = { ...pipe, wait: { ...wait, does: 'write' } };
    expect(ends(edgesAt(writes, found({ 'pipe:[1]': [writer(20), reader(30)] }), known()))).toEqual([
      [30, 'pipe-reader', false, false],
    ]);
  });

  it('lead to any of several processes and threads', () => {
    const files = found({ 'pipe:[1]': [writer(20), writer(20), writer(30)] });
    const threads = known({ 30: { tids: [30, 31], areAll: true } });
    expect(ends(edgesAt(pipe, files, threads))).toEqual([
      [20, 'pipe-writer', true, false],
      [30, 'pipe-writer', true, false],
      [31, 'pipe-writer', true, false],
    ]);
  });

  it('are inferred where others may have it open, or other threads may be the ones', () => {
    const some = found({ 'pipe:[1]': [writer(20)] }, { missing: 'the descriptors of 1 process: denied' });
    expect(ends(edgesAt(pipe, some, known()))).toEqual([[20, 'pipe-writer', false, true]]);
    const files = found({ 'pipe:[1]': [writer(20)] });
    const threads = known({ 20: { tids: [20], areAll: false } });
    expect(ends(edgesAt(pipe, files, threads))).toEqual([[20, 'pipe-writer', false, true]]);
  });

  it('lead to the pipe where many have it open, and nothing is said to hang', () => {
    const files = found({ 'pipe:[1]': Array.from({ length: 20 }, (_, at) => writer(20 + at)) });
    const { edges, resources } = edgesAt(pipe, files, known());
    expect(edges).toMatchObject([{ from: 11, to: 'pipe 1' }]);
    expect(resources).toMatchObject([{ key: 'pipe 1', condition: 'is open at its other end in 20 processes' }]);
    expect(resources[0]?.hangs).toBeUndefined();
  });

  it('lead to the other threads of the process where it has the other end open itself', () => {
    const files = found({ 'pipe:[1]': [writer(10)] });
    const threads = known({ 10: { tids: [10, 11], areAll: true } });
    expect(ends(edgesAt(pipe, files, threads))).toEqual([[10, 'pipe-writer', false, false]]);
  });

  it('lead to the pipe that hangs where nobody else has it open or can open it, and no signal helps', () => {
    const files = found({ 'pipe:[1]': [writer(10)] });
    const alone = known({ 10: { tids: [11], areAll: true } }, [10]);
    expect(edgesAt(pipe, files, alone)).toMatchObject({ edges: [{ to: 'pipe 1' }], resources: [{ hangs: true }] });
    const hears = known({ 10: { tids: [11], areAll: true } });
    expect(edgesAt(pipe, files, hears).resources[0]?.hangs).toBeUndefined();
    const polls: StreamAt = { ...pipe, wait: { ...wait, polls: true } };
    expect(edgesAt(polls, files, alone).resources[0]?.hangs).toBeUndefined();
    const fifo: StreamAt = { ...pipe, file: { target: '/run/f', fifo: { inode: '1', major: 0, minor: 9 } } };
    expect(edgesAt(fifo, found({ '/run/f': [writer(10)] }), alone).resources[0]?.hangs).toBeUndefined();
    const some = found({ 'pipe:[1]': [writer(10)] }, { missing: 'much' });
    expect(edgesAt(pipe, some, alone)).toEqual({ edges: [], resources: [] });
  });

  it('are none where a FIFO is only kept open, by its reader or by others, until a writer comes', () => {
    const fifo: StreamAt = { ...pipe, file: { target: '/run/f', fifo: { inode: '1', major: 0, minor: 9 } } };
    const both = (pid: number): OpenFile => ({ ...writer(pid), reads: true });
    const alone = known({ 10: { tids: [11], areAll: true } });
    for (const pids of [[10], [20], [10, 20]])
      expect(edgesAt(fifo, found({ '/run/f': pids.map(both) }), alone)).toEqual({ edges: [], resources: [] });
    expect(ends(edgesAt(fifo, found({ '/run/f': [both(10), writer(20)] }), alone))).toEqual([
      [20, 'pipe-writer', false, false],
    ]);
    const writes: StreamAt = { ...fifo, wait: { ...wait, does: 'write' } };
    expect(ends(edgesAt(writes, found({ '/run/f': [both(20)] }), alone))).toEqual([[20, 'pipe-reader', false, false]]);
  });

  it('are none where nobody is found, as of one that is closed or on its way to another process', () => {
    expect(edgesAt(pipe, found({ 'pipe:[1]': [reader(10)] }), known())).toEqual({ edges: [], resources: [] });
  });
});

describe('the edges of a wait at a socket', () => {
  const at: StreamAt = { wait: { ...wait, at: 'unix' }, file: { target: 'socket:[1]' }, others: [] };

  it('lead to whoever has the socket open that tables or the BPF program name', () => {
    const other = { target: 'socket:[2]', place: 'sock_diag', text: 'socket:[1] is connected to socket:[2]' };
    const files = { 'socket:[1]': [socket(10), socket(40)], 'socket:[2]': [socket(20)] };
    const { edges } = edgesAt({ ...at, others: [other] }, found(files), known());
    expect(edges).toEqual([
      {
        from: 11,
        to: 20,
        by: 'socket-peer',
        evidence: [
          { place: '/proc/10/task/11/fd/3', text: 'socket:[1]' },
          { place: 'sock_diag', text: 'socket:[1] is connected to socket:[2]' },
          { place: '/proc/20/fd/6', text: '20 has it open as descriptor 6' },
        ],
      },
    ]);
    const byBpf = found(files, { peers: new Map([['socket:[1]', 'socket:[2]']]), place: 'BPF iterator task_file' });
    expect(ends(edgesAt(at, byBpf, known()))).toEqual([[20, 'socket-peer', false, false]]);
  });

  it('lead to a server that is not on this host', () => {
    expect(edgesAt({ ...at, server: '10.0.0.5:80' }, found({}), known())).toMatchObject({
      edges: [{ from: 11, to: 'server 10.0.0.5:80', by: 'server' }],
      resources: [{ key: 'server 10.0.0.5:80', kind: 'server', name: '10.0.0.5:80' }],
    });
  });
});

describe('the threads that may be waited for', () => {
  const NONE = new Set<number>();

  it('are all of a few', () => {
    expect(threadsFrom(20, { threads: 3, state: 'S' }, [22, 20, 21], NONE, '/none')).toEqual({
      tids: [20, 21, 22],
      areAll: true,
    });
  });

  it('are the main one, and those at a pipe or socket themselves, of many', () => {
    const many = Array.from({ length: 50 }, (_, at) => 20 + at);
    const { tids, areAll } = threadsFrom(20, { threads: 50, state: 'S' }, many, new Set([44]), '/none');
    expect(tids.slice(0, 2)).toEqual([20, 44]);
    expect([tids.length, areAll]).toEqual([4, false]);
  });

  it('are the main one where it is stopped or in D, and none but others where it has ended', () => {
    const of = (state: 'T' | 'D' | 'Z') => threadsFrom(20, { threads: 3, state }, [20, 21, 22], NONE, '/none');
    expect(of('T')).toEqual({ tids: [20], areAll: true });
    expect(of('D')).toEqual({ tids: [20], areAll: false });
    expect(of('Z')).toEqual({ tids: [21, 22], areAll: true });
  });
});

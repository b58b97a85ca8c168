import { describe, expect, it } from 'vitest';
import type { State } from '../../../model/task.ts';
import { type Mount, parseMountinfo } from '../procfs/mountinfo.ts';
import { connectionOf, type FuseProcess, likelyDaemon, servingThreads } from './fuse-daemons.ts';

function mountOf(type: string): Mount {
  const [mount] = parseMountinfo(`42 27 0:39 / /mnt/share rw - ${type} host:/ rw`);
  if (mount === undefined) throw new Error('no mount');
  return mount;
}

const process = (pid: number, comm: string, ...commandLine: string[]): FuseProcess => ({ pid, comm, commandLine });

it('a connection has the number of its device, which for fuseblk has a major number', () => {
  expect([connectionOf('0:39'), connectionOf('8:1')]).toEqual([39, 8388609]);
});

describe('without the word of the kernel, the daemon of a mount', () => {
  it.each([
    [
      'is the one that was started with its mount point',
      'fuse.sshfs',
      [process(1, 'sshfs', 'sshfs', 'h:/', '/mnt/other'), process(2, 'sshfs', 'sshfs', 'h:/', '/mnt/share')],
      2,
    ],
    ['is the one with the name of its type', 'fuse.sshfs', [process(1, 'bindfs'), process(2, 'sshfs')], 2],
    ['is the only one', 'fuse', [process(7, 'python3', 'python3', 'serve.py')], 7],
    ['is not known among several', 'fuse', [process(1, 'a'), process(2, 'b')], undefined],
    [
      'is not known if two have the name of its type',
      'fuse.sshfs',
      [process(1, 'sshfs'), process(2, 'sshfs')],
      undefined,
    ],
    ['is not known without a process', 'fuse', [], undefined],
  ])('%s', (_, type, processes, pid) => {
    expect(likelyDaemon(mountOf(type), processes)?.pid).toBe(pid);
  });
});

describe('the callers of a daemon wait for', () => {
  const thread = (tid: number, state: State, ...functions: string[]) => ({ tid, state, functions });
  const idle = (tid: number) => thread(tid, 'S', 'fuse_dev_do_read', 'fuse_dev_read', 'vfs_read');

  it.each([
    ['its main thread if all are stopped', [thread(1, 'T'), thread(2, 'T')], [1], true, false],
    ['its one thread', [thread(1, 'S', 'do_sys_poll')], [1], true, false],
    ['its thread in D', [thread(1, 'S', 'futex_wait'), idle(2), thread(3, 'D', 'nfs_wait')], [3], false, false],
    [
      'its threads in another file system',
      [
        idle(1),
        thread(2, 'S', 'request_wait_answer', 'fuse_lookup'),
        thread(3, 'S', 'request_wait_answer', 'fuse_open'),
      ],
      [2, 3],
      false,
      false,
    ],
    ['its main thread, which is ready for requests', [idle(1), idle(2)], [1], false, true],
    ['a thread that lives', [thread(1, 'Z'), idle(2)], [2], true, true],
    ['nobody if none lives', [thread(1, 'Z')], [], false, false],
  ])('%s', (_, threads, tids, certain, ready) => {
    const serving = servingThreads(1, threads);
    expect([serving.threads.map(({ tid }) => tid), serving.certain, serving.ready]).toEqual([tids, certain, ready]);
  });
});

import { describe, expect, it } from 'vitest';
import { observationOf, taskOf } from '../../test/samples.ts';
import type { Observation } from '../model/sample.ts';
import { filledAdvice } from './advice.ts';
import { explain } from './explain/explain.ts';

const FINDING = explain({ id: 0, frames: [] });

function filled(commands: readonly string[], more: Partial<Observation>, ...others: Observation[]) {
  const { next, undo } = filledAdvice({ ...FINDING, next: commands, undo: commands }, [
    observationOf(7, { task: taskOf(7, { pid: 6, ppid: 5 }), ...more }),
    ...others,
  ]);
  expect(undo).toEqual(next);
  return next;
}

const inCall = (text: string) => ({ systemCall: { value: { number: 1, arguments: [], name: 'write', text } } });

describe('the commands of a finding', () => {
  it('have the numbers of the first task', () => {
    expect(filled(['a PID b TID', 'PPID', 'xPID'], {})).toEqual(['a 6 b 7', '5', 'xPID']);
  });

  it('are not about a task with the number 0, which is not in /proc', () => {
    const idle = { task: taskOf(0, { pid: 0, ppid: 0, comm: 'swapper/0' }) };
    expect(filled(['a PID', 'b TID', 'c PPID', 'd PIDS'], idle)).toEqual(['d PIDS']);
    expect(filled(['a PID', 'c PPID'], { task: taskOf(2, { ppid: 0 }) })).toEqual(['a 2']);
  });

  it('have the device that the name of a kernel thread contains, but of no program that calls itself so', () => {
    const thread = (comm: string, kernelThread: boolean) => ({ task: taskOf(7, { pid: 6, comm, kernelThread }) });
    const devices = ['jbd2/dm-0-8', 'xfsaild/sdb1', 'md0_raid5', 'loop3', 'kworker/u8:2+flush-253:0', 'kworker/0:1'];
    expect(devices.map((comm) => filled(['cat DEVICE'], thread(comm, true))[0])).toEqual([
      'cat /dev/dm-0',
      'cat /dev/sdb1',
      'cat /dev/md0',
      'cat /dev/loop3',
      'cat /dev/block/253:0',
      'cat DEVICE',
    ]);
    expect(filled(['cat DEVICE'], thread('jbd2/dm-0-8', false))).toEqual(['cat DEVICE']);
  });

  it('have the file of a system call, and what finds its mount point', () => {
    const commands = ['ls FILE', 'fsfreeze -u MOUNTPOINT'];
    expect(filled(commands, inCall('write(3</srv/data/a>, ..., 8)'))).toEqual([
      'ls /srv/data/a',
      'fsfreeze -u "$(findmnt -nT /srv/data/a -o TARGET)"',
    ]);
    for (const call of [
      'openat(AT_FDCWD, "/srv/data/new", O_CREAT)',
      'openat(AT_FDCWD</srv>, "data/new", O_CREAT)',
      'openat(5</tmp>, "/srv/data/new", O_CREAT)',
      'mkdir("data/new" in </srv>, 0777)',
    ])
      expect(filled(commands, inCall(call))).toEqual(['ls FILE', 'fsfreeze -u "$(findmnt -nT /srv/data -o TARGET)"']);
    expect(filled(commands, inCall('openat(AT_FDCWD, "new", O_CREAT)'))).toEqual(commands);
  });

  it('have the control group, the array of a thread of md, and the terminal of a call', () => {
    const cgroup = { value: '/system.slice/db.service' };
    const group = { task: taskOf(7, { pid: 6, cgroup }) };
    expect(filled(['cat /sys/fs/cgroup/PATH/cpu.stat'], group)).toEqual([
      'cat /sys/fs/cgroup/system.slice/db.service/cpu.stat',
    ]);
    expect(filled(['cat PATH/a'], { task: taskOf(7, { cgroup: { value: '/' } }) })).toEqual(['cat PATH/a']);
    for (const value of ['/a b', '/../../etc'])
      expect(filled(['cat PATH/a'], { task: taskOf(7, { cgroup: { value } }) })).toEqual(['cat PATH/a']);
    const thread = { task: taskOf(7, { comm: 'md0_raid5', kernelThread: true }) };
    expect(filled(['mdadm --detail /dev/mdX'], thread)).toEqual(['mdadm --detail /dev/md0']);
    expect(filled(['stty -a -F TTY'], inCall('write(1</dev/pts/3>, ..., 8)'))).toEqual(['stty -a -F /dev/pts/3']);
    expect(filled(['stty -a -F TTY'], inCall('write(1</srv/a>, ..., 8)'))).toEqual(['stty -a -F TTY']);
  });

  it('never hold what a shell would act on', () => {
    for (const path of ['/a b', '/a;reboot', '/$(reboot)', '/a`b`', '/a"b', "/a'b", '/a\nb'])
      for (const call of [inCall(`write(3<${path}>)`), inCall(`open("${path}/x")`)])
        expect(filled(['ls FILE', 'fsfreeze -u MOUNTPOINT'], call).join('\n')).not.toContain(path);
  });
});

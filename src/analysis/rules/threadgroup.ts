import type { Resource } from './commands.ts';
import { OTHERS_BLOCKED } from './commands.ts';
import type { Rule, Step } from './rule.ts';

/** Commands that show who works on cgroups. */
export const HOLDERS = ['kstack -L --function cgroup -f long', ...OTHERS_BLOCKED, 'cat /sys/fs/cgroup/cgroup.stat'];
/** What hangs, too, while the cgroup lock is held. */
export const STUCK: readonly Resource[] = ['cgroup'];
/** What moves tasks between cgroups. */
export const MOVES = [
  'attach_task_by_pid',
  '__cgroup_procs_write',
  '__cgroup1_procs_write',
  'cgroup_procs_write',
  'cgroup1_procs_write',
  'cgroup1_tasks_write',
  'cgroup_tasks_write',
  'cgroup_threads_write',
  'cgroup_attach_task_all',
  'cgroup_transfer_tasks',
];

const READERS = ['percpu_rwsem_wait', '__percpu_down_read', 'percpu_down_read'];
const MOVE_SLOW = 'A write to cgroup.procs waits for an RCU grace period, or for a task stuck in fork or exit.';

interface Move {
  readonly id: string;
  readonly match: readonly Step[];
  readonly inOrderTo: string;
  readonly source: string;
}

/** Tasks that fork, exec and exit have to let moves between cgroups pass. */
const THREADGROUP_READERS: readonly Move[] = [
  {
    id: 'cgroup-threadgroup-wait',
    match: [READERS, ['copy_process', '_do_fork', 'cgroup_can_fork']],
    inOrderTo: 'fork',
    source: 'kernel/cgroup/cgroup.c: cgroup_can_fork',
  },
  {
    id: 'cgroup-threadgroup-exit',
    match: [
      [...READERS, 'exit_signals'],
      ['exit_signals', 'do_exit'],
    ],
    inOrderTo: 'exit',
    source: 'kernel/signal.c: exit_signals',
  },
  {
    id: 'cgroup-threadgroup-exec',
    match: [READERS, ['begin_new_exec', 'flush_old_exec', 'de_thread']],
    inOrderTo: 'exec',
    source: 'fs/exec.c: de_thread',
  },
  {
    id: 'cgroup-threadgroup-change',
    match: [['cgroup_threadgroup_change_begin', 'threadgroup_change_begin']],
    inOrderTo: 'fork, exec or exit',
    source: 'include/linux/cgroup-defs.h: cgroup_threadgroup_change_begin',
  },
];

/** Moves of tasks between cgroups, which forks, execs and exits have to let pass. */
export const THREADGROUP: readonly Rule[] = [
  {
    id: 'cgroup-threadgroup',
    kind: 'blocked',
    match: [
      [
        'cgroup_attach_lock',
        'cgroup_procs_write_start',
        'cgroup_procs_write_finish',
        'cgroup_update_dfl_csses',
        ...MOVES,
      ],
    ],
    sleeps: ['lock', 'schedule', 'event'],
    innermost: true,
    waitsFor: 'forks and exits to pause (threadgroup lock), in order to move tasks to another cgroup',
    causes: 'A task is stuck in fork or exit, or another task is moving tasks.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_attach_lock',
  },
  {
    id: 'cgroup-threadgroup-rcu',
    kind: 'blocked',
    match: ['rcu_sync_enter', ['cgroup_attach_lock', 'cgroup_procs_write_start', 'cgroup_update_dfl_csses', ...MOVES]],
    sleeps: ['rcu', 'schedule', 'event'],
    waitsFor: 'an RCU grace period to end, in order to pause forks and exits and move tasks to another cgroup',
    causes: 'A CPU in a long loop, a busy virtual machine, or an RCU stall. The favordynmods mount option avoids it.',
    stuck: STUCK,
    next: ['dmesg | grep -i "rcu.*stall"', ...HOLDERS],
    source: 'kernel/rcu/sync.c: rcu_sync_enter',
  },
  {
    id: 'cgroup-cpu-hotplug',
    kind: 'blocked',
    match: [
      ['cpus_read_lock', 'get_online_cpus'],
      ['cgroup_attach_lock', 'cgroup_procs_write_start', 'cgroup_update_dfl_csses', ...MOVES],
    ],
    sleeps: ['lock'],
    waitsFor: 'the CPU hotplug lock, in order to move tasks to another cgroup: a CPU goes online or offline',
    causes: 'A CPU hotplug callback is stuck.',
    stuck: ['cgroup', 'hotplug'],
    next: ['kstack -D -c "cpuhp|migration" -f long', ...OTHERS_BLOCKED],
    source: 'kernel/cgroup/cgroup.c: cgroup_attach_lock',
  },
  ...THREADGROUP_READERS.map(
    ({ inOrderTo, ...rest }): Rule => ({
      ...rest,
      kind: 'blocked',
      sleeps: ['lock'],
      innermost: true,
      waitsFor: `the threadgroup lock, which a task that moves tasks between cgroups holds, in order to ${inOrderTo}`,
      causes: MOVE_SLOW,
      stuck: STUCK,
      next: HOLDERS,
    }),
  ),
];

import { OTHERS_BLOCKED } from './commands.ts';
import type { Rule, Step } from './rule.ts';
import { HOLDERS, MOVES, STUCK } from './threadgroup.ts';

interface CgroupLock {
  readonly id: string;
  /** Functions that take cgroup_mutex and no other lock. */
  readonly match: readonly Step[];
  readonly inOrderTo: string;
  readonly source: string;
}

const MUTEX = ['mutex_lock', 'mutex_lock_nested', '__mutex_lock', '__mutex_lock_slowpath', '__mutex_lock_common'];
const TAKES_CGROUP_MUTEX = ['cgroup_kn_lock_live', 'cgroup_lock', 'cgroup_lock_live_group'];
/** What tasks take cgroup_mutex for. */
const CGROUP_LOCK: readonly CgroupLock[] = [
  {
    id: 'cgroup-lock-create',
    match: [['cgroup_mkdir']],
    inOrderTo: 'create a cgroup',
    source: 'kernel/cgroup/cgroup.c: cgroup_mkdir',
  },
  {
    id: 'cgroup-lock-remove',
    match: [['cgroup_rmdir', 'cgroup_destroy_locked']],
    inOrderTo: 'remove a cgroup',
    source: 'kernel/cgroup/cgroup.c: cgroup_rmdir',
  },
  {
    id: 'cgroup-lock-offline',
    match: [['css_killed_work_fn', 'offline_css']],
    inOrderTo: 'take a controller of a removed cgroup offline',
    source: 'kernel/cgroup/cgroup.c: css_killed_work_fn',
  },
  {
    id: 'cgroup-lock-free',
    match: [
      ['css_release_work_fn', 'css_free_work_fn', 'cgroup_destroy_root', 'cgroup_bpf_release', 'cgroup_bpf_release_fn'],
    ],
    inOrderTo: 'free a cgroup that was removed',
    source: 'kernel/cgroup/cgroup.c: css_release_work_fn',
  },
  {
    id: 'cgroup-lock-move',
    match: [TAKES_CGROUP_MUTEX, MOVES],
    inOrderTo: 'move tasks to another cgroup',
    source: 'kernel/cgroup/cgroup.c: __cgroup_procs_write',
  },
  {
    id: 'cgroup-lock-control',
    match: [
      ['cgroup_subtree_control_write', 'cgroup_type_write', 'cgroup_max_depth_write', 'cgroup_max_descendants_write'],
    ],
    inOrderTo: 'change the controllers of a cgroup',
    source: 'kernel/cgroup/cgroup.c: cgroup_subtree_control_write',
  },
  {
    id: 'cgroup-lock-freeze',
    match: [['cgroup_freeze_write']],
    inOrderTo: 'freeze or thaw a cgroup',
    source: 'kernel/cgroup/cgroup.c: cgroup_freeze_write',
  },
  {
    id: 'cgroup-lock-kill',
    match: [['cgroup_kill_write']],
    inOrderTo: 'kill the tasks of a cgroup',
    source: 'kernel/cgroup/cgroup.c: cgroup_kill_write',
  },
  {
    id: 'cgroup-lock-pressure',
    match: [['pressure_write', 'cgroup_pressure_write', 'cgroup_io_pressure_write', 'cgroup_memory_pressure_write']],
    inOrderTo: 'watch the pressure of a cgroup',
    source: 'kernel/cgroup/cgroup.c: pressure_write',
  },
  {
    id: 'cgroup-lock',
    match: [['proc_cgroup_show', 'cgroup_path_ns', 'task_cgroup_path']],
    inOrderTo: 'read the cgroup of a task (/proc/PID/cgroup)',
    source: 'kernel/cgroup/cgroup.c: proc_cgroup_show',
  },
  {
    id: 'cgroup-lock-list',
    match: [['proc_cgroupstats_show']],
    inOrderTo: 'list the controllers (/proc/cgroups)',
    source: 'kernel/cgroup/cgroup-v1.c: proc_cgroupstats_show',
  },
  {
    id: 'cgroup-lock-mount',
    match: [
      [
        'cgroup1_get_tree',
        'cgroup1_reconfigure',
        'cgroup1_remount',
        'cgroup1_mount',
        'cgroup_setup_root',
        'cgroup_do_get_tree',
      ],
    ],
    inOrderTo: 'mount a cgroup hierarchy',
    source: 'kernel/cgroup/cgroup-v1.c: cgroup1_get_tree',
  },
  {
    id: 'cgroup-lock-mounts',
    match: [['cgroup_show_options']],
    inOrderTo: 'tell the options of a mounted cgroup hierarchy',
    source: 'kernel/cgroup.c: cgroup_show_options',
  },
  {
    id: 'cgroup-lock-reclaim',
    match: [['mem_cgroup_get_first_node', 'mem_cgroup_get_next_node', 'mem_cgroup_hierarchical_reclaim']],
    inOrderTo: 'reclaim memory of a cgroup and those in it',
    source: 'mm/memcontrol.c: mem_cgroup_get_first_node',
  },
  {
    id: 'cgroup-lock-fork',
    match: [['cgroup_css_set_fork', 'cgroup_can_fork']],
    inOrderTo: 'create a child in another cgroup',
    source: 'kernel/cgroup/cgroup.c: cgroup_css_set_fork',
  },
  {
    id: 'cgroup-lock-bpf',
    match: [
      [
        'cgroup_bpf_attach',
        'cgroup_bpf_detach',
        'cgroup_bpf_prog_attach',
        'cgroup_bpf_query',
        'cgroup_bpf_link_attach',
      ],
    ],
    inOrderTo: 'attach a BPF program to a cgroup',
    source: 'kernel/bpf/cgroup.c: cgroup_bpf_attach',
  },
];

/** The cgroup hierarchy, and moves of tasks in it. */
export const CGROUPS: readonly Rule[] = [
  ...CGROUP_LOCK.map(
    ({ inOrderTo, ...rest }): Rule => ({
      ...rest,
      kind: 'blocked',
      sleeps: ['lock'],
      lock: 'mutex',
      innermost: true,
      waitsFor: `the lock of the cgroup hierarchy (cgroup_mutex), which another task holds, in order to ${inOrderTo}`,
      causes: 'Many containers start and stop, or a cgroup operation is stuck.',
      stuck: STUCK,
      next: HOLDERS,
    }),
  ),
  {
    id: 'cgroup-lock-other',
    kind: 'blocked',
    match: [TAKES_CGROUP_MUTEX],
    fallback: true,
    sleeps: ['lock'],
    waitsFor: 'the lock of the cgroup hierarchy (cgroup_mutex) that {caller} takes: another task holds it',
    causes: 'Many containers start and stop, or a cgroup operation is stuck.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_kn_lock_live',
  },
  {
    id: 'cgroup-lock-drain',
    kind: 'blocked',
    match: [MUTEX, 'cgroup_lock_and_drain_offline'],
    sleeps: ['lock'],
    innermost: true,
    waitsFor: 'the lock of the cgroup hierarchy (cgroup_mutex), which another task holds',
    causes: 'Many containers start and stop, or a cgroup operation is stuck.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_lock_and_drain_offline',
  },
  {
    id: 'cgroup-drain-dying',
    kind: 'blocked',
    match: ['cgroup_lock_and_drain_offline'],
    sleeps: ['schedule', 'event'],
    innermost: true,
    waitsFor: 'controllers that were switched off in this part of the cgroup hierarchy to be gone',
    inOrderTo: 'change the cgroup hierarchy',
    causes: 'Page cache, I/O in flight or another user still holds an old controller.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_lock_and_drain_offline',
  },
  {
    id: 'cgroup-drain-offline',
    kind: 'blocked',
    match: ['cgroup_lock_and_drain_offline'],
    waitsFor: 'the lock of the cgroup hierarchy (cgroup_mutex), or controllers that were switched off to be gone',
    inOrderTo: 'change the cgroup hierarchy',
    causes: 'Many containers start and stop, or page cache or I/O in flight still uses an old controller.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_lock_and_drain_offline',
  },
  {
    id: 'cgroup-dying',
    kind: 'blocked',
    match: ['cgroup_drain_dying'],
    waitsFor: 'the last tasks of a cgroup to be gone, so that it can be removed',
    inOrderTo: 'remove a cgroup',
    causes: 'A task has exited, but its parent or tracer has not reaped it, or it is stuck in exit.',
    next: ['cat /sys/fs/cgroup/PATH/cgroup.procs', 'kstack -DZ -f long', ...HOLDERS],
    source: 'kernel/cgroup/cgroup.c: cgroup_drain_dying',
  },
  {
    id: 'cgroup-file',
    kind: 'blocked',
    match: ['cgroup_file_write'],
    innermost: true,
    waitsFor: 'a cgroup to take a setting',
    inOrderTo: 'set a value of a cgroup',
    causes: 'Many containers start and stop, or a cgroup operation is stuck.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_file_write',
  },
  {
    id: 'cgroup-file-read',
    kind: 'blocked',
    match: [['cgroup_seqfile_show', 'cgroup_file_open', 'cgroup_file_poll']],
    innermost: true,
    waitsFor: 'a cgroup to tell a value',
    inOrderTo: 'read a value of a cgroup',
    causes: 'Many containers start and stop, or a cgroup operation is stuck.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_file_write',
  },
  {
    id: 'cgroup-create',
    kind: 'blocked',
    match: [
      [
        'cgroup_create',
        'css_create',
        'online_css',
        'cgroup_apply_control_enable',
        'mem_cgroup_css_alloc',
        'mem_cgroup_css_online',
      ],
    ],
    waitsFor: 'a cgroup to be set up',
    inOrderTo: 'create a cgroup or switch on a controller in it',
    causes: 'Many containers start at once, or memory is short.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: css_create',
  },
  {
    id: 'cgroup-offline',
    kind: 'blocked',
    match: [
      [
        'offline_css',
        'kill_css',
        'css_clear_dir',
        'mem_cgroup_css_offline',
        'mem_cgroup_css_free',
        'css_free_rwork_fn',
      ],
    ],
    waitsFor: 'a removed cgroup to be freed',
    inOrderTo: 'free a cgroup that was removed',
    causes: 'Many containers stop at once, or RCU or a worker is slow.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: offline_css',
  },
  {
    id: 'cgroup-migrate',
    kind: 'blocked',
    match: [
      [
        'cgroup_migrate_execute',
        'cgroup_migrate',
        'cgroup_attach_task',
        'mem_cgroup_can_attach',
        'mem_cgroup_move_task',
      ],
    ],
    waitsFor: 'a controller to move tasks to another cgroup',
    inOrderTo: 'move tasks to another cgroup',
    causes: 'A controller (memory, cpuset) moves what belongs to the tasks, too.',
    stuck: STUCK,
    next: HOLDERS,
    source: 'kernel/cgroup/cgroup.c: cgroup_migrate_execute',
  },
  {
    id: 'cgroup-drain',
    kind: 'blocked',
    match: [
      [
        'cgroup_rstat_flush',
        'cgroup_rstat_flush_hold',
        'cgroup_rstat_flush_locked',
        'css_rstat_flush',
        'mem_cgroup_flush_stats',
        '__mem_cgroup_flush_stats',
        'do_flush_stats',
        'mem_cgroup_flush_stats_ratelimited',
        'cgroup_base_stat_cputime_show',
      ],
    ],
    waitsFor: 'cgroup statistics to be summed up',
    inOrderTo: 'sum up the statistics of cgroups',
    causes: 'A great many cgroups, and programs that read their statistics often.',
    stuck: ['cgroupFile'],
    next: ['cat /sys/fs/cgroup/cgroup.stat', ...OTHERS_BLOCKED],
    source: 'kernel/cgroup/rstat.c: css_rstat_flush',
  },
];

import { OTHERS_BLOCKED } from './commands.ts';
import type { Rule } from './rule.ts';

const SCHED_EXT_STATE = [
  'cat /sys/kernel/sched_ext/state /sys/kernel/sched_ext/nr_rejected',
  'dmesg | grep -i sched_ext',
  ...OTHERS_BLOCKED,
];

/** sched_ext: schedulers that are BPF programs. */
export const SCHED_EXT: readonly Rule[] = [
  {
    id: 'sched-ext-fork',
    kind: 'blocked',
    match: [['scx_pre_fork', 'scx_fork']],
    sleeps: ['lock'],
    innermost: true,
    waitsFor:
      'the fork lock of sched_ext (scx_fork_rwsem), which a task that switches the scheduler holds, in order to fork',
    causes: 'A BPF scheduler is being loaded or unloaded, and that waits for the cgroup lock.',
    stuck: ['cgroup'],
    next: SCHED_EXT_STATE,
    source: 'kernel/sched/ext.c: scx_pre_fork',
    kernels: '6.12 and newer',
  },
  {
    id: 'sched-ext-cgroup',
    kind: 'blocked',
    match: ['scx_cgroup_lock'],
    sleeps: ['lock'],
    innermost: true,
    waitsFor: 'the cgroup lock of sched_ext, which tasks that change cgroups hold, in order to switch the scheduler',
    causes: 'A change of a cgroup does not finish.',
    stuck: ['cgroup'],
    next: SCHED_EXT_STATE,
    source: 'kernel/sched/ext.c: scx_cgroup_lock',
    kernels: '6.12 and newer',
  },
  {
    id: 'sched-ext-cgroup-change',
    kind: 'blocked',
    match: [
      ['scx_tg_online', 'scx_tg_offline', 'scx_cgroup_can_attach', 'scx_group_set_weight', 'scx_group_set_bandwidth'],
    ],
    sleeps: ['lock'],
    innermost: true,
    waitsFor:
      'the cgroup lock of sched_ext, which a task that switches the scheduler holds, in order to change a cgroup',
    causes: 'A BPF scheduler is being loaded or unloaded.',
    stuck: ['cgroup'],
    next: SCHED_EXT_STATE,
    source: 'kernel/sched/ext.c: scx_tg_online',
    kernels: '6.12 and newer',
  },
  {
    id: 'sched-ext-enable',
    kind: 'blocked',
    match: [['scx_ops_enable', 'scx_enable', 'scx_enable_workfn', 'bpf_scx_reg', 'scx_alloc_and_add_sched']],
    waitsFor: 'a BPF scheduler to be switched on',
    inOrderTo: 'switch a BPF scheduler on (sched_ext)',
    causes: 'A fork, a cgroup change or an RCU grace period does not finish.',
    stuck: ['cgroup', 'bpf'],
    next: SCHED_EXT_STATE,
    source: 'kernel/sched/ext.c: scx_enable',
    kernels: '6.12 and newer',
  },
  {
    id: 'sched-ext-disable',
    kind: 'blocked',
    match: [
      [
        'scx_ops_disable_workfn',
        'scx_disable_workfn',
        'scx_ops_bypass',
        'scx_bypass',
        'scx_ops_disable',
        'scx_disable',
        'bpf_scx_unreg',
        'scx_flush_disable_work',
      ],
    ],
    waitsFor: 'a BPF scheduler to be switched off',
    inOrderTo: 'switch a BPF scheduler off (sched_ext)',
    causes: 'The scheduler has stalled tasks that the switch needs, or a fork or cgroup change does not finish.',
    stuck: ['cgroup', 'bpf'],
    next: SCHED_EXT_STATE,
    source: 'kernel/sched/ext.c: scx_disable_workfn',
    kernels: '6.12 and newer',
  },
  {
    id: 'sched-ext',
    kind: 'blocked',
    match: [/scx_(?!pre_fork$|fork$|cgroup_lock$|tg_online$|tg_offline$|cgroup_can_attach$|group_set_)\w+/],
    innermost: true,
    waitsFor: 'a BPF scheduler (sched_ext), in {caller}',
    inOrderTo: 'follow a BPF scheduler (sched_ext)',
    causes: 'A BPF scheduler is being loaded or unloaded, or has stalled tasks.',
    stuck: ['bpf'],
    next: SCHED_EXT_STATE,
    source: 'kernel/sched/ext.c: scx_bypass',
    kernels: '6.12 and newer',
  },
];

import { wholeName } from './pattern.ts';

/** What a lock is to the kernel: a function that takes several tells by it which one it waits for. */
export type LockKind = 'mutex' | 'rwsem' | 'percpuRwsem' | 'semaphore';

/** The first that fits decides. Functions that take locks of any kind, and those of real-time kernels, are of none. */
const LOCK_KINDS: readonly (readonly [LockKind, RegExp])[] = [
  [
    'mutex',
    wholeName([
      /_{0,2}(?:ww_)?mutex_lock\w*/,
      /__mutex_\w+/,
      /rtnl_(?:net_)?lock(?:_\w+)?/,
      'cgroup_lock',
      'cgroup_kn_lock_live',
      'cgroup_lock_live_group',
      'genl_lock',
      'nfnl_lock',
      /lock_device_hotplug(?:_sysfs)?/,
    ]),
  ],
  [
    'percpuRwsem',
    wholeName([
      /(?:__)?percpu_(?:rwsem|down|up)\w*/,
      /cpus_(?:read|write)_lock/,
      'get_online_mems',
      'mem_hotplug_begin',
    ]),
  ],
  [
    'rwsem',
    wholeName([
      /(?:__|f2fs_)?down_(?:read|write)\w*/,
      /(?:__|call_)?rwsem_\w+/,
      /mmap_(?:read|write)_lock(?:_killable)?/,
    ]),
  ],
  ['semaphore', wholeName([/_{0,3}down(?:_(?:interruptible|killable|timeout|common|failed)\w*)?/, 'console_lock'])],
];

/** The kind of the lock that a function of this name takes; undefined if it is none of these. */
export function lockKind(name: string): LockKind | undefined {
  return LOCK_KINDS.find(([, names]) => names.test(name))?.[0];
}

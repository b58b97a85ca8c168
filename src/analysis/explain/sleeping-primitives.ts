import type { Pattern } from '../rules/rule.ts';
import { wholeName } from './pattern.ts';

/**
 * How a task sleeps, or spins, in functions that do it on behalf of any caller. `schedule`, `event` and `completion` do
 * not tell what for, so a task may idle in them.
 */
export type Sleep =
  | 'schedule'
  | 'event'
  | 'completion'
  | 'bit'
  | 'lock'
  | 'spin'
  | 'page'
  | 'buffer'
  | 'io'
  | 'work'
  | 'rcu'
  | 'delay'
  | 'pool';

/** Sleeps of who has nothing to do. What completes, or clears a bit, was mostly started by who waits for it. */
export const IDLE_SLEEPS: ReadonlySet<Sleep> = new Set(['schedule', 'event']);

/** Functions that sleep or spin on behalf of any caller. */
export interface SleepingPrimitive {
  readonly sleep: Sleep;
  /** What all callers wait for in it; absent if that depends on the caller. */
  readonly waitsFor?: string;
  readonly names: RegExp;
}

/** What sentences call the locks of the whole host that functions take by a name. */
const HOST_LOCKS = new RegExp(
  String.raw`\((?:rtnl|nfnl)\)|cgroup_mutex|(?:CPU|device|memory) hotplug|mmap lock|per-CPU allocator|generic netlink|` +
    'of the console',
);

/** What sentences call the lock of the whole host that is taken there; undefined if it is another lock, or none. */
export function hostLock(primitive: SleepingPrimitive | undefined): string | undefined {
  return primitive?.sleep === 'lock' ? HOST_LOCKS.exec(primitive.waitsFor ?? '')?.[0] : undefined;
}

/** Whether a sentence about a lock is about another one than the lock of the whole host that is taken there. */
export function isOfOtherLock(sentence: string, primitive: SleepingPrimitive): boolean {
  const lock = hostLock(primitive);
  return lock !== undefined && !sentence.includes(lock);
}

const HELD = 'that another task holds';
const IS_HELD = 'which another task holds';

function primitive(sleep: Sleep, waitsFor: string | undefined, ...names: readonly Pattern[]): SleepingPrimitive {
  return { sleep, ...(waitsFor !== undefined && { waitsFor }), names: wholeName(names) };
}

/** The first that fits decides. */
const PRIMITIVES: readonly SleepingPrimitive[] = [
  primitive(
    'spin',
    'a spinlock',
    /(?:native_|pv_|__pv_)?queued_(?:spin|read|write)_lock\w*/,
    /_raw_(?:spin|read|write)_(?:try)?lock\w*/,
    /(?:do|__)_?raw_(?:spin|read|write)_lock\w*/,
    /_{0,2}(?:arch_|ticket_)spin_(?:try)?lock\w*|__(?:read|write)_lock_failed/,
    // Before 2.6.33; of 2.4, the code that spins stands in a section of its own.
    /_{1,2}spin_(?:try)?lock\w*|text\.lock\.\w+/,
    // What the debugging variants print and call
    /spin_(?:bug|dump)|_{0,2}spin_lock_debug/,
    'osq_lock',
    /lg_(?:local|global|double)_lock\w*/,
    'mutex_spin_on_owner',
    'rwsem_spin_on_owner',
    /rwsem_optimistic_spin\w*/,
    /kvm_wait|__pv_\w+/,
  ),
  // Locks of the whole host. Functions take them on behalf of very many callers.
  primitive('lock', `the lock of the network configuration (rtnl), ${IS_HELD}`, /rtnl_(?:net_)?lock(?:_\w+)?/),
  primitive(
    'lock',
    `the lock of the cgroup hierarchy (cgroup_mutex), ${IS_HELD}`,
    'cgroup_lock',
    'cgroup_kn_lock_live',
    'cgroup_lock_live_group',
  ),
  primitive(
    'lock',
    'the CPU hotplug lock, which a task that takes a CPU online or offline holds or waits for',
    'cpus_read_lock',
    'get_online_cpus',
  ),
  primitive('lock', 'the CPU hotplug lock, which other tasks hold', 'cpus_write_lock', 'cpu_hotplug_begin'),
  primitive('lock', `the lock of device hotplug, ${IS_HELD}`, /lock_device_hotplug(?:_sysfs)?/),
  primitive(
    'lock',
    'the memory hotplug lock, which a task that adds or removes memory holds or waits for',
    'get_online_mems',
  ),
  primitive('lock', 'the memory hotplug lock, which other tasks hold', 'mem_hotplug_begin'),
  primitive('lock', 'the mmap lock of a process, which other tasks hold', /mmap_(?:read|write)_lock(?:_killable)?/),
  primitive('lock', `the lock of the per-CPU allocator, ${IS_HELD}`, /pcpu_alloc(?:_noprof)?/, '__alloc_percpu'),
  primitive('lock', `the lock of generic netlink, ${IS_HELD}`, 'genl_lock'),
  primitive('lock', `the lock of the packet filter (nfnl), ${IS_HELD}`, 'nfnl_lock'),
  primitive('lock', `the lock of a socket, ${IS_HELD}`, /(?:__)?lock_sock(?:_nested|_fast)?/),
  primitive('lock', `the lock of the console, ${IS_HELD}`, 'console_lock', 'console_list_lock'),
  primitive('lock', `the lock of a terminal, ${IS_HELD}`, /tty_lock(?:_slave|_interruptible|_nested)?/),
  primitive(
    'lock',
    `the lock of a file or directory (inode), ${IS_HELD}`,
    /inode_(?:try)?lock(?:_shared|_nested|_killable|_shared_nested)?/,
    'inode_lock_shared_killable',
  ),
  primitive('lock', `the lock of the page cache of a file, ${IS_HELD}`, /filemap_invalidate_lock(?:_\w+)?/),
  primitive('lock', `the lock of a pipe, ${IS_HELD}`, /pipe_(?:double_)?lock(?:_nested)?/),
  primitive(
    'lock',
    `the lock of a node of a bcachefs btree, ${IS_HELD}`,
    /_?_?(?:bch2_)?six_(?:re)?lock_\w+/,
    /_?_?bch2_btree_node_(?:re)?lock\w*/,
    'bch2_btree_path_relock_intent',
  ),
  primitive('lock', `a mutex ${HELD}`, /_{0,2}(?:ww_)?mutex_lock\w*/, /__mutex_\w+/),
  primitive('lock', `a real-time mutex ${HELD}`, /(?:__)?rt_mutex_\w+/),
  primitive('lock', `a spinlock of a real-time kernel ${HELD}`, /rtlock_\w+/, /rt_(?:spin|read|write)_lock\w*/),
  primitive('lock', `a per-CPU reader-writer lock ${HELD}`, /(?:__)?percpu_(?:rwsem|down|up)\w*/),
  primitive(
    'lock',
    'a reader-writer lock that other tasks hold',
    /(?:rwsem_|__rwsem_|call_rwsem_)(?:down_)?write\w*/,
    /(?:__)?down_write\w*/,
    'f2fs_down_write',
    /(?:__)?ldsem_down_write\w*/,
    /(?:__)?rwbase_write_\w+/,
  ),
  primitive(
    'lock',
    'a reader-writer lock that a writer holds or waits for',
    /(?:__|call_)?rwsem_(?!(?:mark_|do_)?wake)\w+/,
    /(?:__)?down_read\w*/,
    'f2fs_down_read',
    /(?:__)?ldsem_down_\w+/,
    /(?:__)?rwbase_read_\w+/,
  ),
  primitive(
    'lock',
    'a semaphore to be released',
    /_{0,3}down(?:_(?:interruptible|killable|timeout|common|failed)\w*)?/,
  ),
  primitive('delay', 'a fixed delay to pass', /usleep_range\w*/, /f?msleep\w*/, 'ssleep', 'fsleep'),
  primitive('delay', 'a short pause, or a disk that is no longer congested', /(?:wait_iff_)?congest(?:ed|ion_wait)\w*/),
  primitive(
    'rcu',
    'all readers of an SRCU domain to finish',
    /(?:__)?synchronize_srcu\w*/,
    'srcu_barrier',
    /_?_?cleanup_srcu_struct\w*/,
  ),
  primitive(
    'rcu',
    'all tasks to leave traced code (RCU tasks)',
    /synchronize_rcu_(?:tasks|mult)\w*/,
    /rcu_barrier_tasks\w*/,
  ),
  primitive(
    'rcu',
    'an RCU grace period to end',
    /synchronize_(?:rcu|sched|net)\w*/,
    '__wait_rcu_gp',
    'wait_rcu_gp',
    'synchronize_rcu_normal',
    /cond_synchronize_\w+/,
    'exp_funnel_lock',
    /sync_rcu_exp_\w+/,
  ),
  primitive('rcu', 'queued RCU callbacks to run', /rcu_barrier\w*|_rcu_barrier/, 'kvfree_rcu_barrier'),
  primitive('rcu', 'every CPU to notice that a reference count changes its mode', /(?:__)?percpu_ref_switch_\w+/),
  primitive(
    'work',
    'every CPU to hand over the pages that it keeps to itself',
    /(?:__)?lru_add_drain_all\w*/,
    'lru_cache_disable',
    /(?:__)?drain_all_pages/,
  ),
  primitive('work', 'a kernel worker of every CPU to run a function', 'schedule_on_each_cpu'),
  primitive('work', 'a kernel thread to exit', /kthread_stop(?:_put)?/, 'kthread_destroy_worker'),
  primitive('work', 'a kernel thread to park', 'kthread_park'),
  primitive('work', 'kthreadd to create a kernel thread', /(?:__)?kthread_create_\w+/),
  primitive('work', 'asynchronous work (device probes, resume) to finish', /async_synchronize_\w+/),
  primitive('work', 'a program that the kernel started to exit', /call_usermodehelper\w*/),
  primitive('work', 'a CPU to run its stopper thread', 'stop_one_cpu', 'stop_two_cpus'),
  primitive(
    'work',
    'all CPUs to run their stopper threads',
    /stop_machine(?:_cpuslocked|_from_inactive_cpu)?/,
    /(?:__|try_)?stop_cpus/,
  ),
  primitive('work', 'the handler of an interrupt to finish', /(?:__)?synchronize_(?:hard)?irq/),
  primitive(
    'work',
    'a kernel worker to finish',
    /(?:__)?flush_work\w*/,
    'start_flush_work',
    'flush_delayed_work',
    'flush_cpu_workqueue',
    /(?:__)?(?:drain|destroy|flush)_workqueue/,
    /cancel_(?:delayed_)?work_sync/,
    /__cancel_work\w*/,
  ),
  primitive(
    'work',
    'a dedicated kernel thread to finish work',
    /(?:__)?kthread_(?:flush|cancel)_\w+|flush_kthread_\w+/,
  ),
  primitive('pool', 'an element of a memory pool', /mempool_alloc\w*/),
  primitive(
    'pool',
    'its turn to do I/O: the kernel limits the requests that a disk has at once (wbt, io.latency)',
    'rq_qos_wait',
    '__rq_qos_throttle',
    'rq_qos_throttle',
  ),
  primitive(
    'page',
    'a page that is locked or being written',
    /folio_wait_bit\w*/,
    /wait_on_page_bit\w*/,
    /sync_page(?:_killable)?/,
    /sleep_on_page\w*/,
  ),
  primitive(
    'buffer',
    'a block of the disk to be read or written',
    '__wait_on_buffer',
    'wait_on_buffer',
    '__bread_gfp',
    /(?:__)?bh_read/,
    'sync_buffer',
    'sleep_on_buffer',
  ),
  primitive('io', 'a SCSI command of the kernel to complete', /(?:__)?scsi_execute(?:_cmd|_req(?:_flags)?)?/),
  primitive('io', 'an NVMe command of the kernel to complete', /(?:__)?nvme_submit_sync_cmd/, 'nvme_execute_rq'),
  primitive(
    'io',
    'I/O to complete',
    'submit_bio_wait',
    'blk_wait_io',
    'bio_await',
    'blk_execute_rq',
    /io_schedule\w*/,
    'blk_io_schedule',
  ),
  primitive(
    'bit',
    undefined,
    /(?:__|out_of_line_)?wait_on_bit\w*/,
    /bit_wait\w*/,
    /nfs_wait_(?:bit|atomic)_\w+|inode_wait|(?:__|out_of_line_)wait_on_atomic_t|fscache_wait_(?:bit|atomic)\w*/,
  ),
  primitive('completion', undefined, /(?:__)?wait_for_completion\w*/, /(?:__|do_)?wait_for_common\w*/),
  primitive(
    'event',
    undefined,
    /__wait_event\w*/,
    'wait_woken',
    /do_wait_intr\w*/,
    /(?:__bch2_|__)?closure_sync\w*/,
    /(?:__)?cv_(?:timed)?wait(?:_\w+)?/,
    'uds_wait_cond',
    /(?:interruptible_)?sleep_on(?:_timeout|_common)?/,
  ),
  primitive(
    'schedule',
    undefined,
    /_?_?schedule(?:_(?!on_each_cpu|(?:delayed_)?work)\w+)?/,
    /freezable_schedule\w*/,
    /preempt_schedule\w*/,
    /_?_?cond_resched/,
    /_?__schedule_loop/,
    /__switch_to(?:_asm)?/,
    /finish_task_switch\w*/,
    'context_switch',
    'rt_mutex_schedule',
    '__sched_text_start',
    /yield(?:_to)?/,
  ),
];

/** All of them at once: most functions are none. */
const ANY = new RegExp(PRIMITIVES.map(({ names }) => names.source).join('|'));

/** The functions of a kind that this one, by its name in the sources, is of; undefined if it is none of these. */
export function sleepingPrimitive(name: string): SleepingPrimitive | undefined {
  return ANY.test(name) ? PRIMITIVES.find(({ names }) => names.test(name)) : undefined;
}

/** Whether a function, by its name in the sources, sleeps or spins on behalf of any caller. */
export function isSleepingPrimitive(name: string): boolean {
  return ANY.test(name);
}

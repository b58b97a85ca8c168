import { LOG, OTHERS_BLOCKED } from './commands.ts';
import { blocked, FALLBACK, idle, type Rule, running } from './rule.ts';

const HOLDER = 'Another task holds it and is slow or stuck itself: look for a blocked task in the same subsystem.';
const READ = /(?:rwsem_)?down_read\w*|__down_read\w*|call_rwsem_down_read\w*|rwsem_down_read_slowpath/;
const WRITE = /(?:rwsem_)?down_write\w*|__down_write\w*|call_rwsem_down_write\w*|rwsem_down_write_slowpath/;

/** Locks as such, where nothing is known about what they protect, and futexes. */
export const LOCKS: readonly Rule[] = [
  blocked(
    'lock-mutex',
    [/(?:ww_)?mutex_lock\w*|__(?:ww_)?mutex_lock\w*/],
    'a mutex that {caller} takes',
    HOLDER,
    OTHERS_BLOCKED,
    'kernel/locking/mutex.c: __mutex_lock_common',
    FALLBACK,
  ),
  blocked(
    'lock-rwsem-read',
    [READ],
    'a reader-writer lock that {caller} takes to read: a writer holds it or is in line',
    HOLDER,
    OTHERS_BLOCKED,
    'kernel/locking/rwsem.c: rwsem_down_read_slowpath',
    FALLBACK,
  ),
  blocked(
    'lock-rwsem-write',
    [WRITE],
    'a reader-writer lock that {caller} takes to write: readers or a writer hold it',
    HOLDER,
    OTHERS_BLOCKED,
    'kernel/locking/rwsem.c: rwsem_down_write_slowpath',
    FALLBACK,
  ),
  blocked(
    'lock-percpu-rwsem',
    [/percpu_rwsem_wait|__percpu_down_read\w*|percpu_down_(?:read|write)\w*/],
    'a per-CPU reader-writer lock that {caller} takes',
    'A writer (file system freeze, CPU hotplug, cgroup move) holds it, or waits for a reader that is stuck.',
    OTHERS_BLOCKED,
    'kernel/locking/percpu-rwsem.c: percpu_rwsem_wait',
    FALLBACK,
  ),
  blocked(
    'lock-semaphore',
    [
      'down|__down|__down_common|down_interruptible|__down_interruptible|down_killable|__down_killable|down_timeout|__down_timeout',
    ],
    'a semaphore that {caller} takes',
    HOLDER,
    OTHERS_BLOCKED,
    'kernel/locking/semaphore.c: __down_common',
    FALLBACK,
  ),
  blocked(
    'lock-rt-mutex',
    [/rt_mutex_\w+|__rt_mutex_\w+|rtlock_slowlock\w*|rt_spin_lock\w*/],
    'a real-time mutex that {caller} takes',
    HOLDER,
    OTHERS_BLOCKED,
    'kernel/locking/rtmutex.c: rt_mutex_slowlock',
    FALLBACK,
  ),
  blocked(
    'lock-bit',
    [/wait_on_bit\w*|__wait_on_bit\w*|out_of_line_wait_on_bit\w*|bit_wait\w*/],
    'a flag that {caller} watches to be cleared',
    HOLDER,
    OTHERS_BLOCKED,
    'kernel/sched/wait_bit.c: __wait_on_bit',
    FALLBACK,
  ),
  blocked(
    'lock-completion',
    [/wait_for_completion\w*|(?:__|do_)?wait_for_common\w*/],
    'something that {caller} has begun to complete',
    'A device, worker or other task has not finished it.',
    [...OTHERS_BLOCKED, ...LOG],
    'kernel/sched/completion.c: wait_for_completion',
    FALLBACK,
  ),
  blocked(
    'lock-sleep',
    [/msleep\w*|usleep_range\w*/],
    'a fixed time to pass in {caller}',
    'A driver that polls its device, or a retry.',
    LOG,
    'kernel/time/sleep_timeout.c: msleep',
    FALLBACK,
  ),
  blocked(
    'lock-mempool',
    [/mempool_alloc\w*/],
    'an element of a reserve of memory that {caller} draws on',
    'Memory is short, and all of the reserve is in flight to a slow device.',
    ['cat /proc/pressure/memory', 'iostat -x 1'],
    'mm/mempool.c: mempool_alloc',
  ),
  running(
    'lock-spin',
    [
      /(?:native_|pv_|__pv_)?queued_(?:spin|read|write)_lock\w*|_raw_(?:spin|read|write)_lock\w*|osq_lock|mutex_spin_on_owner/,
    ],
    'nothing: it spins on a lock that {caller} takes',
    'Many CPUs want one lock; on a virtual machine the holder may not be scheduled by the host.',
    ['perf top -g', 'mpstat -P ALL 1'],
    'kernel/locking/qspinlock.c: queued_spin_lock_slowpath',
  ),
  idle(
    'futex',
    [/futex_wait\w*|futex_do_wait|__futex_wait|do_futex|futex_wait_queue_me/],
    'another thread to wake it (futex): a lock, condition or queue of its program',
    'Normal for threads of a pool. When a program hangs, its threads wait for each other here.',
    ['gdb -p PID -batch -ex "thread apply all bt"', 'strace -fp PID'],
    'kernel/futex/waitwake.c: futex_do_wait',
  ),
  blocked(
    'futex-pi',
    ['futex_lock_pi|futex_wait_requeue_pi|futex_lock_pi_atomic|futex_unlock_pi|rt_mutex_wait_proxy_lock'],
    'a priority-inheriting mutex of its program',
    'Another thread of the program holds it.',
    ['gdb -p PID -batch -ex "thread apply all bt"'],
    'kernel/futex/pi.c: futex_lock_pi',
  ),
  blocked(
    'futex-fault',
    [
      'fault_in_user_writeable|futex_private_hash|futex_hash_allocate|futex_cleanup_begin|futex_exec_release|futex_exit_release|exit_pi_state_list',
    ],
    'the futexes of its process',
    'A thread that exits or execs at the same time.',
    ['kstack -p PID'],
    'kernel/futex/core.c: futex_cleanup_begin',
  ),
];

import { expect, it } from 'vitest';
import { kernelEventKind } from './kernel-event.ts';

it.each([
  ['hung-task', 'INFO: task tar:4711 blocked for more than 122 seconds.'],
  ['hung-task', 'INFO: task a: b:1 blocked in I/O wait for more than 120 seconds.'],
  ['hung-task', 'Future hung task reports are suppressed, see sysctl kernel.hung_task_warnings'],
  ['lockup', 'watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [kworker/3:1:88]'],
  ['lockup', 'NMI watchdog: Watchdog detected hard LOCKUP on cpu 7'],
  ['lockup', 'watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 0'],
  ['lockup', 'watchdog: CPU 2 self-detected hard LOCKUP @ plpar_hcall_norets+0x1c/0x28'],
  ['lockup', 'BUG: workqueue lockup - pool cpus=3 node=0 flags=0x0 nice=0 stuck for 34s!'],
  ['rcu-stall', 'rcu: INFO: rcu_preempt self-detected stall on CPU'],
  ['rcu-stall', 'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:'],
  ['rcu-stall', 'INFO: rcu_sched self-detected stall on CPU { 3}  (t=5250 jiffies)'],
  ['rcu-stall', 'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 3-... } 6 jiffies s: 9 root: 0x8/.'],
  ['rcu-stall', 'INFO: rcu_tasks detected stalls on tasks:'],
  ['rcu-stall', 'rcu: rcu_preempt kthread starved for 5250 jiffies! g-1199 f0x0'],
  ['io-error', 'I/O error, dev loop0, sector 2048 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 0'],
  ['io-error', 'blk_update_request: I/O error, dev sda, sector 1953'],
  ['io-error', 'blk_update_request: critical medium error, dev sdb, sector 77 op 0x0:(READ)'],
  ['io-error', 'Buffer I/O error on dev dm-3, logical block 0, lost async page write'],
  ['io-error', 'EXT4-fs error (device loop0): ext4_find_entry:1683: inode #2: comm ls: reading directory lblock 0'],
  ['io-error', 'EXT4-fs (sda1): Remounting filesystem read-only'],
  ['io-error', 'XFS (sda1): metadata I/O error in "xfs_imap_to_bp+0x50/0x70 [xfs]" at daddr 0x40 len 32 error 5'],
  ['io-error', 'XFS (dm-0): Filesystem has been shut down due to log error (0x2).'],
  ['io-error', 'Aborting journal on device sda1-8.'],
  ['io-error', 'nvme nvme0: I/O 12 QID 4 timeout, aborting'],
  ['io-error', 'nvme nvme0: I/O tag 12 (000c) opcode 0x2 (Read) QID 3 timeout, aborting req_op:READ(0) size:4096'],
  ['io-error', 'sd 0:0:0:0: [sda] tag#5 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=31s'],
  ['io-error', 'ata1.00: failed command: READ FPDMA QUEUED'],
  ['io-error', 'Read-error on swap-device (8:16:12345)'],
  ['nfs', 'nfs: server filer not responding, still trying'],
  ['nfs', 'nfs: server filer.example.org OK'],
  ['nfs', 'lockd: server 10.0.0.5 not responding, timed out'],
  ['oom', 'java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0'],
  ['oom', 'Memory cgroup out of memory: Killed process 4711 (a: b) total-vm:10kB, anon-rss:8kB'],
  ['oom', 'Out of memory: Kill process 4711 (java) score 900 or sacrifice child'],
  ['oom', 'Out of memory (oom_kill_allocating_task): Killed process 12 (x)'],
  ['oom', 'oom_reaper: unable to reap pid:4711 (java)'],
  ['freezer', 'Freezing of tasks failed after 20.01 seconds (1 tasks refusing to freeze, wq_busy=0):'],
  ['freezer', 'Freezing user space processes'],
  ['freezer', 'PM: suspend entry (deep)'],
  ['freezer', 'Restarting tasks ... done.'],
])('%s: %s', (kind, line) => {
  expect(kernelEventKind(line)).toBe(kind);
});

it.each([
  'loop0: detected capacity change from 0 to 196608',
  'EXT4-fs (loop0): mounted filesystem with ordered data mode. Opts: errors=remount-ro',
  'EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro',
  'watchdog: Disabling watchdog on nohz_full cores by default',
  'NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
  'rcu: Hierarchical RCU implementation.',
  'rcu: \tRCU calculated value of scheduler-enlistment delay is 25 jiffies.',
  'nfsd: server is OK now, see above',
  'oom_reaper: reaped process 4711 (java), now anon-rss:0kB',
  'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0',
  'ACPI: PM: (supports S0 S5)',
  'INFO: task tar:4711 is blocked on a mutex likely owned by task cp:4712.',
  'task:tar             state:D stack:0     pid:4711  tgid:4711  ppid:1',
  ' ext4_handle_error+0x4b/0x80 [ext4]',
  'sshd: a user asked why the server filer OK',
  'audit: type=1400 msg="INFO: task tar:1 blocked for more than 120 seconds"',
])('nothing: %s', (line) => {
  expect(kernelEventKind(line)).toBeUndefined();
});

it.each(['a: ', 'error ', 'I/O ', 'blocked ', 'server ', 'BTRFS info (x): '])(
  'takes time linear in a line of "%s"',
  (piece) => {
    const msFor = (pieces: number) => {
      const started = performance.now();
      for (let line = 0; line < 20_000 / pieces; line++) expect(kernelEventKind(piece.repeat(pieces))).toBeUndefined();
      return performance.now() - started;
    };
    const least = (pieces: number) => Math.min(...Array.from({ length: 5 }, () => msFor(pieces)));
    // The same pieces in one line and in a hundred: if time were quadratic, one would take a hundred times as long.
    expect(least(20_000)).toBeLessThan(20 * least(200));
  },
);

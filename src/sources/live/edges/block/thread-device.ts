/** A block device by its number, `7:0`, or by the names that it may have, the likeliest first. */
export type DeviceHint = { readonly number: string } | { readonly names: readonly string[] };

/** Longer names of kernel threads are cut to this before Linux 5.17, and the rest is lost. */
const CUT = 15;

/**
 * A worker's name and, while it runs one, its work queue's or what the work calls itself (kernel/workqueue.c,
 * wq_worker_comm).
 */
const WORKER = /^kworker\/[^+]*\+(.+)$/;

/**
 * The device that a kernel thread works for, by the name that the kernel gives it; undefined if it names none.
 *
 * - `jbd2/sda1-8` (fs/jbd2/journal.c: device and inode), `jbd2/sdb1` for a journal on a device of its own
 * - `xfsaild/dm-3`, `xfs-conv/dm-3` (fs/xfs/xfs_super.c)
 * - `flush-8:0` (fs/fs-writeback.c, wb_workfn), `f2fs_ckpt-8:0`
 * - `kdmflush/253:0`, `dmcrypt_write/253:0` (drivers/md/dm.c, dm-crypt.c)
 * - `md0_raid1`, `md0_resync` (drivers/md/md.c, md_register_thread)
 */
export function deviceOfThread(comm: string): DeviceHint | undefined {
  const name = WORKER.exec(comm)?.[1] ?? comm;
  const number = /^(?:flush-|f2fs_\w+-|\w+\/)(\d+:\d+)$/.exec(name)?.[1];
  if (number !== undefined) return number.startsWith('0:') ? undefined : { number };
  const journal = /^jbd2\/(.+?)(-\d*)?$/.exec(name);
  if (journal !== null) {
    const [, device = '', inode] = journal;
    if (inode === undefined) return comm.length === CUT ? undefined : named([device]);
    return named(comm.length === CUT ? [device] : [device, `${device}${inode}`]);
  }
  if (comm.length === CUT) return undefined;
  const device = /^xfs[a-z]*(?:-[a-z]+)*\/(.+)$/.exec(name)?.[1] ?? MD.exec(name)?.[1];
  return device === undefined ? undefined : named([device]);
}

const MD = /^(md.+)_(?:raid\d+|resync|recovery|reshape|check|repair)$/;

/** The loop device whose requests a worker carries out (drivers/block/loop.c); undefined if it is none. */
export function loopOfThread(comm: string): string | undefined {
  return /^(?:kworker\/[^+]*\+)?(loop\d+)$/.exec(comm)?.[1];
}

/** Where sysfs has a `!`, other places have a `/`. */
const named = (names: readonly string[]) => ({ names: names.map((name) => name.replaceAll('/', '!')) });

import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { wholeName } from './pattern.ts';

interface OwnLock {
  /** Of a sentence about the lock, or about what has to end. */
  readonly lock: RegExp;
  /** Functions that only run with the lock held, or that are what has to end. */
  readonly holders: RegExp;
  /** The sentence leaves open who holds it. */
  readonly isOpen?: true;
}

const OWN_LOCKS: readonly OwnLock[] = [
  {
    lock: /\(rtnl\)/,
    holders: wholeName([
      /(?:__)?dev_(?:open|close|change_flags|set_mtu|set_mac_address|close_many)|netif_(?:open|close|change_flags)/,
      /__dev_(?:close_many|notify_flags)|dev_deactivate(?:_many)?|dev_activate/,
      /(?:un)?register_netdevice(?:_many|_queue)?|unregister_netdevice_many_notify|rollback_registered(?:_many)?/,
      /do_setlink|__rtnl_newlink|rtnl_(?:configure|delete|group_changelink|group_dellink)\w*|rtnl_create_link/,
      /call_netdevice_(?:unregister_)?notifiers\w*|netdev_run_todo_locked|netdev_(?:master_)?upper_dev_(?:un)?link/,
    ]),
  },
  {
    lock: /the lock of a WiFi adapter/,
    holders: wholeName([
      /nl80211_(?!pre_doit|dump|prepare|netlink)\w+|cfg80211_wiphy_work|__?cfg80211_leave|cfg80211_leave/,
      /ieee80211_(?:do_stop|stop|do_open|open|restart_work|reconfig)|wiphy_(?:suspend|resume)|rdev_\w+|drv_\w+/,
    ]),
  },
  {
    lock: /the mmap lock of (?:its|a) process/,
    holders: wholeName([
      /__?mmap_region|mmap_region|do_mmap(?:_pgoff)?|(?:__)?do_munmap|do_vmi_(?:align_)?munmap|mprotect_fixup/,
      /move_vma|do_brk_flags|handle_mm_fault|__handle_mm_fault|unmap_region|expand_stack_locked|dup_mmap/,
    ]),
  },
  {
    lock: /the lock of (?:a|the) (?:file|directory|inode)\b/,
    holders: wholeName([
      /generic_perform_write|__generic_file_write_iter|__generic_file_aio_write|iomap_file_buffered_write/,
      'ext4_buffered_write_iter',
    ]),
  },
  {
    lock: /the lock of a page of a file/,
    isOpen: true,
    holders: wholeName([
      /filemap_read_folio|do_read_cache_(?:page|folio)|btrfs_do_readpage|__do_readpage|extent_readpages?|read_pages/,
      /\w+_read_(?:full_)?folio|\w+_do_writepage|\w+_write(?:_full)?_(?:page|folio)|\w+_readpages?/,
    ]),
  },
];

/** What a task may be part of that has to end. */
const OWN_WORK: readonly OwnLock[] = [
  {
    lock: /^the writeback of an inode by another task to finish$/,
    holders: wholeName(['do_writepages', '__writeback_single_inode']),
  },
  {
    lock: /^all devices to be probed$/,
    holders: wholeName(['really_probe', 'driver_probe_device', '__driver_probe_device', 'call_driver_probe']),
  },
  {
    // The work that powers an adapter on closes it when the radio is switched off.
    lock: /^a kernel worker to finish$/,
    holders: wholeName(['hci_power_on']),
  },
];

const HELD = /(?:, which|: ?) ?(?:another task|other tasks|other threads) holds?(?: it)?/;

/**
 * The sentence about a lock, with a warning where the task's own stack shows that it took such a lock further out;
 * undefined where it does not.
 */
export function withOwnLock(waitsFor: string, frames: readonly Frame[], depth: number): string | undefined {
  const work = OWN_WORK.find(({ lock }) => lock.test(waitsFor));
  const part = work && frames.slice(depth + 1).find(({ symbol }) => work.holders.test(functionName(symbol)));
  if (part !== undefined) {
    const what = waitsFor.replace(' by another task', '');
    return `${what}, which may be its own (further out it is in ${functionName(part.symbol)})`;
  }
  const own = OWN_LOCKS.find(({ lock }) => lock.test(waitsFor));
  if (own === undefined || !(own.isOpen === true || HELD.test(waitsFor))) return undefined;
  const holder = frames.slice(depth + 1).find(({ symbol }) => own.holders.test(functionName(symbol)));
  if (holder === undefined) return undefined;
  const name = functionName(holder.symbol);
  const itself = `, which it may hold itself (further out it is in ${name}, which runs with such a lock)`;
  return HELD.test(waitsFor) ? waitsFor.replace(HELD, itself) : `${waitsFor}${itself}`;
}

/** The sentence about a lock of which the kernel says that the task has it. */
export function heldByItself(waitsFor: string): string {
  const itself = ', which it likely holds itself';
  if (HELD.test(waitsFor)) return waitsFor.replace(HELD, itself);
  const told = / that (?:another task|other tasks) holds?/;
  if (told.test(waitsFor)) return waitsFor.replace(told, ' that it likely holds itself');
  return waitsFor.replace(/(?<= takes)(?! for)| \(the text has|$/, (rest) => `${itself}${rest}`);
}

export const OWN_LOCK_CAUSES =
  'A bug: the task waits for itself, for a lock that it holds or for what it does further out. If not, for another task.';

import type { Observation } from '../../../model/sample.ts';
import type { Stack } from '../../../model/stack.ts';

/** A task that waits inside a file system. */
export interface FileSystemWait {
  /** The function that says so. */
  readonly function: string;
  /** Of which types the file system can be. Undefined if any. */
  readonly types: RegExp | undefined;
  /** Set if it waits for the file system to be thawed. */
  readonly frozen?: true;
  /** Set if it waits for the journal to commit a transaction. */
  readonly journal?: true;
  /** Set if it waits for another task that looks up the same name. */
  readonly sharesLookup?: true;
  /** Set if a page fault leads there: the arguments of the system call then say nothing about the file. */
  readonly fault?: true;
}

const words = (text: string) => text.trim().split(/\s+/);

/** What a function that waits is called by, or a file system's functions begin with, by the types of file systems. */
const FAMILIES: readonly (readonly [prefix: RegExp, types: RegExp])[] = [
  [/^_*(?:fuse|virtio_fs)_/, /^(?:fuse|fuseblk|virtiofs)(?:\..*)?$/],
  [/^_*(?:nfs\d*|rpc)_/, /^nfs4?$/],
  [/^_*(?:cifs|smb2|smb3)_/, /^(?:cifs|smb3)$/],
  [/^_*ceph_/, /^ceph$/],
  [/^_*(?:v9fs|p9)_/, /^9p$/],
  [/^_*afs_/, /^afs$/],
  [/^_*autofs4?_/, /^autofs$/],
  [/^_*ext[234]_/, /^ext[234]$/],
  [/^_*(?:xfs|xlog)_/, /^xfs$/],
  [/^_*btrfs_/, /^btrfs$/],
  [/^_*f2fs_/, /^f2fs$/],
  [/^_*gfs2_/, /^gfs2$/],
  [/^_*ocfs2_/, /^ocfs2$/],
  [/^_*squashfs_/, /^squashfs$/],
];

/** Functions that answer for a file system: its requests to a daemon or server, its I/O, its pages. */
const WAITS: ReadonlySet<string> = new Set([
  // fs/fuse/dev.c, file.c
  ...words(`request_wait_answer fuse_request_wait_answer __fuse_request_send fuse_simple_request __fuse_simple_request
    fuse_request_send fuse_get_req __fuse_get_req fuse_get_req_internal fuse_get_req_nofail_nopages fuse_sync_writes
    fuse_set_nowrite fuse_wait_on_page_writeback fuse_wait_on_folio_writeback`),
  // net/sunrpc/sched.c, fs/nfs
  ...words(`rpc_wait_bit_killable __rpc_execute __rpc_wait_for_completion_task rpc_wait_for_completion_task
    nfs_wait_on_request nfs_wait_bit_killable nfs4_delay nfs4_wait_clnt_recover nfs_wait_client_init_complete
    nfs_iocounter_wait pnfs_update_layout`),
  // fs/smb/client/transport.c
  ...words(`wait_for_response wait_for_free_credits wait_for_credits wait_for_compound_request compound_send_recv
    cifs_send_recv SendReceive SendReceive2 smb2_reconnect cifs_wait_for_server_reconnect`),
  // fs/ceph/mds_client.c, caps.c; net/ceph/osd_client.c
  ...words(`ceph_mdsc_wait_request ceph_mdsc_do_request __ceph_get_caps ceph_get_caps ceph_osdc_wait_request
    ceph_osdc_sync ceph_mdsc_sync ceph_wait_on_async_create ceph_wait_on_conflict_unlink`),
  // net/9p
  ...words('p9_client_rpc p9_client_zc_rpc p9_virtio_request p9_virtio_zc_request p9_fd_request p9_xen_request'),
  // fs/afs/rxrpc.c, fs/netfs
  ...words(`afs_wait_for_call_to_complete afs_wait_for_operation netfs_wait_for_read netfs_wait_for_write
    netfs_wait_for_request netfs_wait_for_outstanding_io netfs_wait_for_in_progress netfs_wait_for_paused_write`),
  // fs/autofs/waitq.c
  ...words('autofs_wait autofs4_wait'),
  // mm/filemap.c, mm/page-writeback.c, fs/fs-writeback.c
  ...words(`folio_wait_bit_common folio_wait_bit folio_wait_bit_killable folio_wait_writeback
    folio_wait_writeback_killable folio_wait_stable __folio_lock __folio_lock_killable wait_on_page_bit_common
    wait_on_page_bit wait_on_page_bit_killable __lock_page __lock_page_killable wait_on_page_writeback
    put_and_wait_on_page_locked folio_put_wait_locked filemap_update_page balance_dirty_pages
    balance_dirty_pages_ratelimited balance_dirty_pages_ratelimited_flags wb_wait_for_completion
    writeback_inodes_sb_nr __writeback_inodes_sb_nr __inode_wait_for_writeback`),
  // block/bio.c, fs/buffer.c, fs/direct-io.c, fs/iomap/direct-io.c, block/blk-core.c, blk-mq-tag.c, blk-rq-qos.c
  ...words(`submit_bio_wait bio_await __wait_on_buffer __lock_buffer wait_on_buffer __bh_read __bread_gfp
    sync_dirty_buffer __sync_dirty_buffer __iomap_dio_rw iomap_dio_rw __blockdev_direct_IO do_blockdev_direct_IO
    dio_await_completion dio_await_one __bio_queue_enter blk_queue_enter blk_mq_get_tag rq_qos_wait wbt_wait`),
  // drivers/md: a request that waits for its array; block/blk-throttle.c and others hold one back before it is sent
  ...words(`md_write_start md_flush_request md_handle_request wait_barrier wait_read_barrier raid5_get_active_stripe
    make_stripe_request submit_bio_noacct blk_mq_submit_bio blk_mq_get_request __blk_mq_alloc_requests`),
  // fs/buffer.c, fs/ext4: wait_on_buffer() itself is in none of their stacks
  ...words(`__bread_slow bh_uptodate_or_lock __ext4_find_entry ext4_read_bh ext4_read_bh_lock ext4_sb_bread
    __ext4_sb_bread_gfp __ext4_get_inode_loc ext4_get_inode_loc ext4_wait_block_bitmap ext4_read_block_bitmap_nowait
    ext4_read_inode_bitmap ext4_bread ext4_bread_batch __read_extent_tree_block ext4_mb_init_cache ext4_get_branch`),
  // fs/xfs/xfs_buf.c, xfs_log.c, xfs_inode.c
  ...words(`xfs_buf_iowait xfs_buf_lock xfs_buf_find_lock xfs_log_force xfs_log_force_seq xlog_force_lsn
    xlog_wait_on_iclog xlog_state_get_iclog_space xlog_grant_head_wait xlog_grant_head_check __xfs_iunpin_wait
    xfs_iunpin_wait xfs_inodegc_flush`),
  // fs/btrfs
  ...words(`btrfs_wait_ordered_range btrfs_start_ordered_extent btrfs_start_ordered_extent_nowriteback
    btrfs_wait_ordered_extents btrfs_wait_ordered_roots btrfs_commit_transaction btrfs_wait_for_commit wait_current_trans
    wait_for_commit read_extent_buffer_pages wait_on_extent_buffer_writeback btrfs_wait_tree_block_writeback
    lock_extent wait_extent_bit btrfs_lock_extent_bits wait_reserve_ticket handle_reserve_ticket`),
]);

/** The same, if they sleep themselves (mm/filemap.c): they also allocate memory, and wait for that in other functions. */
const WAITS_ITSELF: ReadonlySet<string> = new Set(
  words('__filemap_get_folio __filemap_get_folio_mpol pagecache_get_page grab_cache_page_write_begin'),
);

/**
 * Whoever waits here waits for another task to look up the same name (fs/dcache.c): in the same file system, and in one
 * that lies on others not necessarily for the layer that it would ask itself.
 */
const SHARES_LOOKUP: ReadonlySet<string> = new Set(words('d_wait_lookup d_alloc_parallel'));

/** Whoever waits in these waits for a transaction of the journal to be committed: fs/jbd2/journal.c, transaction.c. */
const JOURNAL_WAITS: ReadonlySet<string> = new Set(
  words(`jbd2_log_wait_commit jbd2_complete_transaction wait_transaction_locked wait_transaction_switching
    add_transaction_credits start_this_handle __jbd2_log_wait_for_space jbd2_trans_will_send_data_barrier`),
);

/** Readers of a percpu rw-semaphore (kernel/locking/percpu-rwsem.c). */
const PERCPU_READ: ReadonlySet<string> = new Set(
  words('percpu_rwsem_wait __percpu_down_read percpu_down_read percpu_down_read_killable'),
);
/** Who takes s_writers of a file system to read (include/linux/super.h: sb_start_write, _pagefault, _intwrite). */
const STARTS_TO_WRITE: ReadonlySet<string> = new Set(
  words(`sb_start_write __sb_start_write file_start_write kiocb_start_write mnt_want_write mnt_want_write_file
    __mnt_want_write mnt_want_write_file_path vfs_write do_iter_write vfs_iter_write vfs_iocb_iter_write vfs_writev
    do_splice_direct do_splice vfs_copy_file_range vfs_clone_file_range do_clone_file_range vfs_dedupe_file_range_one
    aio_write io_write do_sys_ftruncate do_ftruncate vfs_truncate do_truncate vfs_fallocate
    lo_rw_aio ext4_page_mkwrite ext4_evict_inode btrfs_page_mkwrite f2fs_vm_page_mkwrite filemap_page_mkwrite __xfs_filemap_fault
    __xfs_write_fault xfs_write_fault xfs_trans_alloc start_transaction btrfs_evict_inode`),
);
/** Those that are never anything but a wait for a thaw, where the innermost function is not on the stack. */
const WAITS_FOR_THAW: ReadonlySet<string> = new Set(
  words('sb_start_write __sb_start_write file_start_write mnt_want_write mnt_want_write_file'),
);

/** How tasks sleep, on the way to what they sleep for; /proc/PID/stack leaves most of these out. */
const SLEEPS =
  /^(?:__schedule|schedule\w*|io_schedule\w*|preempt_schedule\w*|__switch_to|context_switch|bit_wait\w*|__wait_on_bit\w*|out_of_line_wait_on_bit\w*|(?:__)?wait_for_co(?:mpletion|mmon)\w*|io_wait_\w+|prepare_to_wait\w*|wait_woken)$/;

const FAULTS: ReadonlySet<string> = new Set(
  words(`handle_mm_fault __handle_mm_fault do_user_addr_fault exc_page_fault do_page_fault faultin_page
    __get_user_pages do_mem_abort`),
);

/** How many functions behind those that sleep are looked at. */
const INNERMOST = 3;

/** Thousands of tasks share a few stacks. */
const KNOWN = new WeakMap<Stack, { readonly wait: FileSystemWait | undefined }>();

/** What a task waits for inside a file system, as its stack tells; undefined if it waits for something else. */
export function fileSystemWaitOf({ stack }: Pick<Observation, 'stack'>): FileSystemWait | undefined {
  if (!('value' in stack)) return undefined;
  let known = KNOWN.get(stack.value);
  if (known === undefined) {
    known = { wait: waitOfStack(stack.value) };
    KNOWN.set(stack.value, known);
  }
  return known.wait;
}

function waitOfStack({ frames }: Stack): FileSystemWait | undefined {
  const start = frames.findIndex(({ symbol }) => !SLEEPS.test(symbol));
  // Most tasks wait for something else: look at all of the stack only if it matters.
  const nameAt = (at: number) => withoutSuffix(frames[at]?.symbol ?? '');
  if (start === -1 || (thawAt(start, nameAt) ?? waitAt(start, nameAt)) === undefined) return undefined;
  return waitWithin(frames.map(({ symbol }) => withoutSuffix(symbol)));
}

/** The same of the names of a stack's functions. */
export function waitWithin(names: readonly string[]): FileSystemWait | undefined {
  const start = names.findIndex((name) => !SLEEPS.test(name));
  const nameAt = (at: number) => names[at] ?? '';
  const found = thawAt(start, nameAt) ?? waitAt(start, nameAt);
  // A file of a block device is not on the file system that its node is on.
  if (found === undefined || names.some((name) => name.startsWith('blkdev_'))) return undefined;
  const isFault = names.some((name) => FAULTS.has(name));
  return { ...found, types: typesOf(names.slice(start)), ...(isFault && { fault: true }) };
}

/** The innermost function of a stack that does not only sleep. */
export function innermostOf({ stack }: Pick<Observation, 'stack'>): string | undefined {
  if (!('value' in stack)) return undefined;
  const frame = stack.value.frames.find(({ symbol }) => !SLEEPS.test(symbol));
  return frame && withoutSuffix(frame.symbol);
}

/** A compiler that makes a copy of a function names it with a suffix: .constprop.0, .llvm.123. */
function withoutSuffix(symbol: string): string {
  const dot = symbol.indexOf('.');
  return dot === -1 ? symbol : symbol.slice(0, dot);
}

type Found = Pick<FileSystemWait, 'function' | 'frozen' | 'journal' | 'sharesLookup'>;

function thawAt(start: number, nameAt: (at: number) => string): Found | undefined {
  let at = start;
  while (PERCPU_READ.has(nameAt(at))) at++;
  const callers = at > start ? STARTS_TO_WRITE : WAITS_FOR_THAW;
  return callers.has(nameAt(at)) ? { function: nameAt(at), frozen: true } : undefined;
}

function waitAt(start: number, nameAt: (at: number) => string): Found | undefined {
  if (WAITS_ITSELF.has(nameAt(start))) return { function: nameAt(start) };
  if (SHARES_LOOKUP.has(nameAt(start))) return { function: nameAt(start), sharesLookup: true };
  for (let at = start; at < start + INNERMOST; at++) {
    const name = nameAt(at);
    if (WAITS.has(name)) return { function: name };
    if (JOURNAL_WAITS.has(name)) return { function: name, journal: true };
  }
  return undefined;
}

/** By the innermost function that belongs to a file system. */
function typesOf(names: readonly string[]): RegExp | undefined {
  for (const name of names) {
    const family = FAMILIES.find(([prefix]) => prefix.test(name));
    if (family !== undefined) return family[1];
  }
  return undefined;
}

/** Functions that rules of several files match as one step. */

/** Waits for a reader of a per-CPU reader-writer lock: of a frozen file system, where it writes. */
export const PERCPU_READ = ['percpu_rwsem_wait', '__percpu_down_read', 'percpu_down_read', 'percpu_down_read_killable'];
/** Waits for pages to be written. */
export const PAGE_WRITEBACK = [
  'folio_wait_writeback',
  'folio_wait_writeback_killable',
  'wait_on_page_writeback',
  'wait_on_page_writeback_range',
  '__filemap_fdatawait_range',
  'filemap_fdatawait_range',
  'filemap_fdatawait_range_keep_errors',
  'filemap_fdatawait_keep_errors',
  'filemap_fdatawait',
  'filemap_write_and_wait_range',
  'filemap_write_and_wait',
  'file_write_and_wait_range',
  'file_fdatawait_range',
];
/** Waits for blocks to be read or written. */
export const BLOCK_IO = [
  '__wait_on_buffer',
  'wait_on_buffer',
  '__bread_gfp',
  'sync_buffer',
  'sleep_on_buffer',
  'bit_wait_io',
  'io_schedule',
];
/** Waits for the lock of a page. */
export const PAGE_LOCK = [
  '__folio_lock',
  '__lock_page',
  '__folio_lock_killable',
  '__lock_page_killable',
  '__folio_lock_or_retry',
  '__lock_page_or_retry',
  '__folio_lock_async',
  'lock_page',
];
/** Waits for a mutex. */
export const MUTEX = [
  '__mutex_lock',
  '__mutex_lock_common',
  '__mutex_lock_slowpath',
  '__mutex_lock_killable_slowpath',
  '__mutex_lock_interruptible_slowpath',
  'mutex_lock',
  'mutex_lock_nested',
  'mutex_lock_killable',
  'mutex_lock_interruptible',
];
/** Waits for the readers of an SRCU domain. */
export const SRCU = ['synchronize_srcu', '__synchronize_srcu', 'synchronize_srcu_expedited'];
/** Waits for a reader-writer lock, in order to read. */
export const READ_LOCK = [
  'rwsem_down_read_slowpath',
  'rwsem_down_read_failed',
  '__rwsem_down_read_failed_common',
  'call_rwsem_down_read_failed',
  '__down_read',
  'down_read',
];

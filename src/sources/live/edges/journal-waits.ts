import type { Observation } from '../../../model/sample.ts';
import { waitsIn } from './edge-source.ts';
import { fileSystemWaitOf, innermostOf } from './file-system-waits.ts';

const words = (text: string) => new Set(text.trim().split(/\s+/));

const COMMIT_THREAD = /^jbd2\//;
const COMMIT = 'jbd2_journal_commit_transaction';
/** Waits until nobody has the transaction open (fs/jbd2/transaction.c). Before 5.18 these do it themselves. */
const WAIT_FOR_HANDLES = words('jbd2_journal_wait_updates');
const LOCKS_JOURNAL = words('jbd2_journal_lock_updates');
/** Waits for a commit, and for nothing else (fs/jbd2). */
const WAITS_FOR_COMMIT = words('jbd2_log_wait_commit wait_transaction_locked wait_transaction_switching');

/** Functions of ext4 that take a handle (fs/ext4), so that who is in one has a transaction open. */
const WITH_HANDLE = words(`__ext4_new_inode ext4_add_entry ext4_add_nondir ext4_delete_entry ext4_dx_add_entry
  ext4_orphan_add ext4_orphan_del ext4_ext_remove_space ext4_ext_rm_leaf ext4_ext_insert_extent
  ext4_ext_create_new_leaf ext4_ext_split ext4_split_extent ext4_split_extent_at ext4_free_blocks
  ext4_mb_new_blocks ext4_mb_clear_bb ext4_mb_mark_diskspace_used ext4_mb_mark_context ext4_free_inode
  ext4_free_branches ext4_free_data ext4_clear_blocks ext4_reserve_inode_write __ext4_mark_inode_dirty
  ext4_mark_inode_dirty __ext4_journal_get_write_access __ext4_journal_get_create_access
  jbd2_journal_get_write_access jbd2_journal_get_create_access do_get_write_access ext4_xattr_set_handle
  ext4_append ext4_init_acl ext4_init_new_dir`);

/** For evidence: where bpf/transactions.bpf.c reads who sleeps where, and who has what open. */
export const ON_STACK = 'wait_queue_entry on its kernel stack';
export const JOURNAL_INFO = 'task_struct.journal_info';

/** How a task waits for a journal of jbd2, or a commit thread for who has its transaction open. */
export type JournalWait = 'commit' | 'maybe-commit' | 'handles' | 'all-handles';

/**
 * - `commit`: for a transaction to be committed; `maybe-commit`: likely so
 * - `handles`: a commit thread, for who has the transaction open that it commits
 * - `all-handles`: a task that wants nobody to have one open
 */
export function journalWaitOf(observation: Observation): JournalWait | undefined {
  const { state, task } = observation;
  if (state !== 'D') return undefined;
  const wait = fileSystemWaitOf(observation);
  if (wait?.journal === true) return WAITS_FOR_COMMIT.has(wait.function) ? 'commit' : 'maybe-commit';
  if (waitsIn(observation, LOCKS_JOURNAL)) return 'all-handles';
  if (task.kernelThread !== true || !COMMIT_THREAD.test(task.comm ?? '')) return undefined;
  return waitsIn(observation, WAIT_FOR_HANDLES) || innermostOf(observation) === COMMIT ? 'handles' : undefined;
}

/** The function of a task's stack that shows that it has a transaction open. */
export function handleFunctionOf({ stack }: Observation): string | undefined {
  if (!('value' in stack)) return undefined;
  const { symbol } = stack.value.frames.find(({ symbol }) => WITH_HANDLE.has(symbol.split('.', 1)[0] ?? '')) ?? {};
  return symbol;
}

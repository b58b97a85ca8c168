import { describe, expect, it } from 'vitest';
import { observationOf } from '../../../../test/samples.ts';
import { handleFunctionOf, journalWaitOf } from './journal-waits.ts';

const frames = (names: string) =>
  names.split(' ').map((symbol) => ({ raw: `${symbol}+0x1/0x2`, symbol, offset: 1, size: 2 }));
const inD = (names: string, task = {}) => {
  const observation = observationOf(5, { state: 'D', stack: { value: { id: 1, frames: frames(names) } } });
  return { ...observation, task: { ...observation.task, ...task } };
};
const commitThread = { kernelThread: true, comm: 'jbd2/sda1-8' };

describe('a wait at a journal', () => {
  it.for([
    ['commit', 'jbd2_log_wait_commit ext4_sync_file vfs_fsync_range'],
    ['commit', 'wait_transaction_locked add_transaction_credits start_this_handle jbd2__journal_start'],
    ['maybe-commit', 'add_transaction_credits start_this_handle jbd2__journal_start'],
    ['maybe-commit', 'start_this_handle jbd2__journal_start'],
    ['all-handles', 'jbd2_journal_wait_updates jbd2_journal_lock_updates ext4_ioctl'],
    [undefined, 'ext4_read_bh __read_extent_tree_block ext4_ext_remove_space'],
  ] as const)('is for %s: %s', ([wait, names]) => {
    expect(journalWaitOf(inD(names))).toBe(wait);
  });

  it('of a commit thread is for handles only if it does not wait for I/O', () => {
    const commit = 'jbd2_journal_commit_transaction kjournald2 kthread';
    expect(journalWaitOf(inD(`jbd2_journal_wait_updates ${commit}`, commitThread))).toBe('handles');
    expect(journalWaitOf(inD(commit, commitThread))).toBe('handles');
    expect(journalWaitOf(inD(`__schedule schedule ${commit}`, commitThread))).toBe('handles');
    expect(journalWaitOf(inD(`bit_wait_io __wait_on_buffer ${commit}`, commitThread))).toBeUndefined();
    expect(journalWaitOf(inD(commit, { ...commitThread, kernelThread: false }))).toBeUndefined();
  });
});

it('a function that takes a handle shows that a transaction is open', () => {
  expect(handleFunctionOf(inD('ext4_read_bh ext4_ext_remove_space ext4_ext_truncate ext4_truncate'))).toBe(
    'ext4_ext_remove_space',
  );
  expect(handleFunctionOf(inD('ext4_read_bh ext4_bread ext4_find_entry ext4_lookup'))).toBeUndefined();
});

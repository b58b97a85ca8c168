/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Records of transactions.bpf.c. src/sources/live/bpf/transactions.ts has the same offsets. */
#pragma once

/* A commit thread of jbd2, a task that may have a transaction of jbd2 open, one that has one of btrfs open, or one that
 * sleeps in a wait queue. What a task is not, is 0. */
struct transaction_task {
	__u32 tid;
	__u32 switches; /* as in struct record */
	__u32 on_cpu;
	__u32 journal_bytes; /* the size of a journal (journal_t), if the kernel tells it */
	__u64 commits;       /* the journal whose transactions the thread commits; addresses from here on */
	__u64 transaction;   /* what the task's handle would be of, were it one of jbd2 */
	__u64 journal;       /* of that transaction */
	__u32 transaction_id;
	__u32 transaction_state;
	__u64 entry; /* the list element of a struct wait_queue_entry on its kernel stack */
	__u64 next;  /* in its list: another entry, or the head, which is in what is waited for */
	/* Of the task's transaction of btrfs: its number, the lists of those who wait until nobody else has it open, and
	 * until it is committed; and of its file system, of those who wait to start the next one. */
	__u64 btrfs_id;
	__u64 writer_wait;
	__u64 commit_wait;
	__u64 start_wait;   /* until the commit has come so far that they may */
	__u64 blocked_wait; /* until the commit has begun */
};

/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Finds who has a transaction of jbd2 (ext4, ocfs2) or btrfs open, which thread commits those of jbd2, and who sleeps in
 * which wait queue. jbd2 may be a module, and its types not be known: what is read of them has stood at their start since
 * 2.6. The reader compares two passes, and takes a journal for one only if it is the argument of a commit thread. Those
 * of btrfs are read if its types are known. Takes no lock. Needs Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "kthread.h"
#include "state.h"
#include "scan.h"
#include "task.h"
#include "transactions.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/jbd2.h: journal_t */
struct journal_s {
	unsigned long j_flags;
};

/* include/linux/wait.h */
struct wait_queue_head {
	struct list_head head;
};

/* fs/btrfs/fs.h (ctree.h before 6.2), transaction.h */
struct btrfs_fs_info {
	struct wait_queue_head transaction_wait;
	struct wait_queue_head transaction_blocked_wait;
};

struct btrfs_transaction {
	__u64 transid;
	struct wait_queue_head writer_wait;
	struct wait_queue_head commit_wait;
	struct btrfs_fs_info *fs_info;
};

struct btrfs_trans_handle {
	__u64 transid;
	struct btrfs_transaction *transaction;
	struct btrfs_fs_info *fs_info;
};

#pragma clang attribute pop

/* include/linux/jbd2.h: transaction_t, whose first is the journal. A handle's first is the transaction. */
enum { TID_IN_TRANSACTION = 8, STATE_IN_TRANSACTION = 12 };
/* include/linux/wait.h: struct wait_queue_entry, in words from the task on; the same since 2.6 */
enum { FUNCTION_AT = 1, NEXT_AT, PREVIOUS_AT };

struct scratch {
	struct transaction_task record;
	struct window window;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* kjournald2 has the journal as its argument (fs/jbd2/journal.c). */
static __u64 journal_committed_by(struct task_struct *task)
{
	struct kthread *kthread;
	__u64 name = 0, journal = 0;

	bpf_probe_read_kernel(&name, 5, &task->comm);
	if (!(task->flags & PF_KTHREAD) || name != 0x2f3264626aULL) /* "jbd2/", in little endian */
		return 0;
	kthread = kthread_of(task);
	if (kthread)
		bpf_probe_read_kernel(&journal, sizeof journal, &kthread->data);
	return journal;
}

static void read_handle(struct transaction_task *record, __u64 handle)
{
	__u64 transaction, journal;

	if ((__s64)handle >= 0)
		return;
	transaction = word_at(handle);
	if ((__s64)transaction >= 0)
		return;
	journal = word_at(transaction);
	if ((__s64)journal >= 0)
		return;
	record->transaction = transaction;
	record->journal = journal;
	bpf_probe_read_kernel(&record->transaction_id, sizeof(__u32), (void *)(transaction + TID_IN_TRANSACTION));
	bpf_probe_read_kernel(&record->transaction_state, sizeof(__u32), (void *)(transaction + STATE_IN_TRANSACTION));
}

/* A handle of btrfs leads to the same file system and has the same number as its transaction. */
static void read_btrfs(struct transaction_task *record, __u64 address)
{
	struct btrfs_trans_handle *handle = (void *)address;
	struct btrfs_transaction *transaction;
	struct btrfs_fs_info *fs;
	__u64 number;

	if ((__s64)address >= 0 || !bpf_core_field_exists(struct btrfs_trans_handle, fs_info) ||
	    !bpf_core_field_exists(struct btrfs_transaction, fs_info) ||
	    !bpf_core_field_exists(struct btrfs_fs_info, transaction_wait))
		return;
	transaction = BPF_CORE_READ(handle, transaction);
	fs = BPF_CORE_READ(handle, fs_info);
	number = BPF_CORE_READ(handle, transid);
	if ((__s64)fs >= 0 || BPF_CORE_READ(transaction, fs_info) != fs || number == 0 ||
	    BPF_CORE_READ(transaction, transid) != number)
		return;
	record->btrfs_id = number;
	record->writer_wait = (__u64)&transaction->writer_wait.head;
	record->commit_wait = (__u64)&transaction->commit_wait.head;
	record->start_wait = (__u64)&fs->transaction_wait.head;
	record->blocked_wait = (__u64)&fs->transaction_blocked_wait.head;
}

static void find_entry(struct scratch *scratch, __u64 pointer)
{
	struct window *window = &scratch->window;
	__u64 entry, next;
	__u32 i;

	read_words(window->words, pointer);
	find_candidates(window, FUNCTION_AT, PREVIOUS_AT);
	for (i = 0; i < MOST_CANDIDATES; i++) {
		if (i >= window->count)
			break;
		entry = pointer + ((__u64)window->candidates[i] + NEXT_AT) * 8;
		next = word_at(entry);
		/* One that was taken from its queue leads to itself. */
		if (next != entry && is_linked(entry, next, word_at(entry + 8))) {
			scratch->record.entry = entry;
			scratch->record.next = next;
			break;
		}
	}
}

SEC("iter/task")
int transactions(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct transaction_task *record;
	struct scratch *scratch;
	__u32 zero = 0;
	__u64 pointer;

	if (!task)
		return 0;
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	if (!scratch)
		return 0;
	record = &scratch->record;
	__builtin_memset(record, 0, sizeof *record);
	scratch->window.task = (__u64)task;
	record->tid = task->pid;
	record->on_cpu = task->on_cpu;
	record->switches = switches_of(task);
	record->journal_bytes = bpf_core_type_size(struct journal_s);
	record->commits = journal_committed_by(task);
	read_handle(record, (__u64)task->journal_info);
	read_btrfs(record, (__u64)task->journal_info);
	pointer = stack_pointer_of(task);
	if (!record->on_cpu && pointer != 0 && place_of_state(task) == PLACE_D)
		find_entry(scratch, pointer);
	if (record->commits != 0 || record->transaction != 0 || record->btrfs_id != 0 ||
	    record->entry != 0)
		bpf_seq_write(seq, record, sizeof *record);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

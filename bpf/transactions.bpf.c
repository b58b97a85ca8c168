/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Finds who has a transaction of jbd2 (ext4, ocfs2) open, which thread commits it, and who sleeps in which wait queue.
 * jbd2 may be a module, and its types not be known: what is read of them has stood at their start since 2.6. The reader
 * compares two passes, and takes a journal for one only if it is the argument of a commit thread. Takes no lock. Needs
 * Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "kthread.h"
#include "state.h"
#include "scan.h"
#include "transactions.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/jbd2.h: journal_t */
struct journal_s {
	unsigned long j_flags;
};

#pragma clang attribute pop

/* include/linux/jbd2.h: transaction_t, whose first is the journal. A handle's first is the transaction. */
enum { TID_IN_TRANSACTION = 8, STATE_IN_TRANSACTION = 12 };
/* include/linux/wait.h: struct wait_queue_entry, in words from the task on; the same since 2.6 */
enum { FUNCTION_AT = 1, NEXT_AT, PREVIOUS_AT, MOST_CANDIDATES = 8 };

struct scratch {
	struct transaction_task record;
	__u64 task;
	/* In memory: the verifier would follow each value of a variable on its own. */
	__u32 count;
	__u32 candidates[MOST_CANDIDATES];
	__u64 words[PAGE_WORDS + WINDOW_WORDS];
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

/* The indexes of words that are the task's address and precede three addresses, as in a wait queue's entry; the last
 * one is none. Without a branch, as in waiters.bpf.c. */
static void find_candidates(struct scratch *scratch)
{
	volatile __u32 *count = &scratch->count;
	/* read back as a number: the verifier takes no calculation with a pointer */
	__u64 task = *(volatile __u64 *)&scratch->task, differs, fits;
	int i;

	*count = 0;
	for (i = 0; i < WINDOW_WORDS - PREVIOUS_AT; i++) {
		differs = scratch->words[i] ^ task;
		fits = ~(differs | -differs) & scratch->words[i + FUNCTION_AT] & scratch->words[i + NEXT_AT] &
		       scratch->words[i + PREVIOUS_AT];
		scratch->candidates[*count % MOST_CANDIDATES] = i;
		*count += fits >> 63;
	}
}

static void find_entry(struct scratch *scratch, __u64 pointer)
{
	__u64 entry, next;
	__u32 i;

	read_window(scratch->words, pointer);
	find_candidates(scratch);
	for (i = 0; i < MOST_CANDIDATES; i++) {
		if (i >= scratch->count)
			break;
		entry = pointer + ((__u64)scratch->candidates[i] + NEXT_AT) * 8;
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
	scratch->task = (__u64)task;
	record->tid = task->pid;
	/* The order matters, as in tasks.bpf.c. */
	record->on_cpu = task->on_cpu;
	record->switches = task->nvcsw + task->nivcsw;
	record->journal_bytes = bpf_core_type_size(struct journal_s);
	record->commits = journal_committed_by(task);
	read_handle(record, (__u64)task->journal_info);
	pointer = stack_pointer_of(task);
	if (!record->on_cpu && pointer != 0 && place_of_state(task) == PLACE_D)
		find_entry(scratch, pointer);
	if (record->commits != 0 || record->transaction != 0 || record->entry != 0)
		bpf_seq_write(seq, record, sizeof *record);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Finds who waits for what a worker of a work queue runs (kernel/workqueue.c), from what waiters put into the lists of
 * workers and work queues. That lies on their kernel stacks, which proves what it is. Takes no lock; the reader compares
 * two passes. Needs Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "kthread.h"
#include "scan.h"
#include "works.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/workqueue.h */
struct work_struct {
	struct list_head entry;
};

/* include/linux/swait.h */
struct swait_queue_head {
	struct list_head task_list;
};

struct swait_queue {
	struct task_struct *task;
	struct list_head task_list;
};

/* include/linux/completion.h */
struct completion {
	struct swait_queue_head wait; /* since 5.7 */
};

/* kernel/workqueue.c, as all that follows */
struct wq_barrier {
	struct work_struct work;
	struct task_struct *task;
};

struct wq_flusher {
	struct list_head list;
	int flush_color;
	struct completion done;
};

struct workqueue_struct {
	struct wq_flusher *first_flusher;
	struct list_head flusher_queue;
	struct list_head flusher_overflow;
	char name[24]; /* 32 in newer kernels */
};

struct pool_workqueue {
	struct workqueue_struct *wq;
};

#pragma clang attribute pop

/* Offsets of fields in their structures, and from one list element to the task that it belongs to. */
#define WORK_ENTRY (bpf_core_field_offset(struct wq_barrier, work) + bpf_core_field_offset(struct work_struct, entry))
#define FLUSHER_WAITERS \
	(bpf_core_field_offset(struct wq_flusher, done) + bpf_core_field_offset(struct completion, wait) + \
	 bpf_core_field_offset(struct swait_queue_head, task_list))

/* What a worker of a work queue is at (kernel/workqueue.c, worker_thread); its argument is its struct worker. */
static struct worker *worker_of(struct task_struct *task)
{
	struct kthread *kthread;
	struct worker *worker = 0;

	if (!(task->flags & PF_WQ_WORKER))
		return 0;
	kthread = kthread_of(task);
	if (kthread)
		bpf_probe_read_kernel(&worker, sizeof worker, &kthread->data);
	return worker;
}

/* Writes a record if the element lies on the task's kernel stack. */
static void write_waiter(struct seq_file *seq, struct work_waiter *record, __u64 element, __u64 address)
{
	struct task_struct *task = (struct task_struct *)address;

	if (!is_on_stack_of(element, address))
		return;
	record->element = element;
	record->waiter = BPF_CORE_READ(task, pid);
	record->switches = BPF_CORE_READ(task, nvcsw) + BPF_CORE_READ(task, nivcsw);
	bpf_seq_write(seq, record, sizeof *record);
}

/* Those that wait for this work have put a work of their own behind it (insert_wq_barrier). */
static void write_barriers(struct seq_file *seq, struct work_waiter *record, struct worker *worker)
{
	__u64 head = (__u64)&worker->scheduled, node = word_at(head), barrier;
	int i;

	for (i = 0; i < MOST_WAITERS; i++) {
		if (node == head || (__s64)node >= 0)
			break;
		barrier = node - WORK_ENTRY;
		write_waiter(seq, record, barrier, word_at(barrier + bpf_core_field_offset(struct wq_barrier, task)));
		node = word_at(node);
	}
}

/* Who waits for the completion in a flusher: the task that has the flusher on its stack. */
static void write_flusher(struct seq_file *seq, struct work_waiter *record, __u64 flusher)
{
	__u64 node;

	if ((__s64)flusher >= 0)
		return;
	node = word_at(flusher + FLUSHER_WAITERS);
	write_waiter(seq, record, flusher,
		     word_at(node - bpf_core_field_offset(struct swait_queue, task_list) +
			     bpf_core_field_offset(struct swait_queue, task)));
}

static void write_flushers(struct seq_file *seq, struct work_waiter *record, __u64 head)
{
	__u64 node = word_at(head);
	int i;

	for (i = 0; i < MOST_WAITERS; i++) {
		if (node == head || (__s64)node >= 0)
			break;
		write_flusher(seq, record, node - bpf_core_field_offset(struct wq_flusher, list));
		node = word_at(node);
	}
}

/* The first flusher waits for the works of its colour, and the others for the first, and then for those of theirs
 * (__flush_workqueue). */
static void write_queue(struct seq_file *seq, struct work_waiter *record, struct worker *worker,
			struct workqueue_struct *queue)
{
	struct wq_flusher *first = BPF_CORE_READ(queue, first_flusher);

	if (!first)
		return;
	record->how = MAYBE_FOR_QUEUE;
	if (bpf_core_field_exists(worker->current_color)) {
		if (BPF_CORE_READ(worker, current_color) != BPF_CORE_READ(first, flush_color))
			return;
		record->how = FOR_QUEUE;
	}
	write_flusher(seq, record, (__u64)first);
	write_flushers(seq, record, (__u64)&queue->flusher_queue);
	write_flushers(seq, record, (__u64)&queue->flusher_overflow);
}

SEC("iter/task")
int works(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct work_waiter record = {};
	struct workqueue_struct *queue;
	struct worker *worker;

	if (!task)
		return 0;
	worker = worker_of(task);
	if (!worker)
		return 0;
	record.work = (__u64)BPF_CORE_READ(worker, current_work);
	if (!record.work)
		return 0;
	record.worker = task->pid;
	queue = BPF_CORE_READ(worker, current_pwq, wq);
	if (queue)
		bpf_probe_read_kernel_str(record.queue, sizeof record.queue, &queue->name);
	record.how = FOR_WORK;
	write_barriers(seq, &record, worker);
	if (queue)
		write_queue(seq, &record, worker, queue);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

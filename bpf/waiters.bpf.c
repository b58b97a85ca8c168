/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Finds the locks that tasks wait for, by what stands on the kernel stacks of the waiters, for kernels that do not
 * record it in the task (before 6.16). Takes no lock: what it reads may change meanwhile. The reader compares two
 * passes. Needs Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "state.h"
#include "scan.h"
#include "task.h"
#include "waiters.h"

/* TIDs to look at besides those of tasks in D. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MOST_ASKED);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} asked SEC(".maps");

struct scratch {
	struct waiter waiter;
	__u32 is_asked; /* in memory, as in struct window */
	struct window window;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* include/linux/mutex.h, kernel/locking/rwsem.c and semaphore.c: the same since 4.9. */
enum { TASK_IN_WAITER = 16, TYPE_IN_WAITER = 24 };

/* The lowest three bits of owners are flags. */
static void read_lock(struct waiter *waiter)
{
	waiter->mutex = waiter->head - bpf_core_field_offset(struct mutex, wait_list);
	waiter->mutex_owner = word_at(waiter->mutex + bpf_core_field_offset(struct mutex, owner));
	waiter->mutex_owner_tid = tid_of(waiter->mutex_owner & ~7ULL);
	waiter->rwsem = waiter->head - bpf_core_field_offset(struct rw_semaphore, wait_list);
	waiter->rwsem_count = word_at(waiter->rwsem + bpf_core_field_offset(struct rw_semaphore, count));
	waiter->rwsem_owner = word_at(waiter->rwsem + bpf_core_field_offset(struct rw_semaphore, owner));
	waiter->rwsem_owner_tid = tid_of(waiter->rwsem_owner & ~7ULL);
	waiter->semaphore = waiter->head - bpf_core_field_offset(struct semaphore, wait_list);
	bpf_probe_read_kernel(&waiter->semaphore_count, sizeof waiter->semaphore_count,
			      (void *)(waiter->semaphore + bpf_core_field_offset(struct semaphore, count)));
}

static void read_waiter(struct waiter *waiter, __u64 address)
{
	__u64 node;
	int i;

	waiter->waiter = address;
	waiter->next = word_at(address);
	waiter->previous = word_at(address + 8);
	bpf_probe_read_kernel(&waiter->type, sizeof waiter->type, (void *)(address + TYPE_IN_WAITER));
	bpf_probe_read_kernel(waiter->below, sizeof waiter->below, (void *)(address - sizeof waiter->below));
	node = waiter->next;
	for (i = 0; i < MOST_HOPS; i++) {
		if (!is_on_stack_of(node, word_at(node + TASK_IN_WAITER))) {
			waiter->head = node;
			break;
		}
		node = word_at(node);
	}
	if (waiter->head != 0)
		read_lock(waiter);
}

static void find_waiter(struct scratch *scratch, __u64 pointer)
{
	struct window *window = &scratch->window;
	__u64 address = 0, element;
	__u32 i, at;

	read_words(window->words, pointer);
	find_candidates(window, -2, -1);
	for (i = 0; i < MOST_CANDIDATES; i++) {
		if (i >= window->count)
			break;
		at = window->candidates[i];
		element = pointer + (__u64)at * 8 - TASK_IN_WAITER;
		if (is_linked(element, word_at(element), word_at(element + 8))) {
			address = element;
			break;
		}
	}
	if (address != 0)
		read_waiter(&scratch->waiter, address);
}

SEC("iter/task")
int waiters(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct scratch *scratch;
	struct waiter *waiter;
	__u32 zero = 0, tid, is_asked;
	__u64 pointer;

	if (!task)
		return 0;
	tid = task->pid;
	is_asked = bpf_map_lookup_elem(&asked, &tid) != 0;
	if (!is_asked && place_of_state(task) != PLACE_D)
		return 0;
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	if (!scratch)
		return 0;
	waiter = &scratch->waiter;
	__builtin_memset(waiter, 0, sizeof *waiter);
	waiter->tid = tid;
	waiter->task = (__u64)task;
	scratch->window.task = (__u64)task;
	*(volatile __u32 *)&scratch->is_asked = is_asked;
	waiter->on_cpu = task->on_cpu;
	waiter->switches = switches_of(task);
	pointer = stack_pointer_of(task);
	if (!waiter->on_cpu && pointer != 0 && bpf_core_field_exists(struct mutex, wait_list))
		find_waiter(scratch, pointer);
	if (*(volatile __u32 *)&scratch->is_asked || waiter->waiter != 0)
		bpf_seq_write(seq, waiter, sizeof *waiter);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

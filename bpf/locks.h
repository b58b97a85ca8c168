/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a task waits for, and who holds it. */
#pragma once
#include "task.h"

/* The task that a lock records as its owner. The lowest bits of the word are flags. */
static int owner_at(__u64 address, __u64 flags)
{
	__u64 owner = 0;

	bpf_probe_read_kernel(&owner, sizeof owner, (void *)address);
	return tid_of(owner & ~flags);
}

/* Offset of the owner in an rw-semaphore, taken from mm_struct, so that libbpf need not search the kernel's
 * types for another one. */
#define RWSEM_OWNER \
	(bpf_core_field_offset(struct mm_struct, mmap_lock.owner) - bpf_core_field_offset(struct mm_struct, mmap_lock))

/* The kernel records the lock that a task sleeps for as an address with the kind in its lowest two bits
 * (include/linux/hung_task.h). With PREEMPT_RT all locks have another layout, so their owners are not read; such a
 * kernel is known by rw-semaphores without a count. */
static void read_lock(struct record *record, struct task_struct *task)
{
	__u64 blocker;

	if (!bpf_core_field_exists(task->blocker))
		return;
	blocker = task->blocker;
	if (blocker == 0)
		return;
	record->lock = blocker & ~3ULL;
	record->lock_kind = LOCK_MUTEX + (blocker & 3);
	if (!bpf_core_field_exists(struct mm_struct, mmap_lock.count))
		return;
	switch (record->lock_kind) {
	case LOCK_MUTEX: /* BLOCKER_TYPE_MUTEX; the owner comes first, with three flags (kernel/locking/mutex.c) */
		record->lock_owner = owner_at(record->lock, 7);
		break;
	case LOCK_SEMAPHORE: /* BLOCKER_TYPE_SEM */
		if (bpf_core_field_exists(struct semaphore, last_holder))
			record->lock_owner =
				owner_at(record->lock + bpf_core_field_offset(struct semaphore, last_holder), 0);
		break;
	/* BLOCKER_TYPE_RWSEM_READER, _WRITER; one flag means that the owner is a reader, another is a hint
	 * (kernel/locking/rwsem.c) */
	default:
		record->lock_owner = owner_at(record->lock + RWSEM_OWNER, 3);
	}
}

static void read_mmap_lock(struct record *record, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 count = 0;

	if (!mm || !bpf_core_field_exists(struct mm_struct, mmap_lock.count))
		return;
	bpf_probe_read_kernel(&count, sizeof count, &mm->mmap_lock.count.counter);
	if (!(count & 1)) /* RWSEM_WRITER_LOCKED */
		return;
	record->mmap_owner = owner_at((__u64)mm + bpf_core_field_offset(struct mm_struct, mmap_lock.owner), 3);
	if (record->mmap_owner == 0)
		record->mmap_owner = ~0U;
}

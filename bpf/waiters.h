/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Requests to waiters.bpf.c and its records. src/sources/live/bpf/waiters.ts has the same offsets. */
#pragma once

enum {
	MOST_ASKED = 4096,
	BELOW_WORDS = 32,
	MOST_HOPS = 8,
};

/* A waiter for a lock on its own kernel stack: struct mutex_waiter, rwsem_waiter or semaphore_waiter, which begin alike:
 * the links of a list, then the task. Or, with `waiter` 0, a task that was asked for. */
struct waiter {
	__u32 tid;
	__u32 switches; /* as in struct record */
	__u32 on_cpu;
	__u32 type;     /* of an rwsem_waiter: enum rwsem_waiter_type */
	__u64 task;     /* addresses from here on */
	__u64 waiter;
	__u64 next;     /* waiters, or the lock's list */
	__u64 previous;
	__u64 head;     /* the lock's list, if it is near enough; what follows is set then */
	/* The lock, were it one of these. */
	__u64 mutex;
	__u64 mutex_owner;
	__u64 rwsem;
	__u64 rwsem_count;
	__u64 rwsem_owner;
	__u64 semaphore;
	__u32 semaphore_count;
	__u32 mutex_owner_tid;
	__u32 rwsem_owner_tid;
	__u32 padding;
	/* What lies on the stack below the waiter, the nearest last: the function that waits is called from there. */
	__u64 below[BELOW_WORDS];
};

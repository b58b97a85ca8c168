/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Records of works.bpf.c. src/sources/live/bpf/works.ts has the same offsets. */
#pragma once

enum {
	MOST_WAITERS = 8, /* that are looked at in each list */
	/* How one waits. */
	FOR_WORK = 0,        /* flush_work and its like: for this work */
	FOR_QUEUE = 1,       /* flush_workqueue: for all works that were queued before, of which this is one */
	MAYBE_FOR_QUEUE = 2, /* the same, but the kernel does not tell whether this is one of them */
};

/* A worker that runs a work, and a task that waits for that. */
struct work_waiter {
	__u32 worker; /* TIDs */
	__u32 waiter;
	__u32 switches; /* of the waiter, as in struct record */
	__u32 how;
	__u64 work;    /* addresses */
	__u64 element; /* on the kernel stack of the waiter */
	char queue[24]; /* the name of the work queue, cut */
};

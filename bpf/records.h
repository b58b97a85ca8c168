/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Requests to tasks.bpf.c and its records. src/sources/live/bpf/ has the same offsets. */
#pragma once

enum {
	MOST_FRAMES = 64,   /* MAX_STACK_TRACE_DEPTH of fs/proc/base.c */
	MOST_PIDS = 4096,   /* that can be requested by number */
	NAME_BYTES = 16,    /* TASK_COMM_LEN */
	FULL_NAME_BYTES = 64,   /* the buffer in fs/proc/array.c, proc_task_name */
	DESCRIPTION_BYTES = 32, /* WORKER_DESC_LEN; 24 in older kernels */
	PID_BITS = 1 << 22, /* PID_MAX_LIMIT of 64-bit kernels */
};

/* Which tasks to report. */
struct request {
	__u32 all;          /* any number and state */
	__u32 states;       /* a bit for each index of STATES */
	__u32 asked;        /* whether the map `pids` has entries */
	__u32 threads;      /* every thread, not only the main one of each process */
	/* the reader knows the stacks of tasks that got no CPU since this time, by the scheduler's clock */
	__u64 known_before;
	__u64 name[NAME_BYTES / 8];      /* the name must equal this wherever the mask has bits */
	__u64 name_mask[NAME_BYTES / 8];
};

struct record {
	/* of this record and what follows it: for a kernel thread a struct kernel_name, then the addresses */
	__u32 bytes;
	__u32 tid;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 cpu;
	__u32 task_flags;
	__u32 state;        /* the index in STATES */
	__u64 start_ns;     /* since boot, suspend time included */
	__u64 arrival_ns;   /* when it last got a CPU, by the scheduler's clock; 0: never or unknown */
	__u64 off_cpu_ns;   /* time since arrival_ns; 0 while on a CPU */
	__u64 lock;         /* address of the lock that it waits for */
	__u32 lock_kind;    /* LOCK_* */
	__u32 lock_owner;   /* TID; 0: none or unknown */
	/* TID of the thread that holds the process's mmap lock for writing; ~0: held by an unknown thread; 0: not
	 * held */
	__u32 mmap_owner;
	__u32 vfork_parent; /* TID of the thread that waits for this vfork child */
	__u32 tracer;       /* TID */
	__u32 switches;     /* how many times it has left a CPU, modulo 2^32 */
	/* the number of addresses that follow, or a negative errno, or NOT_UNWOUND; with the last one uid, kernel
	 * name and namespace_pid are missing, too */
	__s32 frames;
	__u32 namespace_pid; /* the process's PID in its own PID namespace; 0 if that is `pid` */
	__u64 name[NAME_BYTES / 8];
};

enum { NOT_UNWOUND = -4096 };

/* Follows the record of a kernel thread. */
struct kernel_name {
	char full[FULL_NAME_BYTES];          /* the name if longer than 15 bytes and shown; else empty */
	char description[DESCRIPTION_BYTES]; /* of a workqueue's worker: what it does or did last */
	__u32 at_work;
	__u32 padding;
};

enum { LOCK_NONE, LOCK_MUTEX, LOCK_SEMAPHORE, LOCK_RWSEM_READER, LOCK_RWSEM_WRITER };

/* Flags in the map `pids`. */
enum {
	ASKED = 1,  /* requested by number */
	UNWIND = 2, /* was on a CPU in the last pass: its stack may have changed though its arrival has not */
};

enum {
	FACT_OFF_CPU = 1,
	FACT_LOCKS = 2,
	FACT_MMAP_LOCK = 4,
};

/* A bit for each visited process. Some hosts hide processes from BPF programs; those that /proc lists and that have
 * no bit here must be read from /proc. */
struct seen {
	__u64 words[PID_BITS / 64];
	__u32 tasks; /* how many were visited, selected or not */
	__u32 last;  /* TID of the last one: the kernel visits a task again if its record did not fit */
	__u32 facts; /* FACT_*: what this kernel records */
	__u32 padding;
};

/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What tasks.bpf.c is asked and what it tells: src/sources/bpf/ has the same offsets. */
#pragma once

enum {
	MOST_FRAMES = 64,   /* MAX_STACK_TRACE_DEPTH of fs/proc/base.c */
	MOST_PIDS = 4096,   /* that can be asked for by number */
	NAME_BYTES = 16,    /* TASK_COMM_LEN */
	FULL_NAME_BYTES = 64,   /* what fs/proc/array.c, proc_task_name, has room for */
	DESCRIPTION_BYTES = 32, /* WORKER_DESC_LEN; 24 in older kernels */
	PID_BITS = 1 << 22, /* PID_MAX_LIMIT of 64-bit kernels */
};

/* What is wanted. */
struct request {
	__u32 all;          /* of any number and state */
	__u32 states;       /* a bit for each place in STATES */
	__u32 asked;        /* there are some in `pids` */
	__u32 threads;      /* every thread, not only the main one of each process */
	/* the reader knows the stacks of tasks that got no CPU since then, by the scheduler's clock */
	__u64 known_before;
	__u64 name[NAME_BYTES / 8];      /* the bytes wanted of a name, where the mask has bits */
	__u64 name_mask[NAME_BYTES / 8];
};

struct record {
	/* of this record with what follows it: a struct kernel_name, of kernel threads, and the addresses */
	__u32 bytes;
	__u32 tid;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 cpu;
	__u32 task_flags;
	__u32 state;        /* the place in STATES */
	__u64 start_ns;     /* since boot, time in suspension included */
	__u64 arrival_ns;   /* when it last got a CPU, by the scheduler's clock; 0: never, or not known */
	__u64 off_cpu_ns;   /* since then, while it is on none; else 0 */
	__u64 lock;         /* address of what it waits for */
	__u32 lock_kind;    /* LOCK_* */
	__u32 lock_owner;   /* its TID; 0: none, or not known */
	/* TID of the thread that holds the process's mmap lock for writing; ~0: held, and not known by whom; 0:
	 * not held */
	__u32 mmap_owner;
	__u32 vfork_parent; /* TID of the thread that waits for this vfork child */
	__u32 tracer;       /* TID */
	__u32 switches;     /* how many times it has left a CPU, modulo 2^32 */
	/* how many addresses follow, a negative errno, or NOT_UNWOUND, with which no uid, no kernel name
	 * and no namespace_pid are told either */
	__s32 frames;
	__u32 namespace_pid; /* its process's number in the PID namespace of the process; 0 where that is `pid` */
	__u64 name[NAME_BYTES / 8];
};

enum { NOT_UNWOUND = -4096 };

/* Of a kernel thread. */
struct kernel_name {
	char full[FULL_NAME_BYTES];          /* where it is longer than 15 bytes and shown; else empty */
	char description[DESCRIPTION_BYTES]; /* of a worker of a workqueue: what it does or did last */
	__u32 at_work;
	__u32 padding;
};

enum { LOCK_NONE, LOCK_MUTEX, LOCK_SEMAPHORE, LOCK_RWSEM_READER, LOCK_RWSEM_WRITER };

/* What the values of `pids` say. */
enum {
	ASKED = 1,  /* by number */
	UNWIND = 2, /* its stack may have changed, whatever the time of its last arrival: it was on a CPU */
};

enum {
	FACT_OFF_CPU = 1,
	FACT_LOCKS = 2,
	FACT_MMAP_LOCK = 4,
};

/* A bit for each process that was looked at: what /proc lists beyond is hidden from programs like this one, and
 * must be read there. */
struct seen {
	__u64 words[PID_BITS / 64];
	__u32 tasks; /* how many it came by, of all numbers and states */
	__u32 last;  /* the TID of the last one: the kernel comes by a task again when its record did not fit */
	__u32 facts; /* FACT_*: what this kernel notes */
	__u32 padding;
};

/* SPDX-License-Identifier: MIT */
/* The protocol between kstack and the reader, in native byte order. src/native/reader/protocol.ts is the other side. */
#pragma once
#include "system.h"

/* What can be done for a task, in this order. Each number is a bit of a set. */
enum {
	STAT,
	STATUS,
	STACK,
	SYSCALL,
	WCHAN,
	CGROUP,
	CMDLINE,
	TASK_FILES,
	LIST = TASK_FILES, /* in records: processes, or the threads of a process, could not be listed */
	READ,              /* bytes of a file from a position on */
	LINK,              /* the target of a symbolic link */
	CALL,              /* a system call */
	/* of a process: for each a line `FD TARGET`, with a NUL for its end; of a pipe `FD pipe:[INODE] rw`, if that is
	 * what it is open for */
	DESCRIPTORS,
	END,               /* in records: the last one of a job */
};

struct request {
	u32 bytes; /* of the body that follows this header */
	u32 job;   /* repeated in the records that answer it */
	u32 kind;  /* SCAN, GET, PATHS or CALLS */
	u32 round; /* nonzero: a new sample begins; reads that hung in the previous one are tried last, and briefly */
};

enum { SCAN, GET, PATHS, CALLS };

/* All tasks: reads `first` of each, and `then` of those whose stat shows a wanted state. */
struct scan {
	u32 first;
	u32 then;
	u32 threads; /* every thread, not only the main one of each process */
	u32 budget;  /* bytes for all command lines together */
	u32 least;   /* bytes for each command line once the budget is used up */
	char states[12]; /* letters; empty means any */
};

/* A `struct get`, then as many `struct numbers` as fit. */
struct get {
	u32 budget, least;
	u32 threads; /* whether paths are PID/task/TID instead of TID */
	u32 paths;   /* whether DESCRIPTORS includes files with a path; most descriptors are of such */
};

struct numbers {
	u32 pid, tid;
	u32 files;
};

/* READ or LINK of a path. The path follows, with a NUL. PATHS has any number of them. */
struct path {
	u64 position;
	u32 limit;
	u32 kind;
	u32 number; /* in the place of the TID in the records that answer it */
	u32 bytes;  /* with the path, rounded up to a multiple of 8 */
};

/* A system call. An argument is a number, an offset in the input that follows, or one in the output buffer. */
struct call {
	u64 arguments[6];
	u32 number;
	u32 out; /* bytes of the output buffer */
	unsigned char kinds[8];
};

enum { VALUE, INPUT, OUTPUT };

struct record {
	u32 bytes; /* of header and content, rounded up to a multiple of 8 */
	u32 job;
	u32 pid, tid;
	u32 what;
	u32 flags;
	i64 result; /* content bytes or the call's result, or a negative errno */
};

enum {
	MORE = 1,    /* another record continues the file */
	CUT = 2,     /* the command line, or the list of descriptors, is longer than its limit */
	LATE = 4,    /* the read missed its deadline */
	SKIPPED = 8, /* not tried: the read would probably hang where nothing can end it */
};

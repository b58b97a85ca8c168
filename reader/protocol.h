/* SPDX-License-Identifier: MIT */
/* What kstack and the reader say to each other, in the byte order of the machine. src/native/reader/protocol.ts has the same. */
#pragma once
#include "system.h"

/* What can be asked of a task, in the order in which it is done: a bit each. */
enum {
	STAT,
	STATUS,
	STACK,
	SYSCALL,
	WCHAN,
	CGROUP,
	CMDLINE,
	TASK_FILES,
	/* Of a record only. */
	LIST = TASK_FILES, /* the threads of a process could not be listed, or the processes */
	READ,              /* bytes of a file, at most so many from a position on */
	LINK,              /* where a symbolic link points */
	CALL,              /* a system call */
	END,               /* a job is done: there are no more records of it */
};

struct request {
	u32 bytes; /* of what follows this header */
	u32 job;   /* a number for the records that answer it */
	u32 kind;  /* SCAN, GET, PATHS or CALLS */
	u32 round; /* a new sample has begun: what hung in the one before is tried last, and briefly */
};

enum { SCAN, GET, PATHS, CALLS };

/* All tasks: `first` is read of each, and of those whose stat has a state that is wanted, `then`. */
struct scan {
	u32 first;
	u32 then;
	u32 threads; /* of each process, not only its main one */
	u32 budget;  /* bytes of command lines, all together; of those that come later, `least` are taken */
	u32 least;
	char states[12]; /* letters; any where there are none */
};

/* `struct get` and then `struct numbers` as many as there is room for. */
struct get {
	u32 budget, least;
	u32 threads; /* PID/task/TID, or TID */
};

struct numbers {
	u32 pid, tid;
	u32 files;
};

/* READ or LINK of a path: this, and the path with a NUL. */
struct path {
	u64 position;
	u32 limit;
	u32 kind;
};

/* A system call. An argument is a number, or the offset of something in what follows, or in what the call writes to. */
struct call {
	u64 arguments[6];
	u32 number;
	u32 out; /* bytes that it may write */
	unsigned char kinds[8];
};

enum { VALUE, INPUT, OUTPUT };

struct record {
	u32 bytes; /* of this header, what follows it, and up to 7 to make it a multiple of 8 */
	u32 job;
	u32 pid, tid;
	u32 what;
	u32 flags;
	i64 result; /* bytes that follow, or what the call returned; a negative errno */
};

enum {
	MORE = 1,    /* a longer file: another record goes on */
	CUT = 2,     /* more than was to be taken */
	LATE = 4,    /* did not return in time */
	SKIPPED = 8, /* not tried: it would probably hang where nothing ends it */
};

/* SPDX-License-Identifier: MIT */
/* The queue of tasks to read, and the choice of the next one. */
#pragma once
#include "protocol.h"

enum {
	MOST_WORKERS = 40,
	FEW_WORKERS = 3,          /* so many have room beside the executable for sure: see standalone/entry.c */
	SPARE_THREADS = 14,       /* what a runtime may still start: for its compiler, and one per CPU for garbage */
	SPARE_DESCRIPTORS = 12,
	STACK_BYTES = 16384,
	OUT_BYTES = 6 * 1024 * 1024 + 256 * 1024,
	FLUSH_BYTES = 48 * 1024,  /* a worker writes its records once they exceed this */
	FILE_BYTES = 64 * 1024,   /* the most read of a file other than a command line */
	COMMAND_BYTES = 6 * 1024 * 1024, /* the most read of a command line: more than execve(2) accepts */
	TICK_MS = 5,
	SICK_TICK_MS = 2,
	PATIENCE_TICKS = 2,       /* a read that waits for this long is stuck */
	STOPPED_TICKS = 20,       /* how often to look whether a worker that does nothing was stopped */
	PATIENCE_AGAIN_MS = 100,  /* what a stuck second try gets at least before another read takes its place */
	DEADLINE_MS = 1000,       /* what a stuck read gets at most, once nothing else is left to read */
	ROUND_MS = 1200,          /* how long a round waits for stuck reads while nothing else is left to read */
	SICK = 3,                 /* with this many reads stuck, AT_A_TIME workers read */
	AT_A_TIME = 32,
	DEATH_MS = 100,           /* a worker that survives SIGKILL for this long cannot be killed */
	HOPELESS = 64,            /* after this many failed second tries in a row, there are no more of them */
	HOPELESS_MS = 300,        /* and this replaces DEADLINE_MS */
	MOST_RISKY = 6,           /* concurrent reads that might become unkillable, with those that are */
	MOST_PROBES = 40,         /* reads per round that hung in the last round, too; */
	PROBE_MS = 50,            /* each gets this long */
	DESCRIPTOR_BYTES = 1024 * 1024, /* the most of a process's descriptors */
	TARGET_BYTES = 4096 + 16, /* the longest target (PATH_MAX) and a number */
	MOST_PAGES = 33,          /* of a command line that are checked for presence */
	KNOWN_SLOTS = 1 << 15,
	NAME_ROOM = 64,
};

enum { PF_KTHREAD = 0x00200000 };

struct job {
	struct job *next;
	u64 memory; /* bytes of the allocation, body included */
	u32 id, kind;
	u32 open;  /* tasks with records still to be written */
	int exhausted; /* all of its tasks have been handed out */
	u32 first, then, threads, paths;
	i64 budget, least;
	char states[12];
	/* For SCAN. */
	int processes, tasks; /* descriptors */
	u32 pid;      /* the process whose threads are being listed */
	u32 commanded; /* the last process that had a thread read the command line, for all of its threads */
	int at, end, tasks_at, tasks_end;
	char *names, *task_names;
	/* For other kinds: the request's body, and how much of it has been handed out. */
	char *body;
	u32 bytes, taken;
};

struct task {
	struct job *job;
	u32 pid, tid;
	u32 todo, then;
	u32 attempts;
	int risky, known, sleeps;
	u64 args_from, args_to; /* addresses of the command line; 0: unknown */
	struct path *path;
	u64 taken; /* bytes read of the file at `path` */
	struct call *call;
};

enum state { ABSENT, PARKED, READER, READING, STUCK, CONDEMNED };

/* A process that reads. From READING on, `state` changes only by compare-and-exchange, because the watcher may change
 * it until the read is over. */
struct worker {
	int tid;
	u32 state;
	u32 wake;
	u32 operations; /* begun so far */
	u32 watched, idle; /* the watcher's, too: see check_workers */
	u32 seen, ticks; /* the watcher's: the last `operations` it saw, and for how many ticks it has not changed */
	i64 since_ms;   /* when it got stuck or was condemned */
	int unkillable;
	int directory;  /* of the task; -1: none */
	int file;       /* being read; -1: none */
	int stat;       /* a descriptor of this worker's own stat */
	u32 what;
	int counted;    /* in `readers`; a stuck worker is not */
	u32 used;
	char *out;
	struct job *finished_of; /* the job whose records are in `out` */
	u32 finished;   /* tasks to close once `out` is written */
	char *stack;
	struct task task;
};

static struct worker workers[MOST_WORKERS];
/* Set at start: initialised data would make the program ten times as large. */
static int most_workers, is_room_known, root, own_proc, own_nice, watcher;
static u64 page_bytes;

/* Guards the jobs, the lists of tasks and the number of readers. */
static u32 queue;
static struct job *jobs;
static u32 readers, permits;
static int sick; /* reads hang, so check that a command line is in memory before reading it */
static i64 round_ms; /* what is left of ROUND_MS */

/* Guards standard output. */
static u32 output;

/* Tasks to try again. */
struct list {
	struct task *tasks;
	u32 first, count, room;
};
static struct list again, known, risky;
static u32 probes, risky_now, failures;
static u32 unkillable; /* workers still alive DEATH_MS after SIGKILL */

/* Task and file of each read that hung, in the last round and in this one: hash tables with open addressing. */
static u64 tables[2][KNOWN_SLOTS];
static int this_round;
static u32 in_table[2];

/* Kills the workers, waits briefly for those that can die, so that nobody else has to, and exits. */
static void leave(int code)
{
	struct __kernel_timespec moment = { 0, 1000000 };
	int alive = 1;

	for (int tries = 0; alive && tries < 10; tries++) {
		alive = 0;
		for (int i = 0; i < MOST_WORKERS; i++) {
			int tid = __atomic_load_n(&workers[i].tid, __ATOMIC_ACQUIRE);

			if (tid <= 0 || tid == sys(__NR_getpid, 0, 0, 0, 0))
				continue;
			alive |= workers[i].state != CONDEMNED;
			if (tries == 0)
				sys(__NR_kill, tid, SIGKILL, 0, 0);
		}
		if (alive)
			sys(__NR_nanosleep, &moment, 0, 0, 0);
	}
	for (;;)
		sys(__NR_exit_group, code, 0, 0, 0);
}

static void write_all(const char *bytes, u64 count)
{
	while (count > 0) {
		i64 written = sys(__NR_write, 1, bytes, count, 0);

		if (written == -EINTR || written == -EAGAIN)
			continue;
		if (written <= 0)
			return; /* kstack is gone; standard input ends, too, and take_request leaves */
		bytes += written;
		count -= written;
	}
}

static void push(struct list *list, const struct task *task)
{
	if (list->count == list->room) {
		u32 room = list->room ? list->room * 2 : 256;
		struct task *more = allocate(room * sizeof *more);

		if (!more)
			leave(4);
		for (u32 i = 0; i < list->count; i++)
			more[i] = list->tasks[(list->first + i) % list->room];
		if (list->tasks)
			sys(__NR_munmap, list->tasks, list->room * sizeof *more, 0, 0);
		list->tasks = more;
		list->first = 0;
		list->room = room;
	}
	list->tasks[(list->first + list->count++) % list->room] = *task;
}

static int pull(struct list *list, struct task *task)
{
	if (list->count == 0)
		return 0;
	*task = list->tasks[list->first];
	list->first = (list->first + 1) % list->room;
	list->count--;
	return 1;
}

static u64 key_of(const struct task *task, u32 what)
{
	return ((u64)task->pid << 32 | task->tid) * 16 + what + 1;
}

static int is_in_table(int round, u64 key)
{
	u32 at = (key * 0x9e3779b97f4a7c15ULL) >> 49;

	while (tables[round][at] != 0 && tables[round][at] != key)
		at = (at + 1) % KNOWN_SLOTS;
	return tables[round][at] == key;
}

static void put_in_table(u64 key)
{
	u32 at = (key * 0x9e3779b97f4a7c15ULL) >> 49;

	if (in_table[this_round] >= KNOWN_SLOTS / 2 || is_in_table(this_round, key))
		return;
	while (tables[this_round][at] != 0)
		at = (at + 1) % KNOWN_SLOTS;
	tables[this_round][at] = key;
	in_table[this_round]++;
}

static void begin_round(void)
{
	sick = in_table[this_round] > 0;
	this_round = !this_round;
	for (u32 i = 0; in_table[this_round] > 0 && i < KNOWN_SLOTS; i++)
		tables[this_round][i] = 0;
	in_table[this_round] = 0;
	probes = failures = 0;
	round_ms = ROUND_MS;
}

/* Writes a record without content. */
static void report(const struct job *job, const struct task *task, u32 what, u32 flags, i64 result)
{
	struct record record = {
		.bytes = sizeof record,
		.job = job->id,
		.pid = task->pid,
		.tid = task->tid,
		.what = what,
		.flags = flags,
		.result = result,
	};

	take_lock(&output);
	write_all((char *)&record, sizeof record);
	free_lock(&output);
}

static const struct task nobody;

/* Needs the queue lock. Ends the job if it has no tasks left; their records must have been written. */
static void end_if_done(struct job *job)
{
	if (!job->exhausted || job->open > 0)
		return;
	for (struct job **at = &jobs; *at; at = &(*at)->next)
		if (*at == job) {
			*at = job->next;
			break;
		}
	report(job, &nobody, END, 0, 0);
	if (job->processes >= 0)
		sys(__NR_close, job->processes, 0, 0, 0);
	if (job->names)
		sys(__NR_munmap, job->names, 2 * FILE_BYTES, 0, 0);
	sys(__NR_munmap, job, job->memory, 0, 0);
}

struct entry {
	u64 inode, offset;
	unsigned short bytes;
	unsigned char type;
	char name[];
};

static u32 number_of(const char *name)
{
	u32 number = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		number = number * 10 + *name - '0';
	return *name == 0 ? number : 0;
}

/* The next numeric name in a directory; 0 at its end, or a negative errno. */
static i64 next_number(int directory, char *names, int *at, int *end)
{
	for (;;) {
		if (*at >= *end) {
			i64 got = sys(__NR_getdents64, directory, names, FILE_BYTES, 0);

			if (got <= 0)
				return got;
			*at = 0;
			*end = got;
		}
		struct entry *entry = (struct entry *)(names + *at);

		*at += entry->bytes;
		u32 number = number_of(entry->name);

		if (number > 0)
			return number;
	}
}

static char *put_number(char *to, u32 number)
{
	char digits[10];
	int count = 0;

	do
		digits[count++] = '0' + number % 10;
	while (number /= 10);
	while (count > 0)
		*to++ = digits[--count];
	return to;
}

static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	*to = 0;
	return to;
}

static int scan_next(struct job *job, struct task *task)
{
	char path[NAME_ROOM];
	i64 number;

	for (;;) {
		if (job->tasks >= 0) {
			number = next_number(job->tasks, job->task_names, &job->tasks_at, &job->tasks_end);
			if (number > 0) {
				*task = (struct task){
					.job = job,
					.pid = job->pid,
					.tid = number,
					.todo = job->first,
					.then = job->then,
				};
				return 1;
			}
			sys(__NR_close, job->tasks, 0, 0, 0);
			job->tasks = -1;
			if (number < 0 && number != -ENOENT && number != -ESRCH)
				report(job, &(struct task){ .pid = job->pid }, LIST, 0, number);
		}
		number = next_number(job->processes, job->names, &job->at, &job->end);
		if (number <= 0) {
			if (number < 0)
				report(job, &nobody, LIST, 0, number);
			return 0;
		}
		if (!job->threads) {
			*task = (struct task){
				.job = job,
				.pid = number,
				.tid = number,
				.todo = job->first,
				.then = job->then,
			};
			return 1;
		}
		job->pid = number;
		put(put_number(path, number), "/task");
		i64 tasks = sys(__NR_openat, job->processes, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

		if (tasks >= 0) {
			job->tasks = tasks;
			job->tasks_at = job->tasks_end = 0;
		} else if (tasks != -ENOENT && tasks != -ESRCH)
			report(job, &(struct task){ .pid = number }, LIST, 0, tasks);
	}
}

static int body_next(struct job *job, struct task *task)
{
	char *at = job->body + job->taken;
	u32 left = job->bytes - job->taken;

	*task = (struct task){ .job = job };
	if (job->kind == GET) {
		struct numbers *numbers = (struct numbers *)at;

		if (left < sizeof *numbers)
			return 0;
		job->taken += sizeof *numbers;
		task->pid = numbers->pid;
		task->tid = numbers->tid;
		task->todo = numbers->files & (((1 << TASK_FILES) - 1) | 1 << DESCRIPTORS);
		return 1;
	}
	if (left == 0)
		return 0;
	if (job->kind == PATHS) {
		task->path = (struct path *)at;
		job->taken += task->path->bytes;
		task->tid = task->path->number;
		task->todo = 1 << (task->path->kind == LINK ? LINK : READ);
	} else {
		job->taken = job->bytes;
		task->call = (struct call *)at;
		task->todo = 1 << CALL;
	}
	return 1;
}

/* Reports the task's first open read as not done. True if the task has more to read. */
static int give_up(struct task *task, u32 flag)
{
	u32 what = __builtin_ctz(task->todo);

	/* Reads by path are of any task. */
	if (task->pid != 0)
		put_in_table(key_of(task, what));
	report(task->job, task, what, flag, 0);
	task->todo &= ~(1U << what);
	task->attempts = 0;
	task->known = 0;
	if (task->risky)
		risky_now--;
	task->risky = 0;
	if (task->todo != 0)
		return 1;
	task->job->open--;
	end_if_done(task->job);
	return 0;
}

/* Whether another read that might become unkillable may begin. */
static int may_risk(void)
{
	return risky_now + unkillable < MOST_RISKY;
}

/* A task to try again. Those that hung in the last round, too, come last, and only MOST_PROBES of them. */
static int again_next(struct task *task)
{
	if (pull(&again, task))
		return 1;
	while (known.count > 0) {
		pull(&known, task);
		if (probes++ < MOST_PROBES)
			return 1;
		if (give_up(task, LATE))
			return 1;
	}
	if (may_risk() && pull(&risky, task)) {
		risky_now++;
		return 1;
	}
	return 0;
}

/* Requests by number come before scans: they are for tasks that a scan has found. */
static int next_task(struct task *task)
{
	for (int scans = 0; scans < 2; scans++)
		for (struct job *job = jobs, *next; job; job = next) {
			next = job->next;
			if (job->exhausted || (job->kind == SCAN) != scans)
				continue;
			if (job->kind == SCAN ? scan_next(job, task) : body_next(job, task)) {
				job->open++;
				return 1;
			}
			job->exhausted = 1;
			end_if_done(job);
		}
	return again_next(task);
}


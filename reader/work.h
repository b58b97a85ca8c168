/* SPDX-License-Identifier: MIT */
/* How a worker reads a task. */
#pragma once
#include "queue.h"

static const char *const names[] = { "stat", "status", "stack", "syscall", "wchan", "cgroup", "cmdline" };

static void path_of(char *path, const struct task *task, const char *name)
{
	path = put_number(path, task->job->threads ? task->pid : task->tid);
	if (task->job->threads)
		path = put_number(put(path, "/task/"), task->tid);
	put(put(path, "/"), name);
}

/* Worker and watcher may both try; the first one closes. */
static void close_once(int *descriptor)
{
	int fd = __atomic_exchange_n(descriptor, -1, __ATOMIC_ACQ_REL);

	if (fd >= 0)
		sys(__NR_close, fd, 0, 0, 0);
}

/* Opens a file of the procfs itself, not one mounted over it (openat2(2), Linux 5.6). */
static i64 open_below(int directory, const char *path, u64 flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	static int is_old;

	if (!is_old) {
		i64 fd = sys(__NR_openat2, directory, path, &how, sizeof how);

		/* EPERM: a seccomp filter that does not know openat2. */
		if (fd != -ENOSYS && fd != -EPERM)
			return fd;
		is_old = fd == -ENOSYS;
	}
	return sys(__NR_openat, directory, path, flags | O_CLOEXEC, 0);
}

/* An open task directory refers to that task even after the task ended and its number was reused, so everything read
 * below it is of one task (fs/proc/base.c, get_proc_task). */
static i64 open_task(struct worker *worker)
{
	char path[NAME_ROOM];

	if (worker->directory < 0) {
		path_of(path, &worker->task, ".");
		worker->directory = open_below(root, path, O_PATH | O_DIRECTORY);
	}
	return worker->directory;
}

static void close_task(struct worker *worker)
{
	close_once(&worker->directory);
}

static i64 read_whole(struct worker *worker, int directory, const char *path, char *to, u64 bytes, u64 position)
{
	i64 fd = open_below(directory, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	i64 got;

	if (fd < 0)
		return fd;
	worker->file = fd; /* the watcher closes it if it kills this worker */
	got = position ? sys(__NR_pread64, fd, to, bytes, position) : sys(__NR_read, fd, to, bytes, 0);
	close_once(&worker->file);
	return got;
}

/* Field number `field` of a stat file, from the fourth on; 0 if there is none. Starts behind the name, which may hold
 * anything. */
static u64 field_of(const char *stat, i64 bytes, int field)
{
	i64 at = bytes - 1;
	u64 value = 0;

	while (at >= 0 && stat[at] != ')')
		at--;
	at += 4;
	for (int number = 4; number < field && at < bytes; at++)
		number += stat[at] == ' ';
	for (; at > 0 && at < bytes && stat[at] >= '0' && stat[at] <= '9'; at++)
		value = value * 10 + stat[at] - '0';
	return value;
}

static char state_of(const char *stat, i64 bytes)
{
	i64 at = bytes - 1;

	while (at >= 0 && stat[at] != ')')
		at--;
	return at >= 0 && at + 2 < bytes ? stat[at + 2] : 0;
}

/* Whether a page of a command line is not in memory. Reading it would wait for a device or a file system, perhaps for
 * good. Bit 63 of a page's entry in /proc/PID/pagemap says so (fs/proc/task_mmu.c); if the file cannot be read, the
 * pages count as present. */
static int is_absent(struct worker *worker, char *scratch)
{
	struct task *task = &worker->task;
	i64 directory = open_task(worker), got;
	u64 pages[MOST_PAGES];

	if (task->args_to == 0) {
		got = read_whole(worker, directory, "stat", scratch, FILE_BYTES, 0);
		task->args_from = got > 0 ? field_of(scratch, got, 48) : 0;
		task->args_to = got > 0 ? field_of(scratch, got, 49) : 0;
	}
	if (task->args_to <= task->args_from)
		return 0;
	u64 first = task->args_from / page_bytes, count = (task->args_to - 1) / page_bytes - first + 1;

	if (count > MOST_PAGES)
		count = MOST_PAGES;
	got = read_whole(worker, directory, "pagemap", (char *)pages, count * 8, first * 8);
	for (i64 i = 0; i < got / 8; i++)
		if (!(pages[i] >> 63))
			return 1;
	return 0;
}

/* Marks the read as over. Does not return if the watcher has condemned this worker. */
static void end_reading(struct worker *worker)
{
	u32 state = READING;

	if (__atomic_compare_exchange_n(&worker->state, &state, READER, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	state = STUCK;
	while (!__atomic_compare_exchange_n(&worker->state, &state, READER, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		sys(__NR_ppoll, 0, 0, 0, 0);
	/* The watcher holds the lock until it has written this worker's earlier records. */
	take_lock(&queue);
	free_lock(&queue);
}

static void push_locked(struct list *list, const struct task *task)
{
	take_lock(&queue);
	push(list, task);
	free_lock(&queue);
}

static void write_out(struct worker *worker)
{
	if (worker->used == 0)
		return;
	take_lock(&output);
	write_all(worker->out, worker->used);
	free_lock(&output);
	worker->used = 0;
}

/* Needs the queue lock. Writes the worker's records and closes their tasks. */
static void settle(struct worker *worker)
{
	write_out(worker);
	if (worker->finished > 0) {
		worker->finished_of->open -= worker->finished;
		worker->finished = 0;
		end_if_done(worker->finished_of);
	}
}

static i64 limit_of(const struct job *job)
{
	i64 limit = job->budget < COMMAND_BYTES ? job->budget : COMMAND_BYTES;

	return limit < job->least ? job->least : limit;
}

static int is_wanted(const struct job *job, const char *stat, i64 bytes)
{
	char letter = state_of(stat, bytes);

	for (u32 i = 0; i < sizeof job->states && job->states[i]; i++)
		if (job->states[i] == letter)
			return 1;
	return job->states[0] == 0;
}

static i64 make_call(struct call *call, char *out)
{
	char *input = (char *)(call + 1);
	u64 arguments[6];

	for (int i = 0; i < 6; i++)
		arguments[i] = call->arguments[i] +
			       (call->kinds[i] == INPUT ? (u64)input : call->kinds[i] == OUTPUT ? (u64)out : 0);
	return call6(call->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* Reads the next part of a file. The file stays open until its end or the limit is reached. */
static i64 read_part(struct worker *worker, char *to)
{
	struct task *task = &worker->task;
	u64 left = task->path->limit - task->taken;
	i64 got;

	if (worker->file < 0) {
		got = sys(__NR_openat, root, task->path + 1, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
		if (got < 0)
			return got;
		worker->file = got;
	}
	got = sys(__NR_pread64, worker->file, to, left < FILE_BYTES ? left : FILE_BYTES,
		  task->path->position + task->taken);
	if (got > 0)
		task->taken += got;
	if (got <= 0 || task->taken >= task->path->limit) {
		close_once(&worker->file);
	}
	return got;
}

static i64 read_link(struct task *task, char *out)
{
	return sys(__NR_readlinkat, root, task->path + 1, out, FILE_BYTES);
}

/* Puts what a descriptor is open for, by the mode of its link (fs/proc/fd.c, tid_fd_update_inode). Nothing if a filter of
 * system calls does not know statx(2). */
static char *put_access(char *to, int directory, const char *fd)
{
	struct statx link;

	if (call6(__NR_statx, directory, (u64)fd, AT_SYMLINK_NOFOLLOW, STATX_MODE, (u64)&link, 0) != 0)
		return to;
	return put(put(put(to, " "), link.stx_mode & S_IRUSR ? "r" : ""), link.stx_mode & S_IWUSR ? "w" : "");
}

/* The open descriptors of a process. `cut` is set if there are more than DESCRIPTOR_BYTES tell. */
static i64 read_descriptors(struct worker *worker, char *to, int *cut)
{
	i64 directory = open_task(worker), got;
	char *at = to, *entries = to + DESCRIPTOR_BYTES;

	if (directory < 0)
		return directory;
	got = open_below(directory, "fd", O_RDONLY | O_DIRECTORY);
	if (got < 0)
		return got;
	worker->file = got;
	while (!*cut && (got = sys(__NR_getdents64, worker->file, entries, FILE_BYTES, 0)) > 0)
		for (char *next = entries; next < entries + got && !*cut; next += ((struct entry *)next)->bytes) {
			struct entry *entry = (struct entry *)next;

			if (entry->name[0] == '.')
				continue;
			char *target = put(put(at, entry->name), " ");
			i64 length = sys(__NR_readlinkat, worker->file, entry->name, target, TARGET_BYTES - NAME_ROOM);

			if (length <= 0 || (target[0] == '/' && !worker->task.job->paths))
				continue;
			at = target + length;
			if (target[0] == 'p') /* pipe:[1] */
				at = put_access(at, worker->file, entry->name);
			*at++ = 0;
			*cut = at + TARGET_BYTES > entries;
		}
	close_once(&worker->file);
	return at - to;
}

/* If a scan selects by state, stat is read by its path: opening each task's directory would cost a third more. */
static i64 read_task(struct worker *worker, u32 what, char *to, u64 bytes)
{
	struct task *task = &worker->task;
	char path[NAME_ROOM];

	if (what != STAT || task->job->kind != SCAN || task->job->states[0] == 0 || worker->directory >= 0) {
		i64 directory = open_task(worker);

		return directory < 0 ? directory : read_whole(worker, directory, names[what], to, bytes, 0);
	}
	path_of(path, task, "stat");
	i64 got = read_whole(worker, root, path, to, bytes, 0);

	if (got <= 0 || task->then == 0 || !is_wanted(task->job, to, got))
		return got;
	/* Read again below the directory, so that it is of the same task as the files that follow. */
	i64 directory = open_task(worker);

	return directory < 0 ? directory : read_whole(worker, directory, names[what], to, bytes, 0);
}

/* Does the task's first open read and adds its record. False if the task is done or was put on a list. */
static int do_one(struct worker *worker)
{
	struct task *task = &worker->task;
	struct job *job = task->job;
	u32 what = __builtin_ctz(task->todo);
	struct record *record = (struct record *)(worker->out + worker->used);
	char *bytes = (char *)(record + 1);
	i64 limit = what == CMDLINE ? limit_of(job) : FILE_BYTES, got;
	int absent = 0, cut = 0;

	if (task->attempts == 0 && task->pid != 0 && in_table[!this_round] > 0 &&
	    is_in_table(!this_round, key_of(task, what))) {
		task->attempts = 1;
		task->known = 1;
		push_locked(&known, task);
		return 0;
	}
	worker->what = what;
	worker->operations++;
	__atomic_store_n(&worker->state, READING, __ATOMIC_RELEASE);
	if (what == CMDLINE && sick && !task->risky)
		absent = is_absent(worker, bytes);
	if (absent)
		got = 0;
	else if (what < TASK_FILES)
		got = read_task(worker, what, bytes, limit + (what == CMDLINE));
	else if (what == READ)
		got = read_part(worker, bytes);
	else if (what == LINK)
		got = read_link(task, bytes);
	else if (what == DESCRIPTORS)
		got = read_descriptors(worker, bytes, &cut);
	else
		got = make_call(task->call, bytes);
	u64 behind = what == CALL ? task->call->out : got > 0 ? (u64)got : 0;

	end_reading(worker);
	if (worker->used == 0 && (char *)record != worker->out) {
		/* The watcher has written the records before this one. */
		record = (struct record *)worker->out;
		memcpy(record + 1, bytes, behind);
		bytes = (char *)(record + 1);
	}
	if (task->attempts)
		failures = 0;
	if (absent) {
		task->risky = 1;
		push_locked(&risky, task);
		return 0;
	}
	u32 flags = what == READ && worker->file >= 0 ? MORE : cut ? CUT : 0;

	if (flags != MORE)
		task->todo &= ~(1U << what);

	if (what == CMDLINE && got > 0) {
		if (got > limit) {
			got = behind = limit;
			flags = CUT;
		}
		__atomic_fetch_sub(&job->budget, got, __ATOMIC_RELAXED);
	}
	*record = (struct record){
		.bytes = (sizeof *record + behind + 7) & ~7ULL,
		.job = job->id,
		.pid = task->pid,
		.tid = task->tid,
		.what = what,
		.flags = flags,
		.result = got,
	};
	worker->used += record->bytes;
	if (what == STAT && got > 0) {
		char letter = state_of(bytes, got);

		if (is_wanted(job, bytes, got))
			task->todo |= task->then;
		task->then = 0;
		task->sleeps = letter != 'R' && letter != 'Z' && letter != 'X';
		if (job->kind == SCAN && job->threads && (task->todo & 1U << CMDLINE)) {
			/* Once per process. A second time, if two workers read its threads at once, does no harm. */
			if (job->commanded == task->pid)
				task->todo &= ~(1U << CMDLINE);
			job->commanded = task->pid;
		}
		task->args_from = field_of(bytes, got, 48);
		task->args_to = field_of(bytes, got, 49);
		/* Dead tasks and kernel threads have no memory and are in no system call. */
		if (letter == 'Z' || letter == 'X' || (field_of(bytes, got, 9) & PF_KTHREAD))
			task->todo &= ~(1U << CMDLINE | 1U << SYSCALL);
	} else if (got == -ESRCH || (got == -ENOENT && what != SYSCALL && what != WCHAN && what != CGROUP))
		task->todo = 0; /* it has ended; a kernel may lack those three files */
	else if (what == STACK && got == 0 && task->sleeps)
		task->todo |= 1U << STAT; /* it runs now, or has ended */
	if (worker->used >= FLUSH_BYTES)
		write_out(worker);
	return task->todo != 0;
}

/* Needs the queue lock. Whether there is a task for this worker; if so, the worker counts as a reader. */
static int takes_next(struct worker *worker)
{
	if (worker->used >= FLUSH_BYTES || worker->finished == 0)
		settle(worker);
	/* A worker that was stuck may have been replaced. */
	if (worker->counted ? readers > permits : readers >= permits)
		return 0;
	if (!next_task(&worker->task))
		return 0;
	if (!worker->counted)
		readers++;
	worker->counted = 1;
	if (worker->finished_of != worker->task.job)
		settle(worker);
	worker->finished_of = worker->task.job;
	return 1;
}

static void park(struct worker *worker)
{
	u32 wake = worker->wake;

	settle(worker);
	if (worker->counted)
		readers--;
	worker->counted = 0;
	worker->state = PARKED;
	free_lock(&queue);
	while (__atomic_load_n(&worker->state, __ATOMIC_ACQUIRE) == PARKED)
		sys(__NR_futex, &worker->wake, FUTEX_WAIT, wake, 0);
}

static void work(void *argument)
{
	struct worker *worker = argument;
	struct task *task = &worker->task;

	sys(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	/* The watcher may have died before the prctl. */
	if (sys(__NR_getppid, 0, 0, 0, 0) != watcher)
		for (;;)
			sys(__NR_exit_group, 1, 0, 0, 0);
	sys(__NR_setpriority, 0, 0, own_nice, 0);
	for (;;) {
		take_lock(&queue);
		if (!takes_next(worker)) {
			park(worker);
			continue;
		}
		free_lock(&queue);
		while (do_one(worker))
			continue;
		close_task(worker);
		if (task->todo != 0)
			continue; /* on a list */
		take_lock(&queue);
		worker->finished++;
		if (task->risky)
			risky_now--;
		free_lock(&queue);
	}
}

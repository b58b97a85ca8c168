/* SPDX-License-Identifier: MIT */
/* Reads files of /proc and makes system calls for kstack. Any of these may hang, and some survive even SIGKILL, such as
 * a read of memory swapped out to a device that does not answer. A process does not end before its last thread, so
 * kstack itself never makes such a call. This program does, in processes that share its memory; any of them can be
 * killed or left behind on its own.
 *
 *   reader ROOT [WORKERS]     takes requests from standard input and writes records to standard output, see
 *                             protocol.h; ROOT is the procfs, WORKERS how many processes there may be beside this one
 *
 * One worker reads without pause, so the overhead is small. The watcher checks on it every few milliseconds. If the
 * worker is stuck, another takes over. If three are stuck, the host is sick and many workers read at a time, so that
 * thousands of hanging reads do not delay the healthy ones. A read that hung is tried once more after all others, if
 * there is time.
 */
#include "work.h"

/* ---- The watcher. ---- */

static int own_nofile(void)
{
	u64 limit[2] = { 0, 0 };

	sys(__NR_prlimit64, 0, 7 /* RLIMIT_NOFILE */, 0, limit);
	limit[0] = limit[1];
	sys(__NR_prlimit64, 0, 7, limit, 0);
	return limit[1] > 1 << 20 ? 1 << 20 : limit[1];
}

static char state_of_worker(struct worker *worker)
{
	char text[512];
	i64 got;

	if (worker->stat < 0) {
		put(put_number(text, worker->tid), "/stat");
		worker->stat = sys(__NR_openat, own_proc, text, O_RDONLY | O_CLOEXEC, 0);
	}
	if (worker->stat < 0)
		return 0;
	got = sys(__NR_pread64, worker->stat, text, sizeof text, 0);
	return got <= 0 ? 0 : state_of(text, got);
}

/* Memory or processes are short: go on with the workers below this one, or give up if there are none. */
static void do_without(struct worker *worker, int code)
{
	worker->state = ABSENT;
	worker->counted = 0;
	worker->tid = 0;
	readers--;
	most_workers = worker - workers;
	if (most_workers == 0)
		leave(code);
}

static u32 gate;

static void wait_at_gate(void *unused)
{
	(void)unused;
	/* Ends with the watcher, which somebody may kill before it opens the gate. */
	sys(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	while (!__atomic_load_n(&gate, __ATOMIC_ACQUIRE) && sys(__NR_getppid, 0, 0, 0, 0) == watcher)
		sys(__NR_futex, &gate, FUTEX_WAIT, 0, 0);
	for (;;)
		sys(__NR_exit, 0, 0, 0, 0);
}

/* Limits of control groups and users are hard to add up, so this starts as many processes as could be needed, and ends
 * them again: once, when reads hang, as it takes some milliseconds. The runtime, which may abort if it cannot start a
 * thread, keeps what it may still need, but for the moment in which the limit is met. */
static void learn_room(void)
{
	enum { STACK = 256, WANTED = MOST_WORKERS - FEW_WORKERS + SPARE_THREADS };
	static char stacks[WANTED][STACK] __attribute__((aligned(16)));
	static int tids[WANTED];
	int begun = 0, tid;

	while (begun < WANTED && start_process(stacks[begun] + STACK, &tids[begun], wait_at_gate, 0) > 0)
		begun++;
	__atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
	sys(__NR_futex, &gate, FUTEX_WAKE, WANTED, 0);
	for (int i = 0; i < begun; i++)
		while ((tid = __atomic_load_n(&tids[i], __ATOMIC_ACQUIRE)) != 0)
			sys(__NR_futex, &tids[i], FUTEX_WAIT, tid, 0);
	int room = FEW_WORKERS + (begun > SPARE_THREADS ? begun - SPARE_THREADS : 0);

	if (room < most_workers)
		most_workers = room;
	is_room_known = 1;
}

/* Needs the queue lock. */
static void start_reader(struct worker *worker)
{
	worker->counted = 1;
	readers++;
	if (worker->state == PARKED) {
		worker->wake++;
		__atomic_store_n(&worker->state, READER, __ATOMIC_RELEASE);
		sys(__NR_futex, &worker->wake, FUTEX_WAKE, 1, 0);
		return;
	}
	if (!worker->out) {
		worker->out = allocate(OUT_BYTES + STACK_BYTES);
		if (!worker->out) {
			do_without(worker, 4);
			return;
		}
	}
	worker->stat = worker->directory = worker->file = -1;
	worker->used = worker->finished = worker->operations = worker->seen = worker->ticks = 0;
	worker->unkillable = 0;
	worker->state = READER;
	if (start_process(worker->out + OUT_BYTES + STACK_BYTES, &worker->tid, work, worker) < 0) {
		do_without(worker, 5);
	}
}

static i64 age_of(const struct worker *worker, i64 now)
{
	return now - worker->since_ms;
}

static int is_stuck(const struct worker *worker)
{
	return worker->state == STUCK && worker->what != CALL;
}

/* Needs the queue lock. Kills a stuck worker; its read is tried again or reported as late. */
static void condemn(struct worker *worker, i64 now, int may_try_again)
{
	struct task task = worker->task;
	u32 state = STUCK;

	if (!__atomic_compare_exchange_n(&worker->state, &state, CONDEMNED, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	int tid = __atomic_load_n(&worker->tid, __ATOMIC_ACQUIRE);

	if (tid > 0)
		sys(__NR_kill, tid, SIGKILL, 0, 0);
	worker->since_ms = now;
	if (worker->stat >= 0)
		sys(__NR_close, worker->stat, 0, 0, 0);
	worker->stat = -1;
	close_task(worker);
	close_once(&worker->file);
	/* Not for a path: parts of the file may have been written already. */
	if (may_try_again && task.attempts == 0 && !task.risky && !task.path) {
		task.attempts = 1;
		push(&again, &task);
		return;
	}
	failures += task.attempts > 0 && !task.known;
	if (give_up(&task, LATE)) {
		/* There is more to read of it. */
		push(&again, &task);
	}
}

static int has_work(void)
{
	if (again.count + known.count > 0 || (risky.count > 0 && may_risk()))
		return 1;
	for (struct job *job = jobs; job; job = job->next)
		if (!job->exhausted)
			return 1;
	return 0;
}

static int is_all_handed_out(void)
{
	for (struct job *job = jobs; job; job = job->next)
		if (!job->exhausted)
			return 0;
	return 1;
}

/* Needs the queue lock. Reports all tasks that wait to be tried again as not done. */
static void give_up_lists(void)
{
	struct task task;

	while (pull(&again, &task) || pull(&known, &task))
		while (give_up(&task, LATE))
			continue;
	while (pull(&risky, &task)) {
		task.risky = 0;
		while (give_up(&task, SKIPPED))
			continue;
	}
}

/* False if all workers have been killed and none of them has died. */
static int is_any_worker_left(void)
{
	for (int i = 0; i < most_workers; i++)
		if (workers[i].state != CONDEMNED)
			return 1;
	return 0;
}

static struct worker *find_worker(void)
{
	struct worker *absent = 0;

	for (int i = 0; i < most_workers; i++) {
		if (workers[i].state == PARKED)
			return &workers[i];
		if (workers[i].state == ABSENT && !absent)
			absent = &workers[i];
	}
	return absent;
}

/* Kills up to `wanted` workers, the longest stuck first, to make room for others. Workers that are dying count. */
static void make_room(u32 wanted, i64 now)
{
	for (int i = 0; i < most_workers; i++)
		wanted -= wanted > 0 && workers[i].state == CONDEMNED && age_of(&workers[i], now) <= DEATH_MS;
	while (wanted > 0) {
		struct worker *oldest = 0;

		for (int i = 0; i < most_workers; i++) {
			struct worker *worker = &workers[i];
			i64 patience = worker->task.attempts && !worker->task.known ? PATIENCE_AGAIN_MS : 0;

			if (is_stuck(worker) && age_of(worker, now) >= patience &&
			    (!oldest || worker->since_ms < oldest->since_ms))
				oldest = worker;
		}
		if (!oldest)
			return;
		condemn(oldest, now, round_ms > 0);
		wanted--;
	}
}

/* How long a stuck worker may hold up the end of a round. */
static i64 deadline_of(const struct worker *worker)
{
	if (worker->task.known)
		return PROBE_MS;
	return failures >= HOPELESS ? HOPELESS_MS : DEADLINE_MS;
}

/* Somebody may kill or stop a worker. It may have held a lock, and what it did is not done: give up, and have kstack
 * start all of this again. Without any lock, and before one is taken. */
static void check_workers(void)
{
	for (int i = 0; i < MOST_WORKERS; i++) {
		struct worker *worker = &workers[i];

		if (worker->state == ABSENT || worker->state == CONDEMNED)
			continue;
		if (__atomic_load_n(&worker->tid, __ATOMIC_ACQUIRE) == 0)
			leave(6);
		/* A read that is stopped is given up like one that hangs. */
		if (!jobs || (worker->state != READER && (worker->state != READING || worker->what != CALL))) {
			worker->idle = 0;
			continue;
		}
		worker->idle = worker->operations == worker->watched ? worker->idle + 1 : 0;
		worker->watched = worker->operations;
		if (worker->idle > 0 && worker->idle % STOPPED_TICKS == 0 && state_of_worker(worker) == 'T')
			leave(6);
	}
}

/* Runs every few milliseconds while there are jobs. */
static void watch(i64 now, i64 before)
{
	u32 stuck = 0;

	take_lock(&queue);
	unkillable = 0;
	for (int i = 0; i < MOST_WORKERS; i++) {
		struct worker *worker = &workers[i];
		u32 state = READING;

		if (worker->state == CONDEMNED) {
			if (__atomic_load_n(&worker->tid, __ATOMIC_ACQUIRE) == 0)
				worker->state = ABSENT;
			else if (age_of(worker, now) > DEATH_MS)
				unkillable++;
		} else if (worker->state == READING) {
			worker->ticks = worker->operations == worker->seen ? worker->ticks + 1 : 0;
			worker->seen = worker->operations;
			if (worker->ticks < PATIENCE_TICKS ||
			    (worker->ticks < DEADLINE_MS / TICK_MS && state_of_worker(worker) == 'R') ||
			    !__atomic_compare_exchange_n(&worker->state, &state, STUCK, 0, __ATOMIC_ACQ_REL,
							 __ATOMIC_ACQUIRE))
				continue;
			worker->since_ms = now;
			if (worker->counted)
				readers--;
			worker->counted = 0;
			settle(worker);
		}
		stuck += is_stuck(worker);
	}
	if (stuck + unkillable >= SICK)
		sick = 1;
	permits = stuck >= SICK ? AT_A_TIME : 1;
	if ((is_all_handed_out() && stuck > 0) || !is_any_worker_left())
		round_ms -= now - before;
	if (round_ms <= 0 && !is_all_handed_out() && !is_any_worker_left())
		leave(5);
	/* With too many unkillable workers, nothing begins that might add to them. */
	int stops = round_ms <= 0 || failures >= HOPELESS || (unkillable >= MOST_RISKY && stuck == 0 && readers == 0);

	if (stops && is_all_handed_out())
		give_up_lists();
	for (int i = 0; i < MOST_WORKERS; i++)
		if (is_stuck(&workers[i]) && is_all_handed_out() &&
		    (round_ms <= 0 || age_of(&workers[i], now) >= deadline_of(&workers[i])))
			condemn(&workers[i], now, 0);
	for (u32 i = 0; i < AT_A_TIME && readers < permits && has_work(); i++) {
		struct worker *worker = find_worker();

		if (worker >= workers + FEW_WORKERS && worker->state == ABSENT && !is_room_known) {
			learn_room();
			/* Those that have ended count until the kernel has cleared them away: go on with the next tick. */
			break;
		}
		if (!worker) {
			make_room(permits - readers, now);
			break;
		}
		start_reader(worker);
	}
	free_lock(&queue);
}

static int read_all(void *to, u64 bytes)
{
	char *at = to;

	while (bytes > 0) {
		i64 got = sys(__NR_read, 0, at, bytes, 0);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			return 0;
		at += got;
		bytes -= got;
	}
	return 1;
}

static void take_request(void)
{
	struct request request;
	struct job *job, **last;

	if (!read_all(&request, sizeof request))
		leave(0);
	u64 memory = sizeof *job + request.bytes;

	job = allocate(memory);
	if (!job)
		leave(4);
	job->memory = memory;
	job->id = request.job;
	job->kind = request.kind;
	job->processes = job->tasks = -1;
	job->body = (char *)(job + 1);
	job->bytes = request.bytes;
	if (!read_all(job->body, request.bytes))
		leave(0);
	take_lock(&queue);
	if (request.round)
		begin_round();
	if (job->kind == SCAN) {
		struct scan *scan = (struct scan *)job->body;

		job->first = scan->first;
		job->then = scan->then;
		job->threads = scan->threads;
		job->budget = scan->budget;
		job->least = scan->least;
		memcpy(job->states, scan->states, sizeof job->states);
		job->names = allocate(2 * FILE_BYTES);
		if (!job->names)
			leave(4);
		job->task_names = job->names + FILE_BYTES;
		i64 fd = sys(__NR_openat, root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

		job->processes = fd;
		if (fd < 0) {
			report(job, &nobody, LIST, 0, fd);
			job->exhausted = 1;
		}
	} else if (job->kind == GET) {
		struct get *get = (struct get *)job->body;

		job->budget = get->budget;
		job->least = get->least;
		job->threads = get->threads;
		job->paths = get->paths;
		job->taken = sizeof *get;
	}
	for (last = &jobs; *last; last = &(*last)->next)
		continue;
	*last = job;
	end_if_done(job);
	free_lock(&queue);
}

static void ignore(int signal)
{
	u64 action[4] = { 1 /* SIG_IGN */, 0, 0, 0 };

	sys(__NR_rt_sigaction, signal, action, 0, 8);
}

/* Closes descriptors that kstack inherited, so that nobody waits for this program to close a pipe. */
static void close_others(void)
{
	if (sys(__NR_close_range, 3, ~0U, 0, 0) >= 0)
		return;
	for (int fd = 3; fd < 4096; fd++)
		sys(__NR_close, fd, 0, 0, 0);
}

void begin(u64 *stack)
{
	char **argv = (char **)(stack + 1);
	u64 *auxiliary = stack + 1 + stack[0] + 1;
	i64 before, now;

	permits = 1;
	round_ms = ROUND_MS;
	while (*auxiliary++)
		continue;
	for (; auxiliary[0] != 0; auxiliary += 2)
		if (auxiliary[0] == 6 /* AT_PAGESZ */)
			page_bytes = auxiliary[1];
	/* Dies with kstack, but leaves its terminal and its folder. */
	sys(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	sys(__NR_prctl, PR_SET_NAME, "kstack-reader", 0, 0);
	sys(__NR_setsid, 0, 0, 0, 0);
	watcher = sys(__NR_getpid, 0, 0, 0, 0);
	close_others();
	ignore(SIGCHLD);
	ignore(SIGPIPE);
	/* The watcher does little but must do it in time on a busy host. Workers go back to the old priority. */
	own_nice = 20 - sys(__NR_getpriority, 0, 0, 0, 0);
	sys(__NR_setpriority, 0, 0, -20, 0);
	ignore(2);
	int descriptors = own_nofile() - SPARE_DESCRIPTORS, wanted = stack[0] > 2 ? number_of(argv[2]) : MOST_WORKERS;

	most_workers = wanted < 1 || wanted > MOST_WORKERS ? MOST_WORKERS : wanted;
	is_room_known = stack[0] > 2;
	if (descriptors < most_workers)
		most_workers = descriptors < 1 ? 1 : descriptors;
	root = sys(__NR_openat, AT_FDCWD, stack[0] > 1 ? argv[1] : "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	own_proc = sys(__NR_openat, AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	sys(__NR_chdir, "/", 0, 0, 0);
	report(&(struct job){ .id = 0 }, &nobody, END, 0, root);
	for (before = now_ms();; before = now) {
		struct pollfd input = { 0, POLLIN, 0 };
		struct __kernel_timespec tick = { 0, (permits > 1 ? SICK_TICK_MS : TICK_MS) * 1000000 };

		i64 ready = sys(__NR_ppoll, &input, 1, jobs ? &tick : 0, 0);

		check_workers();
		if (ready > 0)
			take_request();
		now = now_ms();
		watch(now, before);
	}
}

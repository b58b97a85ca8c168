/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Two iterators: `tasks` writes a record for each selected task, with the addresses of its kernel stack; `symbols` prints addresses as
 * /proc/PID/stack does. Neither takes a lock that a task could hold for long. Needs Linux 5.11. src/sources/bpf/records.ts reads what they write. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"

enum {
	MOST_FRAMES = 64,   /* MAX_STACK_TRACE_DEPTH of fs/proc/base.c */
	MOST_PIDS = 4096,   /* that can be asked for by number */
	MOST_SYMBOLS = 4096, /* that are resolved at a time */
	NAME_BYTES = 16,    /* TASK_COMM_LEN */
	FULL_NAME_BYTES = 40,
	DESCRIPTION_BYTES = 24, /* WORKER_DESC_LEN */
	PID_BITS = 1 << 22, /* PID_MAX_LIMIT of 64-bit kernels */
};

/* What is wanted. The order of the fields is that of src/sources/bpf/records.ts. */
struct request {
	__u32 all;          /* of any number and state */
	__u32 states;       /* a bit for each place in STATES */
	__u32 asked;        /* there are some in `pids` */
	__u32 threads;      /* every thread, not only the main one of each process */
	__u64 known_before; /* the reader knows the stacks of tasks that got no CPU since then, by the scheduler's clock */
	__u64 name[NAME_BYTES / 8];      /* the bytes wanted of a name, where the mask has bits */
	__u64 name_mask[NAME_BYTES / 8];
};

struct record {
	__u32 bytes; /* of this record with what follows it: a struct kernel_name, of kernel threads, and the addresses */
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
	__u32 mmap_owner;   /* TID of the thread that holds the process's mmap lock for writing; ~0: held, and not known by whom; 0: not held */
	__u32 vfork_parent; /* TID of the thread that waits for this vfork child */
	__u32 tracer;       /* TID */
	__u32 switches;     /* how many times it has left a CPU, modulo 2^32 */
	__s32 frames;       /* how many addresses follow, a negative errno, or NOT_UNWOUND, with which no uid and no kernel name are told either */
	__u32 padding;
	__u64 name[NAME_BYTES / 8];
};

enum { NOT_UNWOUND = -4096 };

/* Of a kernel thread. */
struct kernel_name {
	char full[FULL_NAME_BYTES];          /* where it is longer than 15 bytes; else empty */
	char description[DESCRIPTION_BYTES]; /* of a worker of a workqueue: what it does or did last */
	__u32 at_work;
	__u32 padding;
};

enum { LOCK_NONE, LOCK_MUTEX, LOCK_SEMAPHORE, LOCK_RWSEM_READER, LOCK_RWSEM_WRITER };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct request);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MOST_PIDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} pids SEC(".maps");

/* What the values of `pids` say. */
enum {
	ASKED = 1,  /* by number */
	UNWIND = 2, /* its stack may have changed, whatever the time of its last arrival: it was on a CPU */
};

/* A bit for each process that was looked at: what /proc lists beyond is hidden from programs like this one, and must be read there. */
struct seen {
	__u64 words[PID_BITS / 64];
	__u32 tasks; /* how many it came by, of all numbers and states */
	__u32 last;  /* the TID of the last one: the kernel comes by a task again when its record did not fit */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seen);
} seen SEC(".maps");

struct scratch {
	struct record record;
	struct kernel_name kernel_name;
	__u64 addresses[MOST_FRAMES];
	/* When the reader of the iterator last got a CPU by the scheduler's clock, and when that was noticed by the monotonic one. */
	__u64 reader_arrival;
	__u64 reader_arrival_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_SYMBOLS);
	__type(key, __u32);
	__type(value, __u64);
} symbols_wanted SEC(".maps");

/* include/linux/sched.h */
enum {
	TASK_INTERRUPTIBLE = 1,
	TASK_UNINTERRUPTIBLE = 2,
	TASK_REPORT = 0x7f,
	TASK_NOLOAD = 0x400,
	TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD,
	TASK_RTLOCK_WAIT = 0x1000,
	TASK_FROZEN = 0x8000,
	/* Places in STATES: R S D I T t Z X P */
	PLACE_D = 2,
	PLACE_I = 3,
	PF_WQ_WORKER = 0x20,
	PF_KTHREAD = 0x00200000,
};

/* task_state_index and task_index_to_char: the letter is that of the highest bit, in the kernel's order R S D T t X Z P I. */
static __u32 place_of_state(struct task_struct *task)
{
	__u32 state;

	if (bpf_core_field_exists(task->__state))
		state = task->__state;
	else
		state = task->state;
	if ((state & TASK_IDLE) == TASK_IDLE)
		return PLACE_I;
	if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return PLACE_D;
	state = (state | task->exit_state) & TASK_REPORT;
	if (state & 0x40)
		return 8; /* P */
	if (state & 0x20)
		return 6; /* Z */
	if (state & 0x10)
		return 7; /* X */
	if (state & 0x08)
		return 5; /* t */
	if (state & 0x04)
		return 4; /* T */
	if (state & TASK_UNINTERRUPTIBLE)
		return PLACE_D;
	return state & TASK_INTERRUPTIBLE ? 1 : 0;
}

static int tid_of(__u64 task)
{
	int tid = 0;

	if (task == 0)
		return 0;
	bpf_probe_read_kernel(&tid, sizeof tid, &((struct task_struct *)task)->pid);
	return tid;
}

/* The task that a lock notes as its owner; the lowest bits of the word are flags. */
static int owner_at(__u64 address, __u64 flags)
{
	__u64 owner = 0;

	bpf_probe_read_kernel(&owner, sizeof owner, (void *)address);
	return tid_of(owner & ~flags);
}

/* Bytes from an rw-semaphore to its owner: seen where each process has one, so that no other type need be looked for. */
#define RWSEM_OWNER (bpf_core_field_offset(struct mm_struct, mmap_lock.owner) - bpf_core_field_offset(struct mm_struct, mmap_lock))

/* What the kernel notes of the lock that a task sleeps for (include/linux/hung_task.h): the address, and in its lowest two bits the kind. With PREEMPT_RT, which has
 * no count in its rw-semaphores, all locks are others, and their owners are not read. */
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
			record->lock_owner = owner_at(record->lock + bpf_core_field_offset(struct semaphore, last_holder), 0);
		break;
	default: /* BLOCKER_TYPE_RWSEM_READER, _WRITER; a flag says that the owner reads, another is a hint (kernel/locking/rwsem.c) */
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

/* The scheduler notes when a task got a CPU, by a clock that programs cannot ask (kernel/sched/stats.h, sched_info_arrive). The reader of this iterator has just got one, and tells
 * what time it is there. What is found includes the task's last stretch on the CPU, which is short for one that waits. */
static void read_off_cpu(struct scratch *scratch, struct task_struct *task)
{
	struct task_struct *reader = bpf_get_current_task_btf();
	struct record *record = &scratch->record;
	__u64 arrival, now;

	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return;
	record->arrival_ns = task->sched_info.last_arrival;
	if (task->on_cpu)
		return;
	now = bpf_ktime_get_ns();
	arrival = reader->sched_info.last_arrival;
	if (arrival != scratch->reader_arrival) {
		scratch->reader_arrival = arrival;
		scratch->reader_arrival_ns = now;
	}
	now = arrival + (now - scratch->reader_arrival_ns);
	if (record->arrival_ns != 0 && now > record->arrival_ns)
		record->off_cpu_ns = now - record->arrival_ns;
}

/* What /proc/PID/stat shows for the name of a kernel thread (fs/proc/array.c, proc_task_name; kernel/workqueue.c, wq_worker_comm). */
static void read_kernel_name(struct kernel_name *name, struct task_struct *task)
{
	struct kthread *kthread;
	struct worker *worker = 0;
	char *full = 0;
	void *work = 0;

	if (bpf_core_field_exists(task->worker_private))
		kthread = BPF_CORE_READ(task, worker_private);
	else
		kthread = (struct kthread *)BPF_CORE_READ(task, set_child_tid);
	if (!kthread)
		return;
	if (bpf_core_field_exists(kthread->full_name)) {
		bpf_probe_read_kernel(&full, sizeof full, &kthread->full_name);
		if (full)
			bpf_probe_read_kernel_str(name->full, sizeof name->full, full);
	}
	if (!(task->flags & PF_WQ_WORKER))
		return;
	bpf_probe_read_kernel(&worker, sizeof worker, &kthread->data);
	if (!worker)
		return;
	bpf_probe_read_kernel(&work, sizeof work, &worker->current_work);
	name->at_work = work != 0;
	bpf_probe_read_kernel_str(name->description, sizeof name->description, worker->desc);
}

/* What the reader said of a task that is known by number. */
static __u32 said_of(struct request *request, __u32 number)
{
	__u8 *said = request->asked ? bpf_map_lookup_elem(&pids, &number) : 0;

	return said ? *said : 0;
}

static int is_selected(struct request *request, __u32 tid, __u32 pid, __u32 place)
{
	if (request->all || (request->states & (1U << place)))
		/* A thread asked for by its number stands for itself. */
		return tid == pid || request->threads || (said_of(request, tid) & ASKED);
	return (said_of(request, tid) & ASKED) || (request->threads && (said_of(request, pid) & ASKED));
}

/* Whether the reader knows the stack: the task has not been on a CPU since it was unwound before. The reader compares how often it has left one, to be sure. */
static int is_known(struct request *request, struct record *record, struct task_struct *task)
{
	return record->arrival_ns != 0 && record->arrival_ns < request->known_before && !task->on_cpu && !(said_of(request, record->tid) & UNWIND);
}

/* Pointers in a task are read by BPF_CORE_READ though the verifier would let them be followed: for each it would search all names of the kernel's types. */
SEC("iter/task")
int tasks(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct request *request;
	struct scratch *scratch;
	struct record *record;
	struct seen *looked_at;
	__u32 zero = 0, tid, pid, place, named;
	long stack;

	if (!task)
		return 0;
	request = bpf_map_lookup_elem(&requests, &zero);
	looked_at = bpf_map_lookup_elem(&seen, &zero);
	if (!request || !looked_at)
		return 0;
	tid = task->pid;
	pid = task->tgid;
	if (looked_at->last != tid) {
		looked_at->last = tid;
		looked_at->tasks++;
	}
	if (tid == pid) {
		__u32 word = (pid / 64) & (PID_BITS / 64 - 1);

		asm volatile("%[word] &= %[last]" : [word] "+r"(word) : [last] "i"(PID_BITS / 64 - 1)); /* for the verifier, which has forgotten it */
		looked_at->words[word] |= 1ULL << (pid % 64);
	}
	place = place_of_state(task);
	if (!is_selected(request, tid, pid, place))
		return 0;
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	if (!scratch)
		return 0;
	record = &scratch->record;
	__builtin_memset(record, 0, sizeof *record);
	bpf_probe_read_kernel(record->name, sizeof record->name, task->comm);
	/* The name shown of a kernel thread may go on: it is decided on where it is put together. */
	if (!(task->flags & PF_KTHREAD) && ((record->name[0] & request->name_mask[0]) != request->name[0] ||
					    (record->name[1] & request->name_mask[1]) != request->name[1]))
		return 0;
	record->tid = tid;
	record->pid = pid;
	record->state = place;
	record->ppid = BPF_CORE_READ(task, real_parent, tgid);
	record->task_flags = task->flags;
	record->start_ns = task->start_boottime;
	if (bpf_core_field_exists(task->thread_info.cpu))
		record->cpu = task->thread_info.cpu;
	else if (bpf_core_field_exists(task->cpu))
		record->cpu = task->cpu;
	/* Whether it is on a CPU is read before how often it has left one, and that before its stack: so if both are the same later, it was on none in between. */
	read_off_cpu(scratch, task);
	record->switches = task->nvcsw + task->nivcsw;
	read_lock(record, task);
	read_mmap_lock(record, task);
	if (!(task->flags & PF_KTHREAD) && BPF_CORE_READ(task, vfork_done)) /* kernel threads use the field otherwise */
		record->vfork_parent = BPF_CORE_READ(task, real_parent, pid);
	if (task->ptrace)
		record->tracer = BPF_CORE_READ(task, parent, pid);
	if (is_known(request, record, task)) {
		record->frames = NOT_UNWOUND;
		record->bytes = sizeof *record;
		bpf_seq_write(seq, record, sizeof *record);
		return 0;
	}
	record->uid = BPF_CORE_READ(task, real_cred, euid.val);
	named = 0;
	if (task->flags & PF_KTHREAD) {
		named = sizeof scratch->kernel_name;
		__builtin_memset(&scratch->kernel_name, 0, sizeof scratch->kernel_name);
		read_kernel_name(&scratch->kernel_name, task);
	}
	stack = bpf_get_task_stack(task, scratch->addresses, sizeof scratch->addresses, 0);
	if (stack < 0) {
		record->frames = stack;
		stack = 0;
	} else {
		if (stack > sizeof scratch->addresses)
			stack = sizeof scratch->addresses;
		record->frames = stack / sizeof(__u64);
	}
	record->bytes = sizeof *record + named + stack;
	/* Record and name lie behind each other: one write. */
	bpf_seq_write(seq, record, sizeof *record + named);
	bpf_seq_write(seq, scratch->addresses, stack & 0x3ff);
	return 0;
}

SEC("iter/bpf_map_elem")
int symbols(struct bpf_iter__bpf_map_elem *context)
{
	__u64 format = 0x0a427025; /* "%pB\n"; as a string it would be a map more */
	__u64 *address = context->value;

	if (!address || *address == 0)
		return 0;
	bpf_seq_printf(context->meta->seq, (char *)&format, 5, address, sizeof *address);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

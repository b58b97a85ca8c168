/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Writes a record for each selected task, with the addresses of its kernel stack. Takes no lock that a task could
 * hold for long. Needs Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "records.h"
#include "state.h"
#include "task.h"
#include "locks.h"
#include "kernel-names.h"

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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seen);
} seen SEC(".maps");

enum { SIZE_OF_UPID = 16 };

struct scratch {
	struct record record;
	struct kernel_name kernel_name;
	__u64 addresses[MOST_FRAMES];
	/* When the iterator's reader last got a CPU, by the scheduler's clock, and when the program noticed, by the
	 * monotonic clock. */
	__u64 reader_arrival;
	__u64 reader_arrival_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* The scheduler records when a task got a CPU, by a clock that programs cannot read (kernel/sched/stats.h,
 * sched_info_arrive). The iterator's reader has just got a CPU, so its arrival is the present time of that clock.
 * The result includes the task's last stretch on the CPU, which is short for a task that waits. */
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

/* The process's PID in its own PID namespace; 0 in the initial one (include/linux/pid.h, task_tgid_vnr). */
static __u32 namespace_pid_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = 0, number = 0;

	if (!pid)
		return 0;
	bpf_probe_read_kernel(&level, sizeof level, &pid->level);
	if (level == 0)
		return 0;
	bpf_probe_read_kernel(&number, sizeof number, (void *)&pid->numbers + level * SIZE_OF_UPID);
	return number;
}

/* The flags that the reader has set for a TID or PID. */
static __u32 requested_for(struct request *request, __u32 number)
{
	__u8 *flags = request->asked ? bpf_map_lookup_elem(&pids, &number) : 0;

	return flags ? *flags : 0;
}

static int is_selected(struct request *request, __u32 tid, __u32 pid, __u32 place)
{
	if (request->all || (request->states & (1U << place)))
		/* A thread requested by its number counts even without `threads`. */
		return tid == pid || request->threads || (requested_for(request, tid) & ASKED);
	return (requested_for(request, tid) & ASKED) || (request->threads && (requested_for(request, pid) & ASKED));
}

/* Whether the reader knows the stack, because the task has not been on a CPU since it was last unwound. The reader
 * also compares `switches`, to be sure. */
static int is_known(struct request *request, struct record *record, struct task_struct *task)
{
	return record->arrival_ns != 0 && record->arrival_ns < request->known_before && !task->on_cpu &&
	       !(requested_for(request, record->tid) & UNWIND);
}

/* A constant once CO-RE relocations are resolved. */
#define FACTS \
	((bpf_core_field_exists(((struct task_struct *)0)->sched_info.last_arrival) ? FACT_OFF_CPU : 0) | \
	 (bpf_core_field_exists(((struct task_struct *)0)->blocker) ? FACT_LOCKS : 0) | \
	 (bpf_core_field_exists(((struct mm_struct *)0)->mmap_lock.count) ? FACT_MMAP_LOCK : 0))

/* Pointers in a task are read with BPF_CORE_READ although the verifier would allow following them: for each one it
 * would search all names of the kernel's types. */
SEC("iter/task")
int tasks(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct request *request;
	struct scratch *scratch;
	struct record *record;
	struct seen *visited;
	__u32 zero = 0, tid, pid, place, named;
	long stack;

	if (!task)
		return 0;
	request = bpf_map_lookup_elem(&requests, &zero);
	visited = bpf_map_lookup_elem(&seen, &zero);
	if (!request || !visited)
		return 0;
	tid = task->pid;
	pid = task->tgid;
	visited->facts = FACTS;
	if (visited->last != tid) {
		visited->last = tid;
		visited->tasks++;
	}
	if (tid == pid) {
		__u32 word = (pid / 64) & (PID_BITS / 64 - 1);

		/* the verifier has lost track of the bound */
		asm volatile("%[word] &= %[last]" : [word] "+r"(word) : [last] "i"(PID_BITS / 64 - 1));
		visited->words[word] |= 1ULL << (pid % 64);
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
	/* The reader decides on kernel threads, whose shown name may be longer. */
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
	read_off_cpu(scratch, task);
	record->switches = switches_of(task);
	read_lock(record, task);
	read_mmap_lock(record, task);
	/* kernel threads use vfork_done for something else */
	if (!(task->flags & PF_KTHREAD) && BPF_CORE_READ(task, vfork_done))
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
	record->namespace_pid = namespace_pid_of(task);
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
	/* Record and name are adjacent: one write. */
	bpf_seq_write(seq, record, sizeof *record + named);
	bpf_seq_write(seq, scratch->addresses, stack & 0x3ff);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

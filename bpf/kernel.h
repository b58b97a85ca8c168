/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The kernel types that kstack's programs read. Offsets come from the running kernel (CO-RE): only the names count.
 * Fields that a kernel may lack are checked with bpf_core_field_exists first. A copy of all types (vmlinux.h) would
 * be three megabytes for these few. There are no more types than needed, because libbpf searches all of the
 * kernel's types for each one named here, which takes a millisecond. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/cred.h */
typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

/* include/linux/types.h */
typedef struct {
	__s64 counter;
} atomic_long_t;

struct list_head {
	struct list_head *next;
};

/* include/linux/mutex.h; kernels with PREEMPT_RT have neither field. */
struct mutex {
	atomic_long_t owner;
	struct list_head wait_list;
};

/* include/linux/rwsem.h; kernels with PREEMPT_RT have none of these. */
struct rw_semaphore {
	atomic_long_t count;
	atomic_long_t owner;
	struct list_head wait_list;
};

/* include/linux/semaphore.h */
struct semaphore {
	unsigned int count;
	struct list_head wait_list;
	unsigned long last_holder; /* since 6.16 with CONFIG_DETECT_HUNG_TASK_BLOCKER */
};

/* include/linux/mm_types.h; mmap_sem before 5.8 */
struct mm_struct {
	struct rw_semaphore mmap_lock;
};

/* With CONFIG_SCHED_INFO */
struct sched_info {
	__u64 last_arrival;
};

struct thread_info {
	__u32 cpu;
};

/* arch/x86/include/asm/processor.h has the first, arch/arm64/include/asm/processor.h the second. */
struct cpu_context {
	unsigned long sp;
};

struct thread_struct {
	unsigned long sp;
	struct cpu_context cpu_context;
};

struct completion;

/* kernel/kthread.c; full_name since 5.17 */
struct kthread {
	void *data;
	char *full_name;
};

/* kernel/workqueue_internal.h */
struct work_struct;
struct worker_pool;
struct pool_workqueue;

struct worker {
	struct work_struct *current_work;
	struct pool_workqueue *current_pwq;
	unsigned int current_color; /* since 5.15 */
	struct list_head scheduled;
	struct worker_pool *pool;
	char desc[24]; /* 32 in newer kernels */
};

/* kernel/workqueue.c; `disable` since 6.10 */
struct work_offq_data {
	__u32 disable;
};

/* include/linux/pid.h; an element of `numbers` is a struct upid, of 16 bytes */
struct pid {
	unsigned int level;
	struct {
		int nr;
	} numbers[1];
};

/* include/linux/sched.h */
struct task_struct {
	struct thread_info thread_info; /* where CONFIG_THREAD_INFO_IN_TASK has it hold the CPU, since 5.16 */
	unsigned int __state;           /* since 5.14 */
	volatile long state;            /* before */
	void *stack;
	unsigned int cpu;               /* before 5.16 */
	unsigned int flags;
	unsigned int ptrace;
	int on_cpu;
	int exit_state;
	int pid;
	int tgid;
	unsigned long nvcsw;
	unsigned long nivcsw;
	struct sched_info sched_info;
	struct mm_struct *mm;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct completion *vfork_done;
	__u64 start_boottime; /* real_start_time before 5.5 */
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	int *set_child_tid;   /* before 5.17: the struct kthread of a kernel thread */
	void *worker_private; /* since 5.17: the struct kthread of a kernel thread */
	unsigned long blocker; /* since 6.16 with CONFIG_DETECT_HUNG_TASK_BLOCKER */
	void *journal_info;
	struct thread_struct thread;
};

#pragma clang attribute pop

/* include/linux/bpf.h: the context of an iterator's program, an interface with fixed offsets */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

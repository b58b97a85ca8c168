/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the kernel keeps of its own threads. */
#pragma once

/* Flags of tasks (include/linux/sched.h). */
enum {
	PF_WQ_WORKER = 0x20,
	PF_KTHREAD = 0x00200000,
};

/* Of a kernel thread. */
static struct kthread *kthread_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->worker_private))
		return BPF_CORE_READ(task, worker_private);
	return (struct kthread *)BPF_CORE_READ(task, set_child_tid);
}

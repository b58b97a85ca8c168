/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What several programs read of a task. */
#pragma once

/* 0 if the address is none of the kernel's. */
static inline __u32 tid_of(__u64 task)
{
	__u32 tid = 0;

	if ((__s64)task < 0)
		bpf_probe_read_kernel(&tid, sizeof tid, &((struct task_struct *)task)->pid);
	return tid;
}

/* How many times a task has left a CPU, modulo 2^32. The order matters: on_cpu first, then this, then the stack. So if
 * both are the same later, the task was not on a CPU in between. */
static inline __u32 switches_of(struct task_struct *task)
{
	return task->nvcsw + task->nivcsw;
}

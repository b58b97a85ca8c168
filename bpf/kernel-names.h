/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Names of kernel threads. */
#pragma once
#include "kthread.h"

/* Reads the name of a kernel thread as /proc/PID/stat shows it (fs/proc/array.c, proc_task_name; kernel/workqueue.c,
 * wq_worker_comm). Since 5.17 a thread has a full name, but a worker's is shown only since 6.10 (commit
 * 2a1b02bcba78). */
static void read_kernel_name(struct kernel_name *name, struct task_struct *task)
{
	struct kthread *kthread = kthread_of(task);
	struct worker *worker = 0;
	char *full = 0;
	void *work = 0, *pool = 0;
	int is_worker = (task->flags & PF_WQ_WORKER) != 0;

	if (!kthread)
		return;
	/* work_offq_data.disable came with the same version, so it tells whether workers show theirs. */
	if (bpf_core_field_exists(kthread->full_name) &&
	    (!is_worker || bpf_core_field_exists(struct work_offq_data, disable))) {
		bpf_probe_read_kernel(&full, sizeof full, &kthread->full_name);
		if (full)
			bpf_probe_read_kernel_str(name->full, sizeof name->full, full);
	}
	if (!is_worker)
		return;
	bpf_probe_read_kernel(&worker, sizeof worker, &kthread->data);
	if (!worker)
		return;
	/* A rescuer belongs to a pool only while it helps out. */
	bpf_probe_read_kernel(&pool, sizeof pool, &worker->pool);
	if (!pool)
		return;
	bpf_probe_read_kernel(&work, sizeof work, &worker->current_work);
	name->at_work = work != 0;
	bpf_probe_read_kernel_str(name->description, sizeof name->description, worker->desc);
}

/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Prints addresses as /proc/PID/stack does, a batch per visited task. Needs Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "kernel.h"
#include "symbols.h"

struct batch {
	__u64 addresses[TASK_BATCH];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TASK_BATCHES);
	__type(key, __u32);
	__type(value, struct batch);
} batches SEC(".maps");

/* The task's sequence number selects its batch. The number does not change if the kernel visits a task again because
 * its lines did not fit (kernel/bpf/bpf_iter.c, bpf_seq_read). */
SEC("iter/task")
int symbols_tasks(struct bpf_iter__task *context)
{
	__u64 format = 0x0a427025; /* "%pB\n"; as a string it would be a map more */
	struct bpf_iter_meta *meta = context->meta;
	struct seq_file *seq = meta->seq;
	__u32 number = meta->seq_num, i;
	struct batch *batch;

	if (!context->task)
		return 0;
	batch = bpf_map_lookup_elem(&batches, &number);
	if (!batch)
		return 0;
	for (i = 0; i < TASK_BATCH; i++) {
		if (batch->addresses[i] == 0)
			return 0;
		bpf_seq_printf(seq, (char *)&format, 5, &batch->addresses[i], sizeof batch->addresses[i]);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* How many addresses are resolved at a time: src/sources/bpf/symbol-programs.ts has the same numbers. */
#pragma once

enum {
	LINE_BYTES = 512,   /* what the kernel prints of a symbol at most (lib/vsprintf.c, by kernel/trace/bpf_trace.c) */
	RUN_BATCH = 32,     /* of 64 the verifier takes 0.7 ms, of 32 half of that */
	TASK_BATCH = 32,    /* for each task: the longest lines fit into what the kernel keeps for one, 32 KiB */
	TASK_BATCHES = 128,
};

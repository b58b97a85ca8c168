/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Sizes of batches. src/sources/live/bpf/symbol-programs.ts has the same numbers. */
#pragma once

enum {
	LINE_BYTES = 512,   /* the longest symbol that the kernel prints (lib/vsprintf.c, kernel/trace/bpf_trace.c) */
	RUN_BATCH = 32,     /* verification takes 0.7 ms with 64, half of that with 32 */
	TASK_BATCH = 32,    /* per task: even the longest lines fit into the kernel's buffer of 32 KiB */
	TASK_BATCHES = 128,
};

/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Reads what a task that sleeps has on its kernel stack. */
#pragma once

enum {
	WINDOW_WORDS = 256, /* what sleeps is among the innermost frames */
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
	MOST_STACK_BYTES = 1 << 16, /* THREAD_SIZE with the largest pages */
	MOST_CANDIDATES = 8,
};

/* The innermost words of a task's stack, and which of them may belong to what is looked for. In memory: the verifier
 * would follow each value of a variable on its own. */
struct window {
	__u64 task;
	__u32 count;
	__u32 candidates[MOST_CANDIDATES];
	__u64 words[PAGE_WORDS + WINDOW_WORDS];
};

/* No program uses all of these. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-function"

static __u64 word_at(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof word, (void *)address);
	return word;
}

/* The stack pointer of a task that is not on a CPU. */
static __u64 stack_pointer_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->thread.sp))
		return BPF_CORE_READ(task, thread.sp);
	if (bpf_core_field_exists(task->thread.cpu_context.sp))
		return BPF_CORE_READ(task, thread.cpu_context.sp);
	return 0;
}

/* Reads at least WINDOW_WORDS words. Up to the end of its page first: the stack may end
 * there, and then there is nothing to read behind it. Without a branch, which would double the verifier's work. */
static void read_words(void *words, __u64 pointer)
{
	__u64 bytes = PAGE_BYTES - (pointer & (PAGE_BYTES - 1));

	bpf_probe_read_kernel(words, bytes, (void *)pointer);
	bpf_probe_read_kernel(words + bytes, WINDOW_WORDS * sizeof(__u64), (void *)(pointer + bytes));
}

/* The indexes of words that are the task's address, and from `first` to `last` words behind which (before, if negative)
 * only addresses stand; the last entry is none. Without a branch, and counted in memory: the verifier would follow each
 * branch and each count on its own. */
static __always_inline void find_candidates(struct window *window, int first, int last)
{
	volatile __u32 *count = &window->count;
	/* read back as a number: the verifier takes no calculation with a pointer */
	__u64 task = *(volatile __u64 *)&window->task, differs, fits;
	int i, j;

	*count = 0;
	for (i = first < 0 ? -first : 0; i < WINDOW_WORDS - (last < 0 ? 0 : last); i++) {
		differs = window->words[i] ^ task;
		fits = ~(differs | -differs);
#pragma unroll
		for (j = first; j <= last; j++)
			fits &= window->words[i + j];
		window->candidates[*count % MOST_CANDIDATES] = i;
		*count += fits >> 63;
	}
}

/* Whether a list's neighbours of this element lead back to it. */
static int is_linked(__u64 element, __u64 next, __u64 previous)
{
	return (__s64)next < 0 && (__s64)previous < 0 && word_at(next + sizeof(__u64)) == element &&
	       word_at(previous) == element;
}

/* Whether an address lies on the kernel stack of the task that this address may belong to. */
static int is_on_stack_of(__u64 address, __u64 task)
{
	__u64 stack = 0;

	if ((__s64)task >= 0)
		return 0;
	bpf_probe_read_kernel(&stack, sizeof stack, &((struct task_struct *)task)->stack);
	return stack != 0 && address - stack < MOST_STACK_BYTES;
}

#pragma clang diagnostic pop

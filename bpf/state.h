/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The state of a task, as the kernel names it. */
#pragma once

/* include/linux/sched.h */
enum {
	TASK_INTERRUPTIBLE = 1,
	TASK_UNINTERRUPTIBLE = 2,
	TASK_REPORT = 0x7f,
	TASK_NOLOAD = 0x400,
	TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD,
	TASK_RTLOCK_WAIT = 0x1000,
	TASK_FROZEN = 0x8000,
	/* Indexes of STATES: R S D I T t Z X P */
	PLACE_D = 2,
	PLACE_I = 3,
};

/* As task_state_index and task_index_to_char: the highest bit decides, and the kernel's order is R S D T t X Z P
 * I. */
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

/* SPDX-License-Identifier: MIT */
/* System calls and start code. Without a C library the reader is a static program of a few kilobytes that starts in
 * half a millisecond and needs nothing on the host. */
#pragma once
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/types.h>

typedef __s64 i64;
typedef __u64 u64;
typedef __u32 u32;

#define SIGKILL 9
#define SIGPIPE 13
#define SIGCHLD 17
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x4022 /* and MAP_NORESERVE: most of it is never touched */
#define CLOCK_MONOTONIC 1
#define PR_SET_PDEATHSIG 1
#define PR_SET_NAME 15
#define POLLIN 1

struct pollfd {
	int fd;
	short events, revents;
};

/* Returns the kernel's result: a negative errno if the call fails. */
static inline i64 call6(long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
#if defined __x86_64__
	i64 result;
	register u64 r10 asm("r10") = d;
	register u64 r8 asm("r8") = e;
	register u64 r9 asm("r9") = f;

	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
#elif defined __aarch64__
	register u64 x0 asm("x0") = a;
	register u64 x1 asm("x1") = b;
	register u64 x2 asm("x2") = c;
	register u64 x3 asm("x3") = d;
	register u64 x4 asm("x4") = e;
	register u64 x5 asm("x5") = f;
	register u64 x8 asm("x8") = number;

	asm volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory");
	return x0;
#endif
}

#define sys(number, a, b, c, d) call6(number, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)

/*
 * Starts a process that shares this one's memory and descriptors but can be killed alone (clone(2) without
 * CLONE_THREAD). It calls run(argument) on the stack that ends at `top`; run must not return. The kernel sets *tid to
 * the new PID, and to 0 when the process has ended.
 */
i64 start_process(void *top, int *tid, void (*run)(void *), void *argument);

/* CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD */
_Static_assert(0x300711 == (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD),
	       "SHARED");

#if defined __x86_64__
asm(".globl start_process\n"
    "start_process:\n"
    "	mov %rdx, %r8\n"     /* run */
    "	mov %rcx, %r9\n"     /* argument */
    "	mov %rsi, %rdx\n"    /* parent_tid */
    "	mov %rsi, %r10\n"    /* child_tid */
    "	mov %rdi, %rsi\n"    /* stack */
    "	mov $0x300711, %edi\n" /* SHARED */
    "	mov $56, %eax\n"
    "	syscall\n"
    "	test %rax, %rax\n"
    "	jnz 1f\n"
    "	xor %ebp, %ebp\n"
    "	mov %r9, %rdi\n"
    "	call *%r8\n"
    "1:	ret\n"
    ".globl _start\n"
    "_start:\n"
    "	xor %ebp, %ebp\n"
    "	mov %rsp, %rdi\n"
    "	and $-16, %rsp\n"
    "	call begin\n");
#elif defined __aarch64__
asm(".globl start_process\n"
    "start_process:\n"
    "	mov x6, x2\n"        /* run */
    "	mov x7, x3\n"        /* argument */
    "	mov x2, x1\n"        /* parent_tid */
    "	mov x4, x1\n"        /* child_tid; x3 is the thread pointer, not set */
    "	mov x1, x0\n"        /* stack */
    "	movz x0, #0x711\n"  /* SHARED */
    "	movk x0, #0x30, lsl #16\n"
    "	mov x8, #220\n"
    "	svc 0\n"
    "	cbnz x0, 1f\n"
    "	mov x29, #0\n"
    "	mov x0, x7\n"
    "	blr x6\n"
    "1:	ret\n"
    ".globl _start\n"
    "_start:\n"
    "	mov x29, #0\n"
    "	mov x30, #0\n"
    "	mov x0, sp\n"
    "	and x1, x0, #-16\n"
    "	mov sp, x1\n"
    "	bl begin\n");
#endif

/* The compiler emits calls to these. */
void *memcpy(void *to, const void *from, unsigned long bytes)
{
	char *t = to;
	const char *f = from;

	while (bytes--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, unsigned long bytes)
{
	char *t = to;

	while (bytes--)
		*t++ = value;
	return to;
}

static inline i64 now_ms(void)
{
	struct __kernel_timespec time;

	sys(__NR_clock_gettime, CLOCK_MONOTONIC, &time, 0, 0);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static inline void *allocate(u64 bytes)
{
	i64 at = call6(__NR_mmap, 0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);

	return at < 0 && at > -4096 ? 0 : (void *)at;
}

/* A futex lock: 0 free, 1 taken, 2 taken with waiters. */
static inline void take_lock(u32 *lock)
{
	u32 free = 0;

	if (__atomic_compare_exchange_n(lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
		sys(__NR_futex, lock, FUTEX_WAIT, 2, 0);
}

static inline void free_lock(u32 *lock)
{
	if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
		sys(__NR_futex, lock, FUTEX_WAKE, 1, 0);
}

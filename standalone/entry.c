/*
 * Runs in the executable before its runtime (Bun): add-entry.mjs appends it to the file and points the ELF
 * header's entry at it. Only the dynamic linker has run before. It removes the runtime's settings from the environment,
 * reports conditions on which the runtime would only crash, and jumps to the runtime's own entry with registers and
 * stack as the kernel left them (System V ABI: process initialization).
 *
 * Compiled to position-independent code without a linker, so there are no libraries, no variables, and no strings
 * except in the table below.
 */
#define ALWAYS static inline __attribute__((always_inline))
#define NULL ((void *)0)

/* The table behind the code. */
struct table {
  /* Written by add-entry.mjs: */
  unsigned long runtime; /* the address of the runtime's entry */
  unsigned long reader, reader_bytes; /* the reader's program, from the table on */
  char text[];           /* messages and names, each ends with NUL; an empty one ends the names */
};

#if defined(__x86_64__)
enum {
  OPENAT = 257, FCNTL = 72, WRITE = 1, EXIT_GROUP = 231, FACCESSAT = 269, GETCWD = 79, CHDIR = 80, MMAP = 9,
  CLONE = 56, FUTEX = 202, SIGACTION = 13, PRLIMIT = 302, READ = 0, CLOSE = 3, PIPE2 = 293, DUP3 = 292, WAIT4 = 61,
  MEMFD_CREATE = 319, EXECVEAT = 322, READLINKAT = 267, UNAME = 63
};
ALWAYS long call6(long n, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  long r;
  __asm__ volatile("syscall"
                   : "=a"(r)
                   : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return r;
}
/* Starts a thread that waits until *gate is not 0, then exits. It makes no use of its stack. */
ALWAYS long begin_thread(long flags, void *stack, int *tid, int *gate) {
  register int *r10 __asm__("r10") = tid;
  register long r8 __asm__("r8") = 0;
  register int *r9 __asm__("r9") = gate;
  long r;
  __asm__ volatile("syscall\n test %%rax,%%rax\n jnz 2f\n"
                   "1: mov $202,%%eax\n mov %%r9,%%rdi\n mov $128,%%esi\n"
                   " xor %%edx,%%edx\n xor %%r10d,%%r10d\n syscall\n"
                   " cmpl $0,(%%r9)\n je 1b\n mov $60,%%eax\n xor %%edi,%%edi\n syscall\n hlt\n2:"
                   : "=a"(r)
                   : "0"((long)CLONE), "D"(flags), "S"(stack), "d"(tid), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return r;
}
__asm__(".text\n.globl _start\n_start:\n endbr64\n mov %rsp,%rdi\n lea table(%rip),%rsi\n"
        " push %rdx\n sub $8,%rsp\n call prepare\n add $8,%rsp\n pop %rdx\n"
        " xor %eax,%eax\n jmp *table(%rip)\n");
#elif defined(__aarch64__)
enum {
  OPENAT = 56, FCNTL = 25, WRITE = 64, EXIT_GROUP = 94, FACCESSAT = 48, GETCWD = 17, CHDIR = 49, MMAP = 222,
  CLONE = 220, FUTEX = 98, SIGACTION = 134, PRLIMIT = 261, READ = 63, CLOSE = 57, PIPE2 = 59, DUP3 = 24, WAIT4 = 260,
  MEMFD_CREATE = 279, EXECVEAT = 281, READLINKAT = 78, UNAME = 160
};
ALWAYS long call6(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
ALWAYS long begin_thread(long flags, void *stack, int *tid, int *gate) {
  register long x8 __asm__("x8") = CLONE, x0 __asm__("x0") = flags, x3 __asm__("x3") = 0;
  register void *x1 __asm__("x1") = stack;
  register int *x2 __asm__("x2") = tid, *x4 __asm__("x4") = tid, *x9 __asm__("x9") = gate;
  __asm__ volatile("svc 0\n cbnz x0,2f\n"
                   "1: mov x8,#98\n mov x0,x9\n mov x1,#128\n mov x2,#0\n mov x3,#0\n svc 0\n"
                   " ldr w10,[x9]\n cbz w10,1b\n mov x8,#93\n mov x0,#0\n svc 0\n brk #1\n2:"
                   : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x9) : "x10", "memory");
  return x0;
}
__asm__(".text\n.globl _start\n_start:\n hint #34\n stp x0,x30,[sp,#-16]!\n add x0,sp,#16\n"
        " adr x1,table\n bl prepare\n ldp x0,x30,[sp],#16\n"
        " adr x16,table\n ldr x16,[x16]\n br x16\n");
#endif

/* Messages, paths, and the environment variables to keep: those that kstack, the C library and the dynamic linker
   read. A star matches any rest. All other variables are removed, and with them every setting of the runtime, in this
   version and in later ones. test/standalone.test.ts compares the list with what src/ reads. */
__asm__(".balign 8\ntable: .quad 0, 0, 0\n"
        ".asciz \"kstack: /proc is not mounted here: kstack cannot start without it (mount -t proc proc /proc)\\n\"\n"
        ".asciz \"kstack: no room for the six threads that kstack needs: "
        "see pids.max of the control group, and ulimit -u\\n\"\n"
        ".asciz \"kstack: no room for the files that kstack opens: raise ulimit -n to 16 or more\\n\"\n"
        ".asciz \"kstack: the current folder has been deleted: go to another\\n\"\n"
        ".asciz \"kstack: no room for the memory that kstack maps (most of it is never used): "
        "raise ulimit -v to 3000000 or more\\n\"\n"
        ".asciz \"/proc/self/stat\"\n.asciz \"/proc/self/cwd\"\n.asciz \"/\"\n.asciz \"KSTACK_FOLDER_FD=\"\n"
        ".asciz \"KSTACK_READER=\"\n.asciz \"KSTACK_ROOM=\"\n.asciz \"kstack-reader\"\n.asciz \"/proc\"\n.asciz \"\"\n"
        ".asciz \"why\"\n.asciz \"vLaDRSZIT\"\n.asciz \"--source\"\n.asciz \"KSTACK_SOURCE=\"\n.asciz \"procfs\"\n"
        ".asciz \"auto\"\n.asciz \"/sys/kernel/btf/vmlinux\"\n.asciz \"/proc/self/ns/pid\"\n"
        ".asciz \"pid:[4026531836]\"\n.asciz \"/proc/self/stack\"\n"
        ".asciz \"TZ\"\n.asciz \"TZDIR\"\n.asciz \"TERM\"\n.asciz \"COLORTERM\"\n"
        ".asciz \"COLUMNS\"\n.asciz \"LINES\"\n"
        ".asciz \"NO_COLOR\"\n.asciz \"FORCE_COLOR\"\n"
        ".asciz \"PATH\"\n.asciz \"JOURNAL_STREAM\"\n.asciz \"XDG_RUNTIME_DIR\"\n"
        ".asciz \"SUDO_*\"\n.asciz \"CLICKHOUSE_*\"\n.asciz \"KSTACK_*\"\n.asciz \"LD_*\"\n.asciz \"\"\n.balign 16\n");
enum {
  NO_PROC, NO_THREADS, NO_FILES, NO_FOLDER, NO_MEMORY, PROC_FILE, PROC_FOLDER, ROOT, FOLDER_FD, READER, ROOM,
  READER_NAME, PROC, NOTHING,
  WHY, LETTERS, SOURCE_OPTION, SOURCE_VARIABLE, PROCFS, AUTO, BTF_FILE, NAMESPACE_LINK, NAMESPACE, STACK_FILE, FIRST_NAME
};

#define CALL(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define AT_FDCWD -100L
#define O_PATH 010000000
#if defined(__aarch64__)
#define O_DIRECTORY 040000
#else
#define O_DIRECTORY 0200000
#endif
#define O_CLOEXEC 02000000

ALWAYS const char *text(const struct table *table, int which) {
  const char *at = table->text;
  for (; which > 0; which--) { while (*at++ != 0) ; }
  return at;
}

ALWAYS void fail(const struct table *table, int which) {
  const char *message = text(table, which);
  long length = 0;
  while (message[length] != 0) length++;
  CALL(WRITE, 2, message, length, 0);
  for (;;) CALL(EXIT_GROUP, 1, 0, 0, 0);
}

/* If a standard descriptor were closed, the next opened file would get its number, and messages would go into that
   file. An O_PATH descriptor takes its place: reads and writes fail with EBADF. */
ALWAYS void fill_standard_descriptors(const struct table *table) {
  enum { F_GETFD = 1 };
  for (int fd = 0; fd <= 2; fd++)
    if (CALL(FCNTL, fd, F_GETFD, 0, 0) < 0) CALL(OPENAT, AT_FDCWD, text(table, ROOT), O_PATH | O_DIRECTORY, 0);
}

/* The runtime hangs or aborts if it cannot start a thread. Limits of control groups and users are hard to add up, so
   this starts as many threads as the runtime, kstack and the first workers of its reader need, and ends them again.
   Returns how many there is room for. With fewer, the reader does with fewer workers (src/native/reader/room.ts); for
   more of them, it tries itself whether there is room, as few hosts need them (learn_room in reader/reader.c). */
enum { THREADS = 6, COLLECTORS = 8, READER_PROCESSES = 4, MOST_THREADS = THREADS + COLLECTORS + READER_PROCESSES };

ALWAYS int room_for_threads(void) {
  enum { STACK = 256, WAIT = 0, WAKE_PRIVATE = 129 };
  /* CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, PARENT_SETTID and CHILD_CLEARTID, as for a POSIX thread. */
  enum { FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x100000 | 0x200000 };
  char stacks[MOST_THREADS][STACK] __attribute__((aligned(16)));
  volatile int tids[MOST_THREADS];
  volatile int gate = 0;
  int begun = 0;
  while (begun < MOST_THREADS && begin_thread(FLAGS, stacks[begun] + STACK, (int *)&tids[begun], (int *)&gate) > 0) begun++;
  gate = 1;
  CALL(FUTEX, &gate, WAKE_PRIVATE, MOST_THREADS, 0);
  for (int i = 0; i < begun; i++)
    /* When the thread has ended, the kernel sets the word to 0 and wakes its waiters. */
    for (int tid; (tid = tids[i]) != 0;) CALL(FUTEX, &tids[i], WAIT, tid, NULL);
  return begun;
}

/* Whether a limit (setrlimit(2)) is at least so high, or can be raised. */
ALWAYS int has_room(int resource, unsigned long least) {
  unsigned long limit[2];
  if (CALL(PRLIMIT, 0, resource, NULL, limit) < 0 || limit[0] >= least) return 1;
  limit[0] = limit[1];
  return limit[1] >= least && CALL(PRLIMIT, 0, resource, limit, NULL) == 0;
}

/* The runtime reserves 2.3 GB of addresses as it starts, and crashes if it cannot. */
enum { NOFILE = 7, LEAST_FILES = 8, ADDRESSES = 9 };
#define LEAST_ADDRESSES 2400000000UL

ALWAYS int is_kept(const char *variable, const struct table *table) {
  for (const char *name = text(table, FIRST_NAME); *name != 0;) {
    long i = 0;
    while (name[i] != 0 && name[i] == variable[i]) i++;
    if (name[i] == '*' || (name[i] == 0 && variable[i] == '=')) {
      /* Only the entry sets these. */
      for (int own = FOLDER_FD; own <= ROOM; own++) {
        const char *prefix = text(table, own);
        for (i = 0; prefix[i] != 0 && prefix[i] == variable[i]; i++) ;
        if (prefix[i] == 0) return 0;
      }
      return 1;
    }
    while (*name++ != 0) ;
  }
  return 0;
}

/* The runtime does not start in a folder that has been deleted or lies outside the root. In that case this goes to /
   and returns a descriptor of the folder, so that kstack can return to it; otherwise it returns -1. */
ALWAYS long leave_deleted_folder(const struct table *table) {
  char path[4096];
  if (CALL(GETCWD, path, sizeof path, 0, 0) > 0 && path[0] == '/') return -1;
  long fd = CALL(OPENAT, AT_FDCWD, text(table, PROC_FOLDER), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0 || CALL(CHDIR, text(table, ROOT), 0, 0, 0) < 0) fail(table, NO_FOLDER);
  return fd;
}

/* Writes a number in decimal, without a NUL; returns its end. */
ALWAYS char *put_number(char *to, unsigned long number) {
  char digits[20];
  long count = 0;
  do digits[count++] = '0' + number % 10; while ((number /= 10) > 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

/* A variable of the environment with a number; NULL if there is no memory. */
ALWAYS char *variable_of(const struct table *table, int which, long number) {
  enum { READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22 };
  char *variable = (char *)call6(MMAP, 0, 4096, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
  if ((unsigned long)variable > -4096UL) return NULL;
  char *to = variable;
  for (const char *name = text(table, which); *name != 0;) *to++ = *name++;
  put_number(to, number);
  return variable;
}

/* Runtimes differ in what SIGUSR1 does (Node.js opens a debugger). kstack ignores it, and it must not end a background
   run. SIGXFSZ would end kstack without a word where files may not grow (ulimit -f). */
ALWAYS void ignore_signals(void) {
  enum { SIGUSR1 = 10, SIGXFSZ = 25, IGNORE = 1, SET_BYTES = 8 };
  volatile unsigned long action[4];
  action[0] = IGNORE, action[1] = action[2] = action[3] = 0;
  CALL(SIGACTION, SIGUSR1, action, NULL, SET_BYTES);
  CALL(SIGACTION, SIGXFSZ, action, NULL, SET_BYTES);
}

#include "early-reader.h"

__attribute__((used)) static void prepare(long *stack, const struct table *table) __asm__("prepare");
static void prepare(long *stack, const struct table *table) {
  char **environment = (char **)(stack + stack[0] + 2);
  fill_standard_descriptors(table);
  if (CALL(FACCESSAT, AT_FDCWD, text(table, PROC_FILE), 4, 0) < 0) fail(table, NO_PROC);
  if (!has_room(NOFILE, LEAST_FILES)) fail(table, NO_FILES);
  if (!has_room(ADDRESSES, LEAST_ADDRESSES)) fail(table, NO_MEMORY);
  ignore_signals();
  struct early_scan scan;
  int room = room_for_threads();
  if (room < THREADS) fail(table, NO_THREADS);
  int is_early = room == MOST_THREADS && wants_early(stack, table, &scan);
  long spare = 0;
  char **end = environment;
  for (char **variable = environment; *variable != NULL; variable++)
    if (is_kept(*variable, table)) *end++ = *variable;
    else spare++;
  for (long i = 0; i < spare; i++) end[i] = NULL;
  long folder = leave_deleted_folder(table);
  if (folder >= 0) {
    char *variable = variable_of(table, FOLDER_FD, folder);
    if (spare < 1 || variable == NULL) fail(table, NO_FOLDER);
    *end++ = variable;
    spare--;
  }
  if (spare > 0 && is_early) *end = start_early(table, &scan);
  if (spare > 0 && room < MOST_THREADS) *end = variable_of(table, ROOM, room);
}

/*
 * Starts the reader (reader/reader.c) and its scan of /proc before the runtime: while that starts and loads kstack, two
 * thousand tasks can be read. Only for command lines of nothing but -a, states, -L, -v and --source, perhaps behind
 * `why`, as root, and if BPF will certainly not be used. src/native/reader/early.ts takes over the reader, and its scan if kstack asks for the
 * same. Nothing here is an error: without it, kstack starts a reader itself, and says why if it cannot.
 */

/* A struct request and a struct scan of reader/protocol.h. */
struct early_scan {
  unsigned bytes, job, kind, round;
  unsigned first, then, threads, budget, least;
  char states[12];
};

ALWAYS int equals(const char *a, const char *b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

/* The rest of a text that begins with `start`; NULL if it does not. */
ALWAYS const char *behind(const char *text, const char *start) {
  while (*start != 0 && *text == *start) text++, start++;
  return *start == 0 ? text : NULL;
}

/* Fills in the scan, and the value of the last --source; 0 if the words ask for more than can be scanned early. */
ALWAYS int is_plain_sample(char **words, const struct table *table, struct early_scan *scan, const char **source) {
  enum { STAT = 1, STACK = 4, CMDLINE = 64, HEADER = 16 };
  const char *letters = text(table, LETTERS);
  unsigned seen = 0;
  /* `kstack why` takes all threads where nothing is selected, and no command lines. */
  int is_why = 0;
  for (; *words != NULL; words++) {
    const char *word = *words, *value = behind(word, text(table, SOURCE_OPTION));
    if (value != NULL) {
      if (*value == '=') value++;
      else if (*value != 0 || (value = *++words) == NULL) return 0;
      *source = value;
      continue;
    }
    if (!is_why && equals(word, text(table, WHY))) {
      is_why = 1;
      continue;
    }
    if (*word++ != '-' || *word == 0) return 0;
    for (; *word != 0; word++) {
      unsigned bit = 0;
      while (letters[bit] != 0 && letters[bit] != *word) bit++;
      if (letters[bit] == 0) return 0;
      seen |= 1U << bit;
    }
  }
  /* The bits are in the order of LETTERS: v, L, a, then the states in the order of src/cli/selection-options.ts. */
  if (seen >> 2 == 0 && !is_why) return 0;
  scan->bytes = sizeof *scan - HEADER;
  scan->job = 1, scan->kind = 0, scan->round = 1;
  scan->first = STAT, scan->then = is_why ? STACK : STACK | CMDLINE, scan->threads = is_why ? 1 : seen >> 1 & 1;
  scan->budget = is_why ? 0 : 8 << 20, scan->least = is_why ? 0 : 4096;
  unsigned at = 0;
  for (unsigned bit = 3; !(seen & 4) && letters[bit] != 0; bit++) {
    if (seen >> bit & 1) scan->states[at++] = letters[bit];
    if ((seen >> bit & 1) && letters[bit] == 'T') scan->states[at++] = 't';
  }
  for (; at < sizeof scan->states; at++) ((volatile char *)scan->states)[at] = 0;
  return 1;
}

/* Three of the reasons of src/sources/live/bpf/availability.ts. */
ALWAYS int is_without_bpf(const struct table *table) {
  enum { NAME_BYTES = 65, OLDEST = 5 << 8 | 11 };
  char name[6 * NAME_BYTES];
  if (CALL(FACCESSAT, AT_FDCWD, text(table, BTF_FILE), 0, 0) < 0) return 1;
  long length = CALL(READLINKAT, AT_FDCWD, text(table, NAMESPACE_LINK), name, NAME_BYTES);
  if (length < 0 || length >= NAME_BYTES) return 0;
  name[length] = 0;
  if (!equals(name, text(table, NAMESPACE))) return 1;
  if (CALL(UNAME, name, 0, 0, 0) < 0) return 0;
  const char *release = name + 2 * NAME_BYTES;
  unsigned version = 0, part = 0;
  for (; *release >= '0' && *release <= '9'; release++) version = version * 10 + *release - '0';
  if (*release++ != '.') return 0;
  for (; *release >= '0' && *release <= '9'; release++) part = part * 10 + *release - '0';
  return (version << 8 | part) < OLDEST;
}

/* Whether kernel stacks can be read here; without, kstack only says so. */
ALWAYS int has_stacks(const struct table *table) {
  char bytes[64];
  long fd = CALL(OPENAT, AT_FDCWD, text(table, STACK_FILE), O_CLOEXEC, 0);
  if (fd < 0) return 0;
  long got = CALL(READ, fd, bytes, sizeof bytes, 0);
  CALL(CLOSE, fd, 0, 0, 0);
  return got > 0;
}

ALWAYS int wants_early(long *stack, const struct table *table, struct early_scan *scan) {
  enum { AT_EUID = 12, AT_SECURE = 23, NOFILE = 7, ENOUGH = 64 };
  unsigned long limit[2];
  char **words = (char **)(stack + 1), **variable = words + stack[0] + 1;
  const char *source = NULL, *value;
  if (table->reader == 0 || stack[0] < 2 || !is_plain_sample(words + 1, table, scan, &source)) return 0;
  for (; *variable != NULL; variable++)
    if (source == NULL && (value = behind(*variable, text(table, SOURCE_VARIABLE))) != NULL && *value != 0)
      source = value;
  /* Capabilities of other users would be lost with exec: see src/native/reader/capabilities.ts. */
  for (long *auxiliary = (long *)(variable + 1); auxiliary[0] != 0; auxiliary += 2)
    if ((auxiliary[0] == AT_EUID || auxiliary[0] == AT_SECURE) && auxiliary[1] != 0) return 0;
  /* The runtime opens files, too, while it starts. */
  if (CALL(PRLIMIT, 0, NOFILE, NULL, limit) < 0 || limit[0] < ENOUGH) return 0;
  if (source != NULL && !equals(source, text(table, AUTO))) {
    if (!equals(source, text(table, PROCFS))) return 0;
  } else if (!is_without_bpf(table)) return 0;
  return has_stacks(table);
}

/* A descriptor of the reader's program, in memory; negative if there can be none. */
ALWAYS long open_program(const struct table *table) {
  enum { MFD_CLOEXEC = 1, MFD_EXEC = 16, EINVAL = 22 };
  long fd = CALL(MEMFD_CREATE, text(table, READER_NAME), MFD_CLOEXEC | MFD_EXEC, 0, 0);
  if (fd == -EINVAL) fd = CALL(MEMFD_CREATE, text(table, READER_NAME), MFD_CLOEXEC, 0, 0);
  if (fd < 0) return fd;
  const char *program = (const char *)table + table->reader;
  if (CALL(WRITE, fd, program, table->reader_bytes, 0) == (long)table->reader_bytes) return fd;
  CALL(CLOSE, fd, 0, 0, 0);
  return -1;
}

/* The PID of the reader; negative if it cannot be started. `page` is memory that parent and child share. */
ALWAYS long start_program(const struct table *table, long program, int input, int output, volatile char *page) {
  enum { VFORK_AND_SIGCHLD = 0x4000 | 17, EMPTY_PATH = 0x1000 };
  *page = 0;
  /* The parent waits until the child has executed the program or exited, but they share no stack. */
  long pid = CALL(CLONE, VFORK_AND_SIGCHLD, 0, 0, 0);
  if (pid == 0) {
    const char *words[3], *none[1];
    words[0] = text(table, READER_NAME), words[1] = text(table, PROC), words[2] = none[0] = NULL;
    CALL(DUP3, input, 0, 0, 0);
    CALL(DUP3, output, 1, 0, 0);
    CALL(DUP3, output, 2, 0, 0);
    call6(EXECVEAT, program, (long)text(table, NOTHING), (long)words, (long)none, EMPTY_PATH, 0);
    *page = 1;
    for (;;) CALL(EXIT_GROUP, 1, 0, 0, 0);
  }
  if (pid < 0 || !*page) return pid;
  CALL(WAIT4, pid, NULL, 0, NULL);
  return -1;
}

ALWAYS char hexadecimal(unsigned digit) { return digit < 10 ? '0' + digit : 'a' + digit - 10; }

/* Starts the reader, sends it the request, and returns the variable that says so; NULL if there is no reader. */
ALWAYS char *start_early(const struct table *table, const struct early_scan *scan) {
  enum { READ_WRITE = 3, SHARED_ANONYMOUS = 0x21, SETFL = 4, SETPIPE_SZ = 1031, WRITE_NONBLOCK = 04001 };
  int requests[2], records[2];
  char *page = (char *)call6(MMAP, 0, 4096, READ_WRITE, SHARED_ANONYMOUS, -1, 0);
  if ((unsigned long)page > -4096UL) return NULL;
  if (CALL(PIPE2, requests, O_CLOEXEC, 0, 0) < 0) return NULL;
  long pid = -1, program = -1;
  if (CALL(PIPE2, records, O_CLOEXEC, 0, 0) < 0) records[0] = records[1] = -1;
  else if ((program = open_program(table)) >= 0)
    pid = start_program(table, program, requests[0], records[1], page);
  CALL(CLOSE, program, 0, 0, 0);
  CALL(CLOSE, requests[0], 0, 0, 0);
  CALL(CLOSE, records[1], 0, 0, 0);
  if (pid < 0) {
    CALL(CLOSE, requests[1], 0, 0, 0);
    CALL(CLOSE, records[0], 0, 0, 0);
    return NULL;
  }
  CALL(WRITE, requests[1], scan, sizeof *scan, 0);
  CALL(FCNTL, requests[1], SETFL, WRITE_NONBLOCK, 0);
  CALL(FCNTL, records[0], SETPIPE_SZ, 1 << 20, 0);
  char *to = page;
  for (const char *name = text(table, READER); *name != 0;) *to++ = *name++;
  *(to = put_number(to, requests[1])) = ' ';
  *(to = put_number(to + 1, records[0])) = ' ';
  *(to = put_number(to + 1, pid)) = ' ';
  for (unsigned i = 0; i < sizeof *scan; i++) {
    unsigned char byte = ((const unsigned char *)scan)[i];
    *++to = hexadecimal(byte >> 4);
    *++to = hexadecimal(byte & 15);
  }
  to[1] = 0;
  return page;
}

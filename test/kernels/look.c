/* What /proc says of every thread, read plainly, to compare with what kstack shows.
 *
 *   look
 *
 * One line a thread: TID PID STATE PPID START_TICKS SWITCHES COMM STACK COMMAND_LINE, separated by tabs, the last three
 * in hexadecimal. SWITCHES counts how often the thread left a CPU: where two looks see the same number, it has not run.
 * Statically linked and without threads, so that it runs wherever a kernel boots. Not for a host on which reads hang.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char bytes[1 << 16];

/* Reads a whole file into `bytes`; its length, or -1. */
static long slurp(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  long length = 0, got;
  while ((got = read(fd, bytes + length, sizeof bytes - 1 - (size_t)length)) > 0) length += got;
  close(fd);
  bytes[length] = '\0';
  return got < 0 ? -1 : length;
}

static void print_hex(const char *from, long length) {
  putchar('\t');
  for (long i = 0; i < length; i++) printf("%02x", (unsigned char)from[i]);
}

static void look_at(const char *pid, const char *tid) {
  char path[128], comm[64], state;
  long ppid = 0;
  unsigned long long switches = 0;
  snprintf(path, sizeof path, "/proc/%s/task/%s/stat", pid, tid);
  if (slurp(path) <= 0) return;
  char *open_ = strchr(bytes, '('), *close_ = strrchr(bytes, ')');
  if (open_ == NULL || close_ == NULL || close_ - open_ > (long)sizeof comm) return;
  long comm_length = close_ - open_ - 1;
  memcpy(comm, open_ + 1, (size_t)comm_length);
  /* Fields 3, 4 and 22 of proc_pid_stat(5). */
  if (sscanf(close_ + 1, " %c %ld", &state, &ppid) != 2) return;
  char *field = close_ + 2;
  for (int number = 3; number < 22; number++) field = strchr(field, ' ') + 1;
  unsigned long long start_ticks = strtoull(field, NULL, 10);
  snprintf(path, sizeof path, "/proc/%s/task/%s/status", pid, tid);
  if (slurp(path) <= 0) return;
  for (char *line = bytes; (line = strstr(line, "voluntary_ctxt_switches:")) != NULL; line++)
    switches += strtoull(strchr(line, ':') + 1, NULL, 10);
  printf("%s\t%s\t%c\t%ld\t%llu\t%llu", tid, pid, state, ppid, start_ticks, switches);
  print_hex(comm, comm_length);
  snprintf(path, sizeof path, "/proc/%s/task/%s/stack", pid, tid);
  long length = slurp(path);
  print_hex(bytes, length);
  snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
  length = slurp(path);
  print_hex(bytes, length);
  putchar('\n');
}

int main(void) {
  DIR *proc = opendir("/proc");
  for (struct dirent *process; proc != NULL && (process = readdir(proc)) != NULL;) {
    char path[300];
    if (!isdigit((unsigned char)process->d_name[0])) continue;
    snprintf(path, sizeof path, "/proc/%s/task", process->d_name);
    DIR *threads = opendir(path);
    for (struct dirent *thread; threads != NULL && (thread = readdir(threads)) != NULL;)
      if (isdigit((unsigned char)thread->d_name[0])) look_at(process->d_name, thread->d_name);
    if (threads != NULL) closedir(threads);
  }
  return 0;
}

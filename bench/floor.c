/* The floor of the benchmark: only the reads that kstack cannot avoid.
 *
 *   floor ROUNDS FILE...     reads /proc/PID/FILE of every process; prints a line per round: nanoseconds, processes,
 *                            threads. A FILE such as task/stat is read of every thread: /proc/PID/task/TID/stat
 *   floor run COMMAND...     runs COMMAND and discards its output; prints nanoseconds, CPU nanoseconds and peak memory
 *                            in KiB
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int run(char **command) {
  long long start = now();
  pid_t pid = fork();
  if (pid == 0) {
    /* Not /dev/null: grep stops at the first line found there. */
    int output = memfd_create("output", 0);
    dup2(output, 1);
    dup2(output, 2);
    execvp(command[0], command);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (wait4(pid, &status, 0, &used) < 0) return 1;
  long long cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000LL +
                  (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000LL;
  printf("%lld %lld %ld\n", now() - start, cpu, used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static char content[1 << 16];

static void take(int directory, const char *path) {
  int fd = openat(directory, path, O_RDONLY);
  if (fd < 0) return;
  (void)!read(fd, content, sizeof content);
  close(fd);
}

static int is_number(const char *name) { return name[0] >= '0' && name[0] <= '9'; }

/* Reads the per-thread files of each thread of a process. Returns the number of threads. */
static int take_threads(int proc, const char *pid, char **files) {
  char path[600];
  int threads = 0;
  snprintf(path, sizeof path, "%s/task", pid);
  DIR *task = fdopendir(openat(proc, path, O_RDONLY | O_DIRECTORY));
  if (task == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(task)) != NULL;) {
    if (!is_number(entry->d_name)) continue;
    threads++;
    for (char **file = files; *file != NULL; file++) {
      if (strncmp(*file, "task/", 5) != 0) continue;
      snprintf(path, sizeof path, "%s/task/%s/%s", pid, entry->d_name, *file + 5);
      take(proc, path);
    }
  }
  closedir(task);
  return threads;
}

int main(int argc, char **argv) {
  char path[600];
  int of_threads = 0;
  if (argc > 2 && strcmp(argv[1], "run") == 0) return run(argv + 2);
  if (argc < 3) {
    fputs("usage: floor ROUNDS FILE... | floor run COMMAND...\n", stderr);
    return 2;
  }
  for (int i = 2; i < argc; i++) of_threads |= strncmp(argv[i], "task/", 5) == 0;
  for (int round = atoi(argv[1]); round > 0; round--) {
    long long start = now();
    int processes = 0, threads = 0;
    DIR *proc = opendir("/proc");
    if (proc == NULL) return 1;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
      if (!is_number(entry->d_name)) continue;
      processes++;
      if (of_threads) threads += take_threads(dirfd(proc), entry->d_name, argv + 2);
      for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "task/", 5) == 0) continue;
        snprintf(path, sizeof path, "%s/%s", entry->d_name, argv[i]);
        take(dirfd(proc), path);
      }
    }
    closedir(proc);
    printf("%lld %d %d\n", now() - start, processes, threads);
  }
}

/* Load for the benchmark: processes and threads that sleep in different system calls.
 *
 *   load PROCESSES THREADS
 *
 * PROCESSES includes 20 in D (parents of a vfork) and 20 zombies. THREADS more threads are spread over the first
 * hundred of the others. Prints "ready" once all are there, and ends them and itself at end of input. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include <time.h>
#include <unistd.h>

enum { DEEP = 20, ZOMBIES = 20, HOSTS_OF_THREADS = 100, KINDS = 14 };

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* Sleeps for good in the system call chosen by `kind`. */
static void sleep_in(int kind) {
  static int word;
  int ends[2];
  char byte;
  sigset_t signals;
  struct timespec hour = { 3600, 0 };
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  for (;;) {
    switch (kind % KINDS) {
    case 0: pause(); break;
    case 1: nanosleep(&hour, NULL); break;
    case 2: if (pipe(ends) == 0) (void)!read(ends[0], &byte, 1); break;
    case 3: { struct pollfd none = { -1, 0, 0 }; poll(&none, 1, -1); break; }
    case 4: { struct epoll_event event; epoll_wait(epoll_create1(0), &event, 1, -1); break; }
    case 5: syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); break;
    case 6: select(0, NULL, NULL, NULL, NULL); break;
    case 7: sigwaitinfo(&signals, NULL); break;
    case 8: if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) (void)!read(ends[0], &byte, 1); break;
    case 9: if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0) recv(ends[0], &byte, 1, 0); break;
    case 10: { unsigned long long count; (void)!read(eventfd(0, 0), &count, sizeof count); break; }
    case 11: { unsigned long long count; (void)!read(timerfd_create(CLOCK_MONOTONIC, 0), &count, sizeof count); break; }
    case 12: { struct signalfd_siginfo info; (void)!read(signalfd(-1, &signals, 0), &info, sizeof info); break; }
    case 13: { struct pollfd none = { -1, 0, 0 }; ppoll(&none, 1, &hour, NULL); break; }
    }
    pause();
  }
}

static void *thread_main(void *kind) {
  sleep_in((int)(long)kind);
  return NULL;
}

static pid_t child(void) {
  pid_t pid = fork();
  if (pid < 0) die("load: fork");
  if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return pid;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fputs("usage: load PROCESSES THREADS\n", stderr);
    return 2;
  }
  int processes = atoi(argv[1]), threads = atoi(argv[2]);
  int plain = processes - 2 * DEEP - ZOMBIES;
  setpgid(0, 0);
  for (int i = 0; i < plain; i++) {
    if (child() != 0) continue;
    prctl(PR_SET_NAME, "load worker");
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int j = 0; i < HOSTS_OF_THREADS && j < threads / HOSTS_OF_THREADS; j++) {
      pthread_t thread;
      if ((errno = pthread_create(&thread, &small, thread_main, (void *)(long)(i + j))) != 0) die("load: thread");
    }
    sleep_in(i);
  }
  for (int i = 0; i < DEEP; i++) {
    if (child() != 0) continue;
    prctl(PR_SET_NAME, "load deep");
    if (vfork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
    _exit(0);
  }
  for (int i = 0; i < ZOMBIES; i++)
    if (child() == 0) _exit(0);
  sleep(1);
  puts("ready");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) continue;
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGKILL);
}

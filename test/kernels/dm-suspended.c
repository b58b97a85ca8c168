/* An ext4 on a device of the device mapper that is suspended.
 *
 *   dm-suspended FOLDER [freeze]
 *
 * Makes a small ext4 in FOLDER/image, unless there is one, a linear device over a loop device over it, and mounts that on
 * FOLDER/mount. Then it suspends the device, with "freeze" as dmsetup does it: with the file system frozen before.
 *
 * Prints "ready WRITER READER DM LOOP": a process that writes to a file and waits until that is on the disk, one that
 * reads a file past the cache, and the minor numbers of both devices. Without "freeze" also, behind them, PIPER TYPIST
 * CREATOR SECOND FINDER: one that holds the mutex of a pipe while it reads a page of a file, one that waits for that
 * mutex; one that holds the rw-semaphore of a folder while it reads this, one that waits to write it, and one that waits
 * to read it. Undoes everything at end of input, and after two minutes by itself.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 4096, SECTOR = 512, LONGEST_MS = 120000, MOST_TRIES = 500, FILES = 2, MOST_CHILDREN = 7 };

static char name[64], mount_point[512], loop[64], *mapping;
static int control = -1, created, mounted, files[FILES] = { -1, -1 }, pipe_fds[2] = { -1, -1 };
static int child_count;
static pid_t children[MOST_CHILDREN];

static struct {
  struct dm_ioctl head;
  struct dm_target_spec target;
  char text[64];
} request;

static int ask(unsigned long what, uint32_t flags) {
  request.head.version[0] = DM_VERSION_MAJOR;
  request.head.version[1] = 0;
  request.head.version[2] = 0;
  request.head.data_size = sizeof request;
  request.head.data_start = sizeof request.head;
  request.head.flags = flags;
  /* The last answer has the number as well: only one of both is allowed. */
  request.head.dev = 0;
  snprintf(request.head.name, sizeof request.head.name, "%s", name);
  return ioctl(control, what, &request);
}

static void clean_up(void) {
  if (created) ask(DM_DEV_SUSPEND, 0);
  for (int i = 0; i < child_count; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < child_count; i++) waitpid(children[i], NULL, 0);
  for (int i = 0; i < FILES; i++)
    if (files[i] >= 0) close(files[i]);
  if (mapping != NULL) munmap(mapping, BLOCK);
  if (mounted) umount2(mount_point, 0);
  for (int tries = 0; created && ask(DM_DEV_REMOVE, 0) != 0 && tries < 100; tries++) usleep(50000);
  char line[128];
  snprintf(line, sizeof line, "losetup -d %s", loop);
  if (loop[0] != 0 && system(line) != 0) fputs("dm-suspended: cannot detach the loop device\n", stderr);
}

static void die(const char *what) {
  perror(what);
  clean_up();
  exit(1);
}

static int is_in_D(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (bytes <= 0) return 0;
  text[bytes] = 0;
  char *state = strstr(text, "\nState:\t");
  return state != NULL && state[8] == 'D';
}

static void make_loop(const char *folder) {
  char line[2048];
  snprintf(line, sizeof line,
           "cd '%s' && mkdir -p mount && { test -e image || { truncate -s 16M image && mkfs.ext4 -q image; }; } && "
           "loop=$(losetup -f) && losetup $loop image && echo $loop",
           folder);
  FILE *output = popen(line, "r");
  if (output == NULL || fgets(loop, sizeof loop, output) == NULL) die("losetup");
  loop[strcspn(loop, "\n")] = 0;
  pclose(output);
}

static unsigned make_mapped(void) {
  struct stat at;
  unsigned long long bytes;
  int fd = open(loop, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &at) != 0 || ioctl(fd, BLKGETSIZE64, &bytes) != 0) die(loop);
  close(fd);
  control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
  if (control < 0) die("/dev/mapper/control");
  if (ask(DM_DEV_CREATE, 0) != 0) die("DM_DEV_CREATE");
  created = 1;
  unsigned number = minor(request.head.dev);
  request.head.target_count = 1;
  request.target = (struct dm_target_spec){ .length = bytes / SECTOR };
  strcpy(request.target.target_type, "linear");
  snprintf(request.text, sizeof request.text, "7:%u 0", minor(at.st_rdev));
  if (ask(DM_TABLE_LOAD, 0) != 0) die("DM_TABLE_LOAD");
  if (ask(DM_DEV_SUSPEND, 0) != 0) die("resume");
  return number;
}

/* Starts a process, and waits until it is stuck. */
static void start(void (*work)(int fd), int fd) {
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work(fd);
    _exit(0);
  }
  children[child_count++] = child;
  for (int tries = 0, looks = 0; looks < 10; tries++) {
    if (tries > MOST_TRIES) die("a process did not get stuck");
    looks = is_in_D(child) ? looks + 1 : 0;
    usleep(20000);
  }
}

static void write_through(int fd) {
  char block[BLOCK] = "x";
  if (pwrite(fd, block, sizeof block, 0) == BLOCK) fsync(fd);
}

static void read_past_cache(int fd) {
  void *block;
  if (posix_memalign(&block, BLOCK, BLOCK) == 0) (void)!pread(fd, block, BLOCK, 0);
}

static void write_page(int fd) { (void)!write(fd, mapping, BLOCK); }
static void write_byte(int fd) { (void)!write(fd, "", 1); }
static void create(int folder) { openat(folder, "created", O_CREAT | O_WRONLY | O_CLOEXEC, 0600); }
static void create_second(int folder) { openat(folder, "second", O_CREAT | O_WRONLY | O_CLOEXEC, 0600); }
static void find(int folder) { openat(folder, "nowhere", O_RDONLY | O_CLOEXEC); }

static void write_file(const char *path) {
  char block[BLOCK] = "x";
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, block, sizeof block) != BLOCK || fsync(fd) != 0) die(path);
  close(fd);
}

static void mount_it(unsigned number) {
  char device[64];
  snprintf(device, sizeof device, "/dev/dm-%u", number);
  for (int tries = 0; access(device, F_OK) != 0 && tries < 100; tries++) usleep(20000);
  if (mount(device, mount_point, "ext4", 0, NULL) != 0) die("mount");
  mounted = 1;
}

static const char *path_of(const char *file) {
  static char path[600];
  snprintf(path, sizeof path, "%s/%s", mount_point, file);
  return path;
}

static int open_file(const char *file, int flags) {
  int fd = open(path_of(file), O_CLOEXEC | flags);
  if (fd < 0) die(path_of(file));
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fputs("usage: dm-suspended FOLDER [freeze]\n", stderr);
    return 2;
  }
  signal(SIGTERM, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  snprintf(name, sizeof name, "kstack-test-%d", getpid());
  snprintf(mount_point, sizeof mount_point, "%s/mount", argv[1]);
  make_loop(argv[1]);
  unsigned number = make_mapped();
  mount_it(number);
  write_file(path_of("written"));
  write_file(path_of("read"));
  write_file(path_of("mapped"));
  if (mkdir(path_of("folder"), 0700) != 0) die("folder");
  /* So that nothing of them is in memory. */
  if (umount2(mount_point, 0) != 0) die("umount");
  mounted = 0;
  mount_it(number);
  files[0] = open_file("written", O_RDWR);
  files[1] = open_file("read", O_RDWR | O_DIRECT);
  int mapped = open_file("mapped", O_RDONLY), folder = open_file("folder", O_RDONLY | O_DIRECTORY);
  mapping = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, mapped, 0);
  if (mapping == MAP_FAILED || pipe(pipe_fds) != 0) die("mmap");
  close(mapped);
  int freeze = argc > 2 && strcmp(argv[2], "freeze") == 0;
  if (ask(DM_DEV_SUSPEND, DM_SUSPEND_FLAG | (freeze ? 0 : DM_SKIP_LOCKFS_FLAG)) != 0) die("DM_DEV_SUSPEND");
  start(write_through, files[0]);
  start(read_past_cache, files[1]);
  if (!freeze) {
    start(write_page, pipe_fds[1]);
    start(write_byte, pipe_fds[1]);
    start(create, folder);
    start(create_second, folder);
    start(find, folder);
  }
  close(folder);
  printf("ready %d %d %u %s", children[0], children[1], number, loop + strlen("/dev/loop"));
  for (int i = 2; i < child_count; i++) printf(" %d", children[i]);
  printf("\n");
  fflush(stdout);
  struct pollfd input = { 0, POLLIN, 0 };
  char bytes[64];
  while (poll(&input, 1, LONGEST_MS) > 0 && read(0, bytes, sizeof bytes) > 0) continue;
  clean_up();
}

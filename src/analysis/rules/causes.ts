/** Causes that rules of several files share. */
export const SLOW_DISK = 'The disk below is slow or has stopped responding.';
export const SLOW_DEVICE = 'The device cannot keep up with the I/O sent to it, or has stopped completing requests.';
export const FROZEN =
  'A snapshot or backup (fsfreeze, LVM, hypervisor agent) froze it and has not thawed it, or the freeze waits for I/O.';
export const SHORT_OF_MEMORY = 'The host or the cgroup is short of memory: page cache and programs evict each other.';
export const NO_ANSWER = 'The server is down, overloaded or unreachable; a hard mount retries forever.';
export const BUG = 'A bug, or damaged data; the kernel log has the message. Only a reboot frees the task.';
export const WAITS_FOR_WORK = 'Normal for a program that is waiting for work.';

/** Causes that rules of several files share. */
export const SLOW_DISK = 'The disk below is slow, or has stopped to answer.';
export const SLOW_DEVICE = 'The device is slower than what is sent to it, or has stopped to complete requests.';
export const FROZEN =
  'A snapshot or backup froze it (fsfreeze, LVM, a hypervisor agent) and has not thawed it; or the freeze itself waits for I/O.';
export const SHORT_OF_MEMORY =
  'The host, or its cgroup, is short of memory: page cache and programs push each other out.';
export const NO_ANSWER = 'The server is down, overloaded, or not reached; a hard mount retries for good.';
export const WAITS_FOR_WORK = 'Normal for a program that waits for something to do.';

/**
 * Why something could not be read. Errors without a word of their own keep their errno name (`EIO`).
 *
 * - `gone`: the task ended before it was read (ENOENT, ESRCH)
 * - `timeout`: the read did not return in time
 * - `skipped`: not tried, because too many other reads already hang
 * - `locked`: not tried, because a lock that the read takes is held
 * - `denied`: EACCES or EPERM
 * - `hidden`: does not exist, or is hidden from this process (hidepid)
 * - `notTold`: the text that was read does not contain it, or nobody asked for it
 * - `malformed`: the content does not have the format that the kernel documents
 */
export type Unreadable =
  | 'gone'
  | 'hidden'
  | 'timeout'
  | 'skipped'
  | 'locked'
  | 'denied'
  | 'notTold'
  | 'malformed'
  | `E${string}`;

/** A value from the kernel, or why there is none. `cut` is set if only the beginning of the value was taken. */
export type Reading<T> =
  | { readonly value: T; readonly cut?: true }
  /** `detail` says what is malformed (path, item and content), or what denies or hides it. */
  | { readonly unread: Unreadable; readonly detail?: string };

/** The reason that the errno of a failed read stands for. */
export function unreadableFrom(errno: string): Unreadable {
  switch (errno) {
    case 'ENOENT':
    case 'ESRCH':
      return 'gone';
    case 'EACCES':
    case 'EPERM':
      return 'denied';
    default:
      return errno.startsWith('E') ? (errno as `E${string}`) : `E${errno}`;
  }
}

/** Whether the task ended before this was read. */
export function isGone(reading: Reading<unknown> | undefined): boolean {
  return reading !== undefined && 'unread' in reading && reading.unread === 'gone';
}

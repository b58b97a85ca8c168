/**
 * Why something could not be read. An errno name (`EIO`) where the kernel gave one that has no word of its own here.
 *
 * - `gone`: the task ended before it was read (ENOENT, ESRCH)
 * - `timeout`: the read was begun and did not return in time
 * - `skipped`: the read was not begun, since too many others already hang
 * - `locked`: not tried, since a lock that the read takes is held
 * - `denied`: EACCES or EPERM
 * - `hidden`: not there, or not shown to this process (hidepid)
 * - `notTold`: a text does not tell it
 * - `malformed`: what was read is not in the form the kernel documents
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

/** A value the kernel gave, or why it gave none. `cut` is set when only the beginning of the value was taken. */
export type Reading<T> =
  | { readonly value: T; readonly cut?: true }
  /** `detail` says what is malformed: path, item and what it holds. */
  | { readonly unread: Unreadable; readonly detail?: string };

/** What the errno name of a failed read means for the thing read. */
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

/** Whether the task ended before that was read. */
export function isGone(reading: Reading<unknown> | undefined): boolean {
  return reading !== undefined && 'unread' in reading && reading.unread === 'gone';
}

/** The kinds that /proc/locks tells apart, by its words. A lock of a file description (OFD) is one of fcntl(2), too. */
const KINDS = {
  FLOCK: 'flock',
  POSIX: 'posix',
  ACCESS: 'posix',
  OFDLCK: 'ofd',
  LEASE: 'lease',
  DELEG: 'delegation',
} as const;

export type FileLockKind = (typeof KINDS)[keyof typeof KINDS];

/** A lock on a file, or a wait for one. */
export interface FileLock {
  readonly kind: FileLockKind;
  readonly writes: boolean;
  /** The process that asked for it. 0 or less if it is none of this host, or if it is not recorded (OFD). */
  readonly pid: number;
  /** Device and inode: `08:01:131`. Undefined for a task that opens a file on which another one has a lease. */
  readonly file: string | undefined;
  readonly start: bigint;
  /** Inclusive; undefined for the end of the file, however far that is. */
  readonly end: bigint | undefined;
  /** As in the table, without its number. */
  readonly text: string;
}

/** A lock that somebody holds, and those that wait for it, directly or behind others that do. */
export interface HeldLock extends FileLock {
  readonly waiters: readonly FileLock[];
}

const WAITS = '->';

/**
 * Parses /proc/locks (fs/locks.c, locks_show and lock_get_status; proc_locks(5)): waiters stand behind the lock that
 * they wait for, since Linux 5.13 indented behind other waiters. Lines of another form are left out.
 */
export function parseFileLocks(table: string): HeldLock[] {
  const held: (FileLock & { readonly waiters: FileLock[] })[] = [];
  for (const line of table.split('\n')) {
    const [number = '', ...words] = line.trim().split(/\s+/);
    if (!/^\d+:$/.test(number)) continue;
    const waits = words[0] === WAITS;
    const lock = parseFileLock(waits ? words.slice(1) : words);
    if (lock === undefined) continue;
    if (waits) held.at(-1)?.waiters.push(lock);
    else held.push({ ...lock, waiters: [] });
  }
  return held;
}

/** The locks of a descriptor, or of its process, in /proc/PID/fdinfo/FD (fs/locks.c, show_fd_locks). */
export function parseLocksOfDescriptor(fdinfo: string): FileLock[] {
  return [...fdinfo.matchAll(/^lock:\s+\d+:\s+(.*)$/gm)].flatMap(
    ([, text = '']) => parseFileLock(text.split(/\s+/)) ?? [],
  );
}

function parseFileLock(words: readonly string[]): FileLock | undefined {
  const [name = '', , access, pid = '', file, start = '', end = ''] = words;
  const kind = kindOf(name);
  if (kind === undefined || !/^-?\d+$/.test(pid) || !/^\d+$/.test(start) || !/^(\d+|EOF)$/.test(end)) return undefined;
  return {
    kind,
    writes: access === 'WRITE',
    pid: Number(pid),
    file: file?.startsWith('<') === true ? undefined : file,
    start: BigInt(start),
    end: end === 'EOF' ? undefined : BigInt(end),
    text: words.join(' '),
  };
}

function kindOf(name: string): FileLockKind | undefined {
  const kinds: Readonly<Record<string, FileLockKind>> = KINDS;
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** Whether a lock keeps another one from being granted, on the same file. */
export function conflicts(held: FileLock, wanted: FileLock): boolean {
  if (familyOf(held.kind) !== familyOf(wanted.kind) || held.file !== wanted.file) return false;
  if (!held.writes && !wanted.writes) return false;
  // The locks of a process do not conflict with each other.
  if (held.kind === 'posix' && wanted.kind === 'posix' && held.pid === wanted.pid) return false;
  return (held.end === undefined || held.end >= wanted.start) && (wanted.end === undefined || wanted.end >= held.start);
}

/** A wait, and the lock that it stands behind. */
export interface LockEntry {
  readonly held: HeldLock;
  readonly wanted: FileLock;
}

/** All locks of the host: a host may have tens of thousands, and as many that wait. */
export class FileLockTable {
  readonly #waits = new Map<number, LockEntry[]>();
  readonly #ofFile = new Map<string | undefined, HeldLock[]>();

  constructor(table: string) {
    for (const held of parseFileLocks(table)) {
      listIn(this.#ofFile, held.file).push(held);
      for (const wanted of held.waiters)
        listIn(this.#waits, wanted.kind === 'ofd' ? OF_NO_PROCESS : wanted.pid).push({ held, wanted });
    }
  }

  /** The waits of a process, and those of file descriptions, of which no process is recorded. */
  waitsOf(pid: number): readonly LockEntry[] {
    return [...(this.#waits.get(pid) ?? []), ...(this.#waits.get(OF_NO_PROCESS) ?? [])];
  }

  /** What else keeps a wait from being granted: other readers of the same file. */
  othersInTheWay(held: HeldLock, wanted: FileLock): HeldLock[] {
    return (this.#ofFile.get(wanted.file) ?? []).filter((lock) => lock !== held && conflicts(lock, wanted));
  }
}

const OF_NO_PROCESS = -1;

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function familyOf(kind: FileLockKind): FileLockKind {
  return kind === 'ofd' ? 'posix' : kind;
}

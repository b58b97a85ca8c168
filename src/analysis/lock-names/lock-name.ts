import type { LockKind } from '../explain/lock-kinds.ts';
import {
  LINUX_6_1_LOCKS,
  LOCK_NAMES,
  LOCKS_OF_MODULES,
  type LocksOfModules,
  OLDER_LOCKS,
  WORK_NAMES,
} from './tables.ts';

/** The kernel whose sources tell the names. */
const KERNEL = 'Linux 6.12';

const INODE_LOCK = 'inode_lock()';

/** A function that takes or waits for more of them may be one that does so for others. */
const MOST = 2;

/** What runs work: a function of a worker, any work of a queue, or a thread. */
export type WorkKind = 'work' | 'queue' | 'thread';

/**
 * The name of the lock that a function takes, or of the two, and the sources in which they have these names; undefined
 * if the tables do not know the function.
 * @param kind of the lock that is waited for; undefined where the stack does not tell
 * @param module that the function is in; undefined if it is in the kernel's image, or the stack does not tell
 */
export function lockName(caller: string, kind: LockKind | undefined, module?: string): string | undefined {
  const own = tableOf(module);
  const ownName = own && withSource(own.source, namesIn(rowsIn([own.rows], caller), kind));
  if (isOfOthers(own)) return ownName;
  const rows = rowsIn(LOCK_NAMES, caller);
  return (
    withSource(KERNEL, namesIn(rows, kind)) ??
    ownName ??
    withSource('Linux 6.1', namesIn(rowsIn([LINUX_6_1_LOCKS], caller), kind)) ??
    withSource('Linux 3.10 to 5.4', inodeMutex(rows, kind) ?? namesIn(rowsIn([OLDER_LOCKS], caller), kind))
  );
}

/** Until Linux 4.6 the lock of an inode was a mutex. */
function inodeMutex(rows: readonly string[], kind: LockKind | undefined): string | undefined {
  const names = kind === 'mutex' ? namesIn(rows, 'rwsem') : undefined;
  return names?.split(' or ').includes(INODE_LOCK) === true ? INODE_LOCK : undefined;
}

/**
 * The function of the worker or thread, or the queue, that a function waits for, or of the two.
 * @param module see lockName
 */
export function workName(caller: string, kind: WorkKind, module?: string): string | undefined {
  if (isOfOthers(tableOf(module))) return undefined;
  const names = namesIn(rowsIn([WORK_NAMES], caller), kind);
  return withSource(KERNEL, kind === 'queue' && names !== undefined ? `the work queue ${names}` : names);
}

function tableOf(module: string | undefined): LocksOfModules | undefined {
  return module === undefined ? undefined : LOCKS_OF_MODULES.find(({ modules }) => modules.includes(module));
}

/** Whether functions of a module are never the kernel's, though some have the names of the kernel's. */
function isOfOthers(own: LocksOfModules | undefined): boolean {
  return own !== undefined && own.isInKernel !== true;
}

function withSource(source: string, names: string | undefined): string | undefined {
  return names === undefined ? undefined : `in ${source}: ${names}`;
}

function namesIn(rows: readonly string[], kind: LockKind | WorkKind | undefined): string | undefined {
  const fitting = kind === undefined ? rows : rows.filter((row) => row.startsWith(`${kind} `));
  if (fitting.length === 0 || fitting.length > MOST) return undefined;
  return fitting.map((row) => row.slice(row.indexOf(' ') + 1, row.indexOf(':'))).join(' or ');
}

function rowsIn(tables: readonly string[], caller: string): string[] {
  return /^\w+$/.test(caller) ? tables.flatMap((table) => rowsOf(table, caller)) : [];
}

/** The first lines of the rows with a function. */
function rowsOf(table: string, caller: string): string[] {
  const rows: string[] = [];
  const word = ` ${caller}`;
  for (let at = table.indexOf(word); at !== -1; at = table.indexOf(word, at + 1)) {
    const next = table[at + word.length];
    if (next === ' ' || next === '\n') rows.push(firstLineAt(table, at));
  }
  return rows;
}

/** The line that begins the row of a place in a table. */
function firstLineAt(table: string, place: number): string {
  let start = table.lastIndexOf('\n', place) + 1;
  while (table[start] === ' ') start = table.lastIndexOf('\n', start - 2) + 1;
  return table.slice(start, table.indexOf('\n', start));
}

import type { LockKind } from '../lock-kinds.ts';
import { LOCK_NAMES } from '../rules/index.ts';

/** The kernel whose sources tell the names. */
const KERNEL = 'Linux 6.12';

/** A function that takes more of them may be one that takes the locks of others. */
const MOST_LOCKS = 2;

/**
 * The name of the lock that a function takes, or of the two, and the kernel in which they have these names; undefined if
 * the tables do not know the function.
 * @param kind of the lock that is waited for; undefined where the stack does not tell
 */
export function lockName(caller: string, kind: LockKind | undefined): string | undefined {
  if (!/^\w+$/.test(caller)) return undefined;
  const found = LOCK_NAMES.flatMap((table) => rowsOf(table, caller));
  const fitting = kind === undefined ? found : found.filter((row) => row.startsWith(`${kind} `));
  if (fitting.length === 0 || fitting.length > MOST_LOCKS) return undefined;
  return `in ${KERNEL}: ${fitting.map((row) => row.slice(row.indexOf(' ') + 1, row.indexOf(':'))).join(' or ')}`;
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

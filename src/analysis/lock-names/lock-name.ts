import type { LockKind } from '../lock-kinds.ts';
import { LOCK_NAMES } from '../rules/index.ts';

/** The kernel whose sources tell the names. */
const KERNEL = 'Linux 6.12';

/**
 * The name of the lock that a function takes, and the kernel in which it has this name; undefined if the tables do not
 * know the function.
 * @param kind of the lock that is waited for; undefined where the stack does not tell
 */
export function lockName(caller: string, kind: LockKind | undefined): string | undefined {
  if (!/^\w+$/.test(caller)) return undefined;
  const found = LOCK_NAMES.flatMap((table) => rowsOf(table, caller));
  const fitting = kind === undefined ? found : found.filter((row) => row.startsWith(`${kind} `));
  const [row = '', ...others] = fitting;
  if (row === '' || others.length > 0) return undefined;
  return `in ${KERNEL}: ${row.slice(row.indexOf(' ') + 1, row.indexOf(':'))}`;
}

/** The first lines of the rows with a function. A search takes less time than all rows would take to be read once. */
function rowsOf(table: string, caller: string): string[] {
  return [...table.matchAll(new RegExp(`\\s${caller}\\s`, 'g'))].map(({ index }) => {
    const lines = table.slice(0, index + 1).split(/\n(?! )/);
    return lines.at(-1) ?? '';
  });
}

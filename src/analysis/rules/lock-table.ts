import type { LockKind } from '../explain/lock-kinds.ts';
import { lockRule } from './lock-rule.ts';
import type { Rule } from './rule.ts';

/**
 * A lock: what it is of or for, the file where it is taken, and functions that take it and no other lock of its kind,
 * separated by spaces.
 */
export type LockRow = readonly [id: string, lock: string, file: string, ...takers: string[]];

/** Rules about locks of one kind. Their holders are usually held up by the same causes. */
export function lockTable(lock: LockKind, causes: string, rows: readonly LockRow[]): Rule[] {
  return rows.map(([id, of, file, ...lines]) => {
    const takers = lines.flatMap((names) => names.split(' '));
    const waitsFor = `the lock ${of}, which another task holds`;
    return lockRule({ id, takers, lock, waitsFor, causes, source: `${file}: ${takers[0]}` });
  });
}

import { searchText, userOf } from '../analysis/search-text.ts';
import type { Stretch, TaskLife } from '../analysis/times/task-lives.ts';
import type { Span } from './state.ts';

/** What the table of tasks shows of one. */
export interface TaskRow {
  readonly life: TaskLife;
  /** What it did last in the span. */
  readonly last: Stretch;
  /** In the span. */
  readonly blockedMs: number;
}

export const COLUMNS = {
  pid: 'PID',
  tid: 'TID',
  name: 'Name',
  user: 'User',
  state: 'State',
  kind: 'Kind',
  blocked: 'Blocked for',
  what: 'Waits for',
} as const;
export type Column = keyof typeof COLUMNS;

/** The tasks that were there in a span and match a text, sorted. */
export function taskRows(
  lives: readonly TaskLife[],
  { fromMs, toMs }: Span,
  text: string,
  sort: { readonly by: Column; readonly isDown: boolean },
): TaskRow[] {
  const rows: TaskRow[] = [];
  const wanted = text.toLowerCase();
  for (const life of lives) {
    const some = life.stretches.filter((each) => each.fromMs <= toMs && each.toMs >= fromMs);
    const last = some.at(-1);
    if (
      last === undefined ||
      (wanted !== '' && !searchText(last.observation, last.finding, life.host).includes(wanted))
    )
      continue;
    let blockedMs = 0;
    for (const { finding, fromMs: from, toMs: to } of some)
      if (finding.kind === 'blocked') blockedMs += Math.max(0, Math.min(to, toMs) - Math.max(from, fromMs));
    rows.push({ life, last, blockedMs });
  }
  const sign = sort.isDown ? -1 : 1;
  return rows.sort((a, b) => sign * compared(sortValue(a, sort.by), sortValue(b, sort.by)));
}

const KINDS = ['blocked', 'unexplained', 'running', 'idle'];

function sortValue({ life: { task }, last, blockedMs }: TaskRow, by: Column): number | string {
  switch (by) {
    case 'pid':
      return task.pid ?? 0;
    case 'tid':
      return task.id.tid ?? 0;
    case 'name':
      return task.comm ?? '';
    case 'user':
      return userOf(task);
    case 'state':
      return last.observation.state ?? '';
    case 'kind':
      return KINDS.indexOf(last.finding.kind);
    case 'blocked':
      return blockedMs;
    case 'what':
      return last.finding.waitsFor;
  }
}

function compared(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : Number(a > b);
}

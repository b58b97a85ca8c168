import type { NodeKey } from '../model/edge.ts';
import { whatForWithin } from '../sinks/long-waits.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { cut, fitted, widthOf } from '../terminal/width.ts';
import { type Line, NARROW } from './cells.ts';
import type { Holders } from './holders.ts';
import { type Row, tally } from './rows.ts';

/** Widths of the columns that do not grow. */
const WIDTHS = { count: 5, states: 3, time: 11 } as const;
/** Below this width, the function is left out. */
const WITH_FUNCTION = 110;
const MOST_NAMES = 4;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly at?: 'right';
  text(row: Row): string;
  /** Stays where there is too little room for the text. */
  mark?(row: Row): string;
}

/** The groups of a sample as a table: its titles, and a line for each row. */
export function tableOf(rows: readonly Row[], holders: Holders, columns: number): { title: Line; lines: Line[] } {
  const all = columnsFor(rows, holders, columns);
  const join = (texts: readonly string[]) => texts.join('  ');
  const title = join(all.map(({ title: text, width, at }) => fitted(text, width, at)));
  return {
    title: [{ text: title, style: 'bold' }],
    lines: rows.map((row) => [{ text: join(all.map((column) => cellOf(column, row))), style: row.finding.kind }]),
  };
}

function cellOf({ text, mark, width, at }: Column, row: Row): string {
  const end = mark?.(row) ?? '';
  return end === '' ? fitted(text(row), width, at) : fitted(`${cut(text(row), width - widthOf(end))}${end}`, width, at);
}

function otherWaitsText({ otherWaits }: Row): string {
  return otherWaits === 0 ? '' : ` (+${otherWaits})`;
}

function columnsFor(rows: readonly Row[], holders: Holders, columns: number): Column[] {
  const isNamed = rows.some(({ name }) => name !== undefined);
  const isHeld = rows.some((row) => row.holders.length > 0);
  const isNarrow = columns < NARROW;
  const hasFunction = columns >= WITH_FUNCTION;
  const count: Column = { title: 'TASKS', width: WIDTHS.count, at: 'right', text: ({ tasks }) => `${tasks.length}` };
  const others: readonly Column[] = [
    { title: 'ST', width: WIDTHS.states, text: statesOf },
    { title: 'FOR', width: WIDTHS.time, at: 'right', text: ({ longestMs }) => longestText(longestMs) },
  ];
  const fixed = isNarrow ? [count] : [count, ...others];
  const flexible: (Omit<Column, 'width'> & { readonly share: number })[] = [
    ...(isNamed ? [{ title: 'GROUP', share: 3, text: ({ name = '' }: Row) => escapeUnsafe(name) }] : []),
    {
      title: 'WAITS FOR',
      share: 6,
      text: ({ finding }) => whatForWithin(finding).replace(/^waits for /, ''),
      mark: otherWaitsText,
    },
    ...(isHeld && !isNarrow
      ? [{ title: 'HELD UP BY', share: 3, text: (row: Row) => holderText(row.holders, holders) }]
      : []),
    ...(hasFunction ? [{ title: 'FUNCTION', share: 3, text: functionOf }] : []),
    ...(isNarrow ? [] : [{ title: 'COMMANDS', share: 3, text: commandsOf }]),
  ];
  const gaps = 2 * (fixed.length + flexible.length - 1);
  const room = Math.max(0, columns - gaps - fixed.reduce((sum, { width }) => sum + width, 0));
  const wanted = flexible.map(({ title, share, text, mark }) => ({
    share,
    most: rows.reduce((most, row) => Math.max(most, widthOf(text(row)) + widthOf(mark?.(row) ?? '')), title.length),
  }));
  const widths = shared(room, wanted);
  return [...fixed, ...flexible.map(({ share: _, ...column }, at) => ({ ...column, width: widths[at] ?? 0 }))];
}

/** Divides room by shares; what one does not need, the others get. */
function shared(room: number, wanted: readonly { readonly share: number; readonly most: number }[]): number[] {
  const widths = wanted.map(() => 0);
  for (let left = room; left > 0; ) {
    const open = wanted.flatMap(({ share, most }, at) => ((widths[at] ?? 0) < most ? { share, most, at } : []));
    const shares = open.reduce((sum, { share }) => sum + share, 0);
    const unit = left / Math.max(1, shares);
    let given = 0;
    for (const { share, most, at } of open) {
      const before = widths[at] ?? 0;
      const more = Math.min(most - before, left - given, Math.max(1, Math.floor(unit * share)));
      widths[at] = before + more;
      given += more;
    }
    if (given === 0) break;
    left -= given;
  }
  return widths;
}

function statesOf({ tasks }: Row): string {
  return tally(tasks.map(({ observation: { state = '?' } }) => state))
    .map(([state]) => state)
    .join('');
}

/** How long, for a column; empty if that is not known. */
export function longestText(longestMs: number | undefined): string {
  return longestMs === undefined ? '' : formatDuration(longestMs);
}

function holderText(keys: readonly NodeKey[], holders: Holders): string {
  const [first, ...others] = keys;
  if (first === undefined) return '';
  return `${escapeUnsafe(holders.name(first))}${others.length === 0 ? '' : ` (+${others.length})`}`;
}

function functionOf({ finding: { frame, innermost } }: Row): string {
  return escapeUnsafe((frame ?? innermost)?.symbol ?? '');
}

function commandsOf({ tasks }: Row): string {
  const names = tally(tasks.map(({ observation: { task } }) => task.processName ?? task.comm ?? '?'));
  const shown = names
    .slice(0, MOST_NAMES)
    .map(([name, count]) => `${escapeUnsafe(name)}${count === 1 ? '' : ` x ${count}`}`);
  return shown.join(', ') + (names.length > MOST_NAMES ? ` (+${names.length - MOST_NAMES})` : '');
}

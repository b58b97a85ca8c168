import { kindCounts } from '../analysis/explain/explain-sample.ts';
import { verdictOf } from '../analysis/holders/verdict.ts';
import { isBlocked } from '../analysis/times/blocked-runs.ts';
import type { KindCounts } from '../model/finding.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import { formatUnread } from '../sinks/unread.ts';
import { formatWhy } from '../sinks/why.ts';
import type { Scope } from '../sinks/why-sentence.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { type Line, line, plainText, printed, wrapped } from './cells.ts';
import { type Details, explainDetails, groupDetails, taskDetails } from './details.ts';
import { type HeaderContext, headerLines } from './header.ts';
import { FOOTER, helpLines } from './help.ts';
import { type Holders, holdersIn } from './holders.ts';
import { type ExplainedTask, explainedTasks, type RowOptions, rowsOf } from './rows.ts';
import type { Size } from './screen.ts';
import { tableOf } from './table.ts';
import { observationOf, type Stay } from './task-track.ts';
import { type Drawn, placeOf, settled, type View } from './view.ts';

export interface Shown extends Omit<HeaderContext, 'columns'> {
  /** Undefined as long as there is none. */
  readonly sample: Sample | undefined;
  /** The sample before that: it confirms deadlocks. */
  before(): Sample | undefined;
  /** What a verdict is about. */
  readonly scope: Scope;
  /** What the last line says instead of the keys. */
  readonly message: string | undefined;
  readonly colour: boolean;
  /** What a task did up to this sample. */
  staysOf(task: string): readonly Stay[];
}

export interface Frame {
  readonly lines: readonly string[];
  readonly view: View;
  readonly drawn: Drawn;
}

const FOOTER_LINES = 1;

/** The fewest lines that stay below the header, and those that stay of it where there is no room. */
const [LEAST_BELOW, LEAST_HEADER] = [6, 1];

/** Draws views. What takes long is worked out once for each sample and page, and not again at each key. */
export class Drawing {
  #last: { readonly of: readonly unknown[]; readonly details: Details } | undefined;
  #explained: Explained | undefined;

  /** How many tasks of a sample are blocked. */
  blockedIn(sample: Sample): number {
    return this.#explain(sample).blocked;
  }

  /** All lines of the terminal, and the view with its place among what is there. */
  frameOf(view: View, shown: Shown, size: Size): Frame {
    const { rows, columns } = size;
    const { sample, colour, message } = shown;
    const explained = sample && this.#explain(sample);
    const header =
      explained === undefined
        ? [line(message ?? 'The first sample is being taken ...')]
        : headerLines(explained.sample, explained.counts, { ...shown, columns }).flatMap((each) =>
            wrapped(each, columns),
          );
    const above = header.slice(0, Math.max(LEAST_HEADER, rows - LEAST_BELOW));
    const room = Math.max(1, rows - above.length - FOOTER_LINES);
    const { fixed, lines, keys } =
      explained === undefined ? NOTHING : fittedTo(this.#detailsOf(view, explained, shown, columns), room);
    const drawn: Drawn = { keys, length: lines.length, height: Math.max(1, room - fixed.length) };
    const placed = settled(view, drawn);
    const { top, at } = placeOf(placed);
    const style = { columns, colour };
    const body = lines
      .slice(top, top + drawn.height)
      .map((each, row) => printed(each, { ...style, isSelected: keys.length > 0 && top + row === at }));
    const filled = [...[...above, ...fixed].map((each) => printed(each, style)), ...body];
    while (filled.length < rows - FOOTER_LINES) filled.push('');
    const footer = printed(footerOf(placed, drawn, message), style);
    return { lines: [...filled.slice(0, rows - FOOTER_LINES), footer], view: placed, drawn };
  }

  #explain(sample: Sample): Explained {
    if (this.#explained?.sample !== sample) this.#explained = explainedOf(sample);
    return this.#explained;
  }

  #detailsOf(view: View, explained: Explained, shown: Shown, columns: number): Details {
    const { grouping, sort, all, threads, filter } = view;
    const of = [explained, placeOf(view).page, grouping, sort, all, threads, filter, columns];
    if (this.#last === undefined || !of.every((part, at) => part === this.#last?.of[at]))
      this.#last = { of, details: detailsOf(view, explained, shown, columns) };
    return this.#last.details;
  }
}

/** What is worked out of a sample once. */
interface Explained {
  readonly sample: Sample;
  readonly tasks: readonly ExplainedTask[];
  readonly counts: KindCounts;
  readonly blocked: number;
}

function explainedOf(sample: Sample): Explained {
  const tasks = explainedTasks(sample);
  const findings = tasks.map(({ finding }) => finding);
  return {
    sample,
    tasks,
    counts: kindCounts(findings, sample.leftOut),
    blocked: tasks.filter(({ observation, finding }) => isBlocked(observation, finding)).length,
  };
}

const NOTHING: Details = { fixed: [], lines: [], keys: [] };
/** At least so many lines that move are seen. */
const LEAST_MOVING = 3;

/** On a low terminal, what would stay above moves along, as far as nothing in it is selected. */
function fittedTo({ fixed, lines, keys }: Details, room: number): Details {
  if (fixed.length + LEAST_MOVING <= room) return { fixed, lines, keys };
  return { fixed: fixed.slice(Math.max(0, fixed.length - Math.max(0, room - LEAST_MOVING))), lines, keys };
}

/** What cannot be selected goes on below. */
function detailsOf(view: View, explained: Explained, shown: Shown, columns: number): Details {
  const details = wholeDetails(view, explained, shown, columns);
  const { fixed, lines, keys } = details;
  if (placeOf(view).page.kind === 'groups') return details;
  const below = (some: readonly Line[]) => some.flatMap((each) => wrapped(each, columns));
  return { fixed: below(fixed), lines: keys.length === 0 ? below(lines) : lines, keys };
}

function wholeDetails(view: View, { sample, tasks }: Explained, shown: Shown, columns: number): Details {
  const { page } = placeOf(view);
  if (page.kind === 'help') return { fixed: [], lines: helpLines(), keys: [] };
  if (page.kind === 'verdict') return { fixed: [], lines: verdictLines(sample, shown), keys: [] };
  const holders = holdersIn(sample);
  if (page.kind === 'task')
    return taskDetails(observationOf(sample, page.task), shown.staysOf(page.task), holders, shown);
  if (page.kind === 'groups') return groupsDetails(tasks, holders, view, columns);
  const row = rowsOf(tasks, holders, view).find(({ key }) => key === page.group);
  if (row === undefined) return { fixed: [], lines: [line('No task is in this group now.')], keys: [] };
  return page.kind === 'group' ? groupDetails(row, holders, columns) : explainDetails(row);
}

function groupsDetails(
  tasks: readonly ExplainedTask[],
  holders: Holders,
  options: RowOptions,
  columns: number,
  hint = ALL_TASKS,
): Details {
  const rows = rowsOf(tasks, holders, options);
  const { title, lines } = tableOf(rows, holders, columns);
  return {
    fixed: [title],
    lines: rows.length === 0 ? [line(noneText(tasks, options, hint))] : lines,
    keys: rows.map(({ key }) => key),
  };
}

const ALL_TASKS = ' (a: all tasks)';

/** @param hint how to see more; none where no keys are read */
function noneText(tasks: readonly ExplainedTask[], { all, filter }: RowOptions, hint: string): string {
  if (tasks.length === 0) return 'No task is selected.';
  const more = all ? '' : hint;
  if (filter !== '') return `No task shown has '${escapeUnsafe(filter)}' in it${more}.`;
  return all ? 'No task is left to show.' : `No task is blocked or running${more}.`;
}

function verdictLines(sample: Sample, { host, before, scope }: Pick<Shown, 'host' | 'before' | 'scope'>): Line[] {
  const unknown = formatUnread(everythingUnread(sample), true);
  const text = [
    ...formatWhy(verdictOf(sample, before()), { colour: false, evidence: false, host, scope, unknown }),
  ].join('');
  return text
    .trimEnd()
    .split('\n')
    .map((each, at) => line(each, at === 0 ? 'bold' : 'plain'));
}

function footerOf(view: View, { keys }: Drawn, message?: string): Line {
  const { typed, filter, grouping, sort } = view;
  if (typed !== undefined) return [{ text: '/', style: 'bold' }, { text: escapeUnsafe(typed) }, { text: '_' }];
  if (message !== undefined) return line(message, 'bold');
  const { page, at } = placeOf(view);
  const told = [
    ...(page.kind === 'groups' ? [`by ${grouping}, ${sort}`] : ['escape: back']),
    ...(filter === '' ? [] : [`filter '${escapeUnsafe(filter)}'`]),
    ...(keys.length === 0 ? [] : [`${at + 1}/${keys.length}`]),
  ];
  return [
    { text: `${told.join(', ')}  `, style: 'bold' },
    { text: FOOTER, style: 'dim' },
  ];
}

/** A sample for a file or a pipe: the header and all groups. */
export function blockOf(sample: Sample, context: HeaderContext, options: RowOptions): string {
  const { tasks, counts } = explainedOf(sample);
  const { fixed, lines } = groupsDetails(tasks, holdersIn(sample), options, context.columns, '');
  return `${[...headerLines(sample, counts, context), ...fixed, ...lines].map(plainText).join('\n')}\n`;
}

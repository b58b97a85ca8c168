import { EVENT_KINDS, type Event } from '../../model/event.ts';
import { FIELD_NAMES } from '../../model/fields.ts';
import { PRESSURES } from '../../model/pressure.ts';
import type { LeftOut, Sample, Unread } from '../../model/sample.ts';
import type { Selection } from '../../model/selection.ts';
import { allRows, type Cells, type Database } from './cells.ts';
import { inScope, type Scope } from './scope.ts';
import { neededBy } from './selected-rows.ts';
import type { Intern } from './stored.ts';
import { graphIn } from './stored-edges.ts';
import { StoredTasks } from './stored-tasks.ts';

/** So many rows are in memory, or those of one second. */
const MOST_ROWS = 30_000;
const [HOUR_MS, SECOND_MS] = [3_600_000, 1000];

/**
 * The samples of a database in the order of their times, as whole as the tables have them. What they do not have: the
 * arguments of a command line one by one, the number of a system call, what makes a resource hang for good.
 * @param selection is applied by the caller: tasks that it needs not are left out, as far as the database can tell
 */
export async function* storedSamples(
  database: Database,
  scope: Scope,
  intern: Intern,
  selection?: Selection,
): AsyncGenerator<Sample> {
  const stored = new StoredTasks(database, intern);
  const waiting = new Map<string, Event[]>();
  const need: Need = (part) => (selection === undefined ? undefined : neededBy(selection, part));
  for await (const slice of slicesOf(database, scope, need))
    yield* samplesIn(database, slice, need(slice), stored, waiting);
}

/** The condition that a row of observations is needed; undefined if all are. */
type Need = (part: Scope) => string | undefined;

/** When the samples of a scope begin and end; undefined if there is none with a time. */
export async function storedSpan(
  database: Database,
  scope: Scope,
): Promise<{ firstMs: number; lastMs: number } | undefined> {
  const statement = `SELECT count() AS samples, min(time_ms) AS first_ms, max(time_ms) AS last_ms
FROM samples WHERE ${inScope(scope)} AND time_ms > 0`;
  for (const row of await allRows(database, statement))
    if (row.toldNumber('samples') > 0)
      return { firstMs: row.toldNumber('first_ms'), lastMs: row.toldNumber('last_ms') };
  return undefined;
}

/** The scope in parts that fit into memory: hours together, or seconds of one hour. */
async function* slicesOf(database: Database, scope: Scope, need: Need): AsyncGenerator<Scope> {
  for (const hours of joined(await slotsOf(database, scope, need, HOUR_MS))) {
    const part = within(scope, hours, HOUR_MS);
    if (hours.rows <= MOST_ROWS) yield part;
    else
      for (const seconds of joined(await slotsOf(database, part, need, SECOND_MS)))
        yield within(scope, seconds, SECOND_MS);
  }
}

interface Slots {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
}

async function slotsOf(database: Database, scope: Scope, need: Need, ms: number): Promise<Slots[]> {
  const needed = need(scope);
  const slots = (
    table: string,
    rows: string,
    condition = '1',
  ) => `SELECT intDiv(time_ms, ${ms}) AS slot, ${rows} AS observed
FROM ${table} WHERE ${inScope(scope)} AND ${condition} GROUP BY slot`;
  const counted = ['samples', 'waits', 'unread'].map((table) => slots(table, 'count()'));
  const all =
    needed === undefined
      ? [slots('samples FINAL', 'sum(tasks)')]
      : [...counted, slots('observations', 'count()', needed)];
  const statement = `SELECT slot, sum(observed) AS rows FROM (${all.join(' UNION ALL ')}) GROUP BY slot ORDER BY slot`;
  return (await allRows(database, statement)).map((row) => {
    const slot = row.toldNumber('slot');
    return { first: slot, last: slot, rows: row.toldNumber('rows') };
  });
}

/** Neighbours together, as long as they are few rows. */
function* joined(slots: readonly Slots[]): Generator<Slots> {
  let open: Slots | undefined;
  for (const slot of slots) {
    const rows: number = (open?.rows ?? 0) + slot.rows;
    if (open !== undefined && rows > MOST_ROWS) {
      yield open;
      open = slot;
    } else open = { first: open?.first ?? slot.first, last: slot.last, rows };
  }
  if (open !== undefined) yield open;
}

function within({ hosts, fromMs, toMs }: Scope, { first, last }: Slots, ms: number): Scope {
  return { hosts, fromMs: Math.max(fromMs, first * ms), toMs: Math.min(toMs, (last + 1) * ms - 1) };
}

const OBSERVED = [
  'toString(sample) AS of_sample',
  'task',
  'selected',
  'own',
  'state',
  'kind',
  'stack',
  'stack_unread',
  'cpu',
  'wchan',
  'off_cpu_ms',
  'on_cpu_ms',
  'traced_times',
  'traced_off_cpu_ms',
  'switches',
  'system_call',
];

async function* samplesIn(
  database: Database,
  slice: Scope,
  needed: string | undefined,
  stored: StoredTasks,
  waiting: Map<string, Event[]>,
): AsyncGenerator<Sample> {
  const from = (table: string, columns: string, order = 'time_ms', condition = '1') =>
    allRows(
      database,
      `SELECT ${columns} FROM ${table} FINAL WHERE ${inScope(slice)} AND ${condition} ORDER BY ${order}`,
    );
  const samples = await from('samples', 'toString(sample) AS of_sample, *', 'time_ms, host, sample');
  const observed = await from('observations', OBSERVED.join(', '), 'time_ms, host, sample, tid', needed);
  const isCut = samples.some((row) => row.toldNumber('left_out') > 0);
  const kinds = isCut ? await kindsSeen(database, slice) : new Map<string, number>();
  await stored.learn(observed);
  const observations = bySample(observed);
  const waits = bySample(await from('waits', 'toString(sample) AS of_sample, *'));
  const unread = bySample(await from('unread', 'toString(sample) AS of_sample, *'));
  for (const row of await from('events', '*')) keep(waiting, row);
  for (const row of samples) {
    const key = row.toldText('of_sample');
    const events = waiting.get(row.toldText('host'));
    const timeMs = row.toldNumber('time_ms');
    const due = events?.filter((event) => (event.timeMs ?? 0) <= timeMs) ?? [];
    if (events !== undefined && due.length > 0) waiting.set(row.toldText('host'), events.slice(due.length));
    const rows = { observed: observations.get(key) ?? [], unread: unread.get(key) ?? [], waits: waits.get(key) ?? [] };
    yield sampleIn(row, rows, stored, { events: due, leftOut: leftOutIn(row, kinds) });
  }
}

function bySample(rows: readonly Cells[]): Map<string, Cells[]> {
  const lists = new Map<string, Cells[]>();
  for (const row of rows) {
    const key = row.toldText('of_sample');
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [row]);
    else list.push(row);
  }
  return lists;
}

/** An event belongs to the next sample of its host. */
function keep(waiting: Map<string, Event[]>, row: Cells): void {
  const kind = EVENT_KINDS.find((name) => name === row.text('kind'));
  if (kind === undefined) return;
  const [timeMs, uptimeSeconds] = [row.toldNumber('time_ms'), row.number('uptime_s')];
  const event = { timeMs, ...(uptimeSeconds !== undefined && { uptimeSeconds }), kind, text: row.toldText('text') };
  const host = row.toldText('host');
  const known = waiting.get(host);
  if (known === undefined) waiting.set(host, [event]);
  else known.push(event);
}

const SOURCES = ['bpf', 'procfs', 'text'] as const;

function sampleIn(
  row: Cells,
  { observed, unread, waits }: Readonly<Record<'observed' | 'unread' | 'waits', readonly Cells[]>>,
  stored: StoredTasks,
  { events, leftOut }: { readonly events: readonly Event[]; readonly leftOut: LeftOut },
): Sample {
  const [timeMs, host] = [row.toldNumber('time_ms'), row.toldText('host')];
  const [bootId, kernel, architecture] = [row.text('boot_id'), row.text('kernel'), row.text('architecture')];
  const [uptimeSeconds, intervalMs] = [row.number('uptime_s'), row.number('interval_ms')];
  const [bootMs, ticksPerSecond] = [row.number('boot_time_ms'), row.number('ticks_per_second')];
  const why = row.text('source_why');
  const pressure = pressureIn(row);
  const of = (selected: boolean) =>
    observed.filter((each) => each.flag('selected') === selected).map((each) => stored.observationIn(each));
  return {
    ...(timeMs > 0 && { timeMs }),
    ...(uptimeSeconds !== undefined && { uptimeSeconds }),
    ...(host !== '' && { host }),
    ...(bootId !== undefined && { bootId: { value: bootId } }),
    ...(kernel !== undefined && { kernel }),
    ...(architecture !== undefined && { architecture }),
    ...(intervalMs !== undefined && { intervalMs }),
    ...(bootMs !== undefined && { bootTimeSeconds: bootMs / 1000 }),
    ...(ticksPerSecond !== undefined && { ticksPerSecond }),
    source: {
      name: SOURCES.find((name) => name === row.text('source')) ?? 'text',
      ...(why !== undefined && { why }),
    },
    threads: row.flag('threads'),
    fields: FIELD_NAMES,
    observations: of(true),
    holders: of(false),
    ...graphIn(waits),
    leftOut,
    // An observation tells itself that its stack was not read.
    unread: unread.flatMap((each) =>
      each.text('what') === 'stack' && each.text('why') !== 'cut' ? [] : [unreadIn(each)],
    ),
    ...(events.length > 0 && { events }),
    ...(pressure !== undefined && { pressure }),
  };
}

const KINDS = ['blocked', 'idle', 'running', 'unexplained'] as const;

/** How many tasks of each kind the samples have, by the key of the sample and the kind. */
async function kindsSeen(database: Database, slice: Scope): Promise<Map<string, number>> {
  const statement = `SELECT concat(toString(sample), ' ', kind) AS of, count() AS seen
FROM observations FINAL WHERE ${inScope(slice)} AND selected = 1 GROUP BY of`;
  const rows = await allRows(database, statement);
  return new Map(rows.map((row) => [row.toldText('of'), row.toldNumber('seen')]));
}

function leftOutIn(row: Cells, kinds: ReadonlyMap<string, number>): LeftOut {
  if (row.toldNumber('left_out') === 0) return {};
  const left: { -readonly [K in keyof LeftOut]: LeftOut[K] } = {};
  for (const kind of KINDS) {
    const seen = kinds.get(`${row.toldText('of_sample')} ${kind}`) ?? 0;
    if (row.toldNumber(kind) > seen) left[kind] = row.toldNumber(kind) - seen;
  }
  return left;
}

/** Its words are those that were written. */
function unreadIn(row: Cells): Unread {
  const [pid, comm, detail] = [row.number('pid'), row.text('comm'), row.text('detail')];
  const [what, why] = [row.toldText('what') as Unread['what'], row.toldText('why') as Unread['why']];
  return {
    tid: row.number('tid') ?? 0,
    ...(pid !== undefined && { pid }),
    ...(comm !== undefined && { comm }),
    what,
    why,
    ...(detail !== undefined && { detail }),
  };
}

function pressureIn(row: Cells): Sample['pressure'] {
  const stalls = PRESSURES.flatMap((name) => {
    const [some, full] = [row.number(`${name}_some`), row.number(`${name}_full`)];
    return some === undefined ? [] : [[name, { some, ...(full !== undefined && { full }) }] as const];
  });
  return stalls.length === 0 ? undefined : Object.fromEntries(stalls);
}

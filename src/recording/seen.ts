import type { Reading } from '../model/reading.ts';
import type { KernelFacts, Observation } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import type { Definitions } from './definitions.ts';
import { LongList, type Placed } from './long-list.ts';
import type { Look } from './record.ts';
import { count32, counts, duration, object, type Shape, ShapeError } from './shape.ts';

/** A task as it was seen in one sample or several. */
export interface Seen {
  readonly task: Task;
  readonly stack: Reading<Stack>;
  readonly look: Look;
  readonly cpu: number | undefined;
  readonly switches: number | undefined;
  /** When it left its CPU, by the monotonic clock. */
  readonly sinceMs: number | undefined;
}

type Made<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Made property by property, in one order: objects of one shape take a third of the time that spreading the look takes.
 */
export function observationOf(seen: Seen, monotonicMs: number | undefined): Observation {
  const { task, stack, look, cpu, switches, sinceMs } = seen;
  const { state, wchan, waitsBy, systemCall } = look;
  const observation: Made<Observation> = { task, stack };
  if (state !== undefined) observation.state = state;
  if (cpu !== undefined) observation.cpu = cpu;
  if (wchan !== undefined) observation.wchan = wchan;
  if (waitsBy !== undefined) observation.waitsBy = waitsBy;
  if (systemCall !== undefined) observation.systemCall = systemCall;
  const offCpuMs = sinceMs === undefined || monotonicMs === undefined ? undefined : monotonicMs - sinceMs;
  const facts = factsOf(look.facts, switches, offCpuMs);
  if (facts !== undefined) observation.facts = facts;
  return observation;
}

function factsOf(
  told: KernelFacts | undefined,
  switches: number | undefined,
  offCpuMs: number | undefined,
): KernelFacts | undefined {
  if (switches === undefined && offCpuMs === undefined) return told;
  const facts: Made<KernelFacts> = {};
  if (switches !== undefined) facts.switches = switches;
  if (offCpuMs !== undefined) facts.offCpuMs = offCpuMs;
  // Most often it is empty.
  for (const _ in told) return { ...told, ...facts };
  return facts;
}

/** Fails to compile if a look has a field that {@link observationOf} does not copy. */
type Copied = 'state' | 'cpu' | 'wchan' | 'waitsBy' | 'systemCall' | 'facts';
true satisfies Exclude<keyof Look, Copied> extends never ? true : false;

type Row = readonly (number | null)[];

/** A list of a hundred thousand is not unusual: no name is made for each number. */
const rows: Shape<Row[]> = (value, place) => {
  const isRow = (row: unknown) => Array.isArray(row) && row.every((item) => item === null || Number.isFinite(item));
  if (!Array.isArray(value) || !value.every(isRow)) throw new ShapeError(`${place}: not a list of lists of numbers`);
  return value;
};

/** What a sample tells of a list: see `Changes` in record.ts. */
export type ToldChanges = ReturnType<typeof changesShape>;
export const changesShape = object<object, { gone: number[]; put: Row[]; set: Row[] }>(
  {},
  { gone: counts, put: rows, set: rows },
);

export interface SeenChanges {
  readonly now: LongList<Seen>;
  readonly gone: readonly Seen[];
  readonly come: readonly Seen[];
  /** Where that is: in the list before, and in the one now. Absent of a list that is told anew. */
  readonly places?: {
    readonly gone: readonly number[];
    readonly put: readonly Placed<Seen>[];
    readonly set: readonly Placed<Seen>[];
  };
}

/** Where a task's stack stands in a row of `put`, and in one of `set`. The other numbers follow. */
const [PUT_STACK, SET_STACK] = [2, 1];

const NOWHERE = { gone: [], put: [], set: [] };

/** Turns what samples tell of a list of tasks into that list. */
export class SeenReader {
  readonly #definitions: Definitions;

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  /** A list that is told anew, of which most is in another one. */
  first(
    { gone = [], put = [], set = [] }: ToldChanges,
    before: LongList<Seen>,
    monotonicMs: number | undefined,
  ): SeenChanges {
    const old = before.toArray();
    let next = 0;
    let places: Map<Task, number> | undefined;
    const lastOf = (task: Task) => {
      if (old[next]?.task !== task) {
        places ??= new Map(old.map((seen, at) => [seen.task, at]));
        next = places.get(task) ?? old.length;
      }
      return old[next++];
    };
    const added = this.#put(put, lastOf, monotonicMs);
    const { now } = this.#set(new LongList<Seen>().spliced(gone, added), set, monotonicMs, () => undefined);
    return { now, ...differing(old, now.toArray()) };
  }

  /** A list that is told by what changed, in time that follows the changes. */
  next(
    before: LongList<Seen>,
    { gone = [], put = [], set = [] }: ToldChanges,
    monotonicMs: number | undefined,
  ): SeenChanges {
    if (gone.length + put.length + set.length === 0) return { now: before, gone: [], come: [], places: NOWHERE };
    if (gone.length + put.length === 0) return this.#nextInPlace(before, set, monotonicMs);
    // A task that only moved in the list is told as gone and put.
    const leaving = before.itemsAt(gone);
    const left = new Map(leaving.map((seen) => [seen.task, seen]));
    const added = this.#put(put, (task) => left.get(task), monotonicMs);
    const [out, come] = [new Set<Seen>(), new Set(added.map(({ item }) => item))];
    for (const seen of leaving) if (!come.delete(seen)) out.add(seen);
    const { now, places } = this.#set(before.spliced(gone, added), set, monotonicMs, (old, seen) => {
      if (!come.delete(old)) out.add(old);
      come.add(seen);
    });
    return { now, gone: [...out], come: [...come], places: { gone, put: added, set: places } };
  }

  /** Nobody came or went: what most samples tell. */
  #nextInPlace(before: LongList<Seen>, set: readonly Row[], monotonicMs: number | undefined): SeenChanges {
    const [gone, come]: [Seen[], Seen[]] = [[], []];
    const { now, places } = this.#set(before, set, monotonicMs, (old, seen) => {
      gone.push(old);
      come.push(seen);
    });
    return { now, gone, come, places: { gone: [], put: [], set: places } };
  }

  #put(put: readonly Row[], lastOf: (task: Task) => Seen | undefined, monotonicMs: number | undefined): Placed<Seen>[] {
    let [at, number] = [0, 0];
    return put.map((row) => {
      at += row[0] ?? 0;
      number += row[1] ?? 0;
      const task = inTable(this.#definitions.tasks, number++, 'task');
      return { at: at++, item: this.#seen(task, row, PUT_STACK, monotonicMs, lastOf(task)) };
    });
  }

  #set(
    list: LongList<Seen>,
    set: readonly Row[],
    monotonicMs: number | undefined,
    changed: (old: Seen, seen: Seen) => void,
  ): { now: LongList<Seen>; places: Placed<Seen>[] } {
    let next = 0;
    const changes = set.map((row) => {
      const skip = row[0] ?? 0;
      if (skip < 0) throw new ShapeError('changes are not in the order of the tasks');
      const at = next + skip;
      next = at + 1;
      return { at, row };
    });
    const places: Placed<Seen>[] = [];
    const now = list.changed(changes, (old, { at, row }) => {
      const item = this.#seen(old.task, row, SET_STACK, monotonicMs, undefined);
      changed(old, item);
      places.push({ at, item });
      return item;
    });
    return { now, places };
  }

  /** The last one if the task was seen in the same way. */
  #seen(task: Task, row: Row, from: number, monotonicMs: number | undefined, last: Seen | undefined): Seen {
    const stack = inTable(this.#definitions.stacks, row[from] ?? -1, 'stack');
    const look = inTable(this.#definitions.looks, row[from + 1] ?? -1, 'look');
    const cpu = optional(row[from + 2], count32, 'cpu');
    const switches = optional(row[from + 3], count32, 'switches');
    const offCpuMs = optional(row[from + 4], duration, 'time off the CPU');
    const sinceMs = offCpuMs === undefined || monotonicMs === undefined ? undefined : monotonicMs - offCpuMs;
    const isSame =
      last?.stack === stack &&
      last.look === look &&
      last.cpu === cpu &&
      last.switches === switches &&
      last.sinceMs === sinceMs;
    if (last !== undefined && isSame) return last;
    return { task, stack, look, cpu, switches, sinceMs };
  }
}

function optional(value: number | null | undefined, shape: Shape<number>, place: string): number | undefined {
  return value === null || value === undefined ? undefined : shape(value, place);
}

/** @throws ShapeError if there is none of this number */
export function inTable<T>(table: readonly T[], number: number, name: string): T {
  const value = table[number];
  if (value === undefined) throw new ShapeError(`${name} ${number} is not defined`);
  return value;
}

/** What is in one list only. Most has the same place in both. */
function differing(before: readonly Seen[], after: readonly Seen[]): Omit<SeenChanges, 'now'> {
  const old = before.filter((seen, at) => seen !== after[at]);
  const now = after.filter((seen, at) => seen !== before[at]);
  const [inOld, inNow] = [new Set(old), new Set(now)];
  return { gone: old.filter((seen) => !inNow.has(seen)), come: now.filter((seen) => !inOld.has(seen)) };
}

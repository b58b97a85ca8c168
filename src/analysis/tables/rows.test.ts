import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../../test/samples.ts';
import type { Sample } from '../../model/sample.ts';
import { parseFrames } from '../../model/stack.ts';
import { TableRows, tableRows } from './rows.ts';
import { type Column, TABLE_NAMES, type TableName, type TableRow, tableNamed, type Value } from './tables.ts';

async function rowsOf(samples: readonly Sample[]): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const row of tableRows(samples)) rows.push(row);
  return rows;
}

const inTable = (rows: readonly TableRow[], name: TableName): Record<string, Value>[] =>
  rows.filter(({ table }) => table === name).map(({ row }) => row);

const keyOf = (table: TableName, row: Record<string, Value>) =>
  tableNamed(table)
    .key.map((column) => String(row[column]))
    .join('/');

function isOf({ type, nullable }: Column, value: Value | undefined): boolean {
  if (value === null) return nullable === true;
  switch (type) {
    case 'key':
      return typeof value === 'bigint' && value >= 0n && value < 2n ** 64n;
    case 'text':
      return typeof value === 'string' && value.isWellFormed();
    case 'flag':
      return typeof value === 'boolean';
    case 'real':
      return typeof value === 'number' && Number.isFinite(value);
    case 'count':
      return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32;
    default:
      return Number.isSafeInteger(value);
  }
}

const STACK = { id: 0, frames: parseFrames('[<0>] futex_wait_queue+0x60/0x90\n[<0>] do_futex+0x105/0x1a0') };

describe('the rows of samples', () => {
  it('have a value of its type for each column, in valid UTF-8', async () => {
    const rows = await rowsOf(ODD_SAMPLES);
    expect([...new Set(rows.map(({ table }) => table))].sort()).toEqual([...TABLE_NAMES].sort());
    for (const { table, row } of rows) {
      const { columns } = tableNamed(table);
      expect(Object.keys(row).sort()).toEqual(Object.keys(columns).sort());
      const values: Record<string, Value> = row;
      const wrong = Object.entries(columns).filter(([name, column]) => !isOf(column, values[name]));
      expect([table, wrong.map(([name]) => [name, values[name]])]).toEqual([table, []]);
    }
    expect(inTable(rows, 'tasks').some(({ comm }) => String(comm).includes('\\xff'))).toBe(true);
  });

  it('have each key once, and refer to rows that came before', async () => {
    const rows = await rowsOf(ODD_SAMPLES);
    for (const name of TABLE_NAMES) {
      const keys = inTable(rows, name).map((row) => keyOf(name, row));
      expect([name, new Set(keys).size]).toEqual([name, keys.length]);
    }
    const known = new Map<TableName, Set<string>>();
    for (const { table, row } of rows) {
      const values: Record<string, Value> = row;
      const missing = (['sample', 'task', 'finding', 'stack'] as const).filter((column) => {
        const target: TableName = `${column}s`;
        const value = values[column];
        return target !== table && typeof value === 'bigint' && known.get(target)?.has(String(value)) !== true;
      });
      expect([table, missing]).toEqual([table, []]);
      known.set(table, (known.get(table) ?? new Set()).add(keyOf(table, values)));
    }
  });

  it('of all observations and holders are there, and of all edges and events', async () => {
    const rows = await rowsOf(ODD_SAMPLES);
    const sum = (of: (sample: Sample) => number) => ODD_SAMPLES.reduce((total, sample) => total + of(sample), 0);
    expect(inTable(rows, 'samples')).toHaveLength(ODD_SAMPLES.length);
    const observations = inTable(rows, 'observations');
    expect(observations.filter(({ selected }) => selected === true)).toHaveLength(sum((s) => s.observations.length));
    expect(observations.filter(({ selected }) => selected === false)).toHaveLength(sum((s) => s.holders.length));
    expect(inTable(rows, 'events')).toHaveLength(sum(({ events = [] }) => events.length));
  });

  it('are the same again, and for a selection of the same tasks', async () => {
    const rows = await rowsOf(ODD_SAMPLES);
    expect(await rowsOf(structuredClone(ODD_SAMPLES))).toEqual(rows);
    const fewer = ODD_SAMPLES.map((sample) => ({ ...sample, observations: sample.observations.slice(0, 3) }));
    const all = new Set(inTable(rows, 'observations').map(({ observation }) => observation));
    for (const { observation } of inTable(await rowsOf(fewer), 'observations')) expect(all).toContain(observation);
  });

  it('have keys of their own for another host, another time, and another sample at the same time', async () => {
    const sample = { ...EMPTY_SAMPLE, observations: [observationOf(1)] };
    const samples = [sample, sample, { ...sample, timeMs: 1 }, { ...sample, host: 'other' }];
    const rows = await rowsOf(samples);
    for (const [table, column] of [
      ['samples', 'sample'],
      ['observations', 'observation'],
    ] as const)
      expect(new Set(inTable(rows, table).map((row) => row[column])).size).toBe(4);
    const { timeMs: _, ...untimed } = sample;
    expect(new Set(inTable(await rowsOf([untimed, untimed]), 'samples').map((row) => row['sample'])).size).toBe(2);
  });

  it('tell two hosts of one name apart by their boots, if they were recorded at one time', async () => {
    const of = (boot: string, stream: number, seconds: number): Sample => ({
      ...EMPTY_SAMPLE,
      host: 'localhost',
      bootId: { value: `${boot}-0000` },
      timeMs: seconds * 1000,
      stream,
      observations: [observationOf(1)],
      events: [{ timeMs: seconds * 1000, kind: 'oom', text: 'Out of memory' }],
    });
    const [one, other] = ['11111111', '22222222'] as const;
    const rows = await rowsOf([of(one, 0, 0), of(other, 1, 2), of(one, 0, 10), of(other, 1, 12), of(one, 0, 20)]);
    const hosts = ['localhost', 'localhost (boot 22222222)'];
    expect(inTable(rows, 'samples').map((row) => [row['host'], row['span_ms']])).toEqual([
      [hosts[0], null],
      [hosts[1], null],
      [hosts[0], 10_000],
      [hosts[1], 10_000],
      [hosts[0], 10_000],
    ]);
    for (const table of ['tasks', 'observations', 'events'] as const)
      expect([...new Set(inTable(rows, table).map(({ host }) => host))]).toEqual(hosts);
  });

  it('tell for how long a sample speaks, and no gap', async () => {
    const times = [0, 10_000, 20_000, 30_000, 3_000_000];
    const rows = await rowsOf(times.map((timeMs) => ({ ...EMPTY_SAMPLE, timeMs })));
    expect(inTable(rows, 'samples').map((row) => row['span_ms'])).toEqual([null, 10_000, 10_000, 10_000, 10_000]);
  });

  it('have one wait for the same functions, whatever kernel and task', async () => {
    const other = { id: 1, frames: parseFrames('[<0>] futex_wait_queue+0x1/0x2 [m]\n[<0>] do_futex.isra.0+0x3/0x4') };
    const observations = [STACK, other].map((stack, at) =>
      observationOf(at + 1, { state: 'S', stack: { value: stack } }),
    );
    const rows = inTable(await rowsOf([{ ...EMPTY_SAMPLE, observations }]), 'observations');
    expect(new Set(rows.map(({ wait }) => wait)).size).toBe(1);
    expect(new Set(rows.map(({ stack }) => stack)).size).toBe(2);
    const unread = observationOf(3, { state: 'S', stack: { unread: 'timeout' } });
    const [row] = inTable(await rowsOf([{ ...EMPTY_SAMPLE, observations: [unread] }]), 'observations');
    expect([row?.['stack'], row?.['stack_unread']]).toEqual([null, 'timeout']);
  });

  it('of a task come again where it changed, and not where it stayed', async () => {
    const named = (comm: string) => observationOf(7, { task: taskOf(7, { comm }) });
    const samples = [named('a'), named('a'), named('b')].map((observation, timeMs) => ({
      ...EMPTY_SAMPLE,
      timeMs,
      observations: [observation],
    }));
    const rows = await rowsOf(samples);
    expect(inTable(rows, 'tasks').map(({ comm }) => comm)).toEqual(['a', 'b']);
    expect(inTable(rows, 'observations').map(({ task }) => task)).toEqual(
      ['a', 'a', 'b'].map((name) => inTable(rows, 'tasks').find(({ comm }) => comm === name)?.['task']),
    );
  });

  it('that others refer to come again for whoever has forgotten them, with the same keys', () => {
    const rows = new TableRows();
    const sample = { ...EMPTY_SAMPLE, observations: [observationOf(1, { stack: { value: STACK } })] };
    const referred = () => {
      const timed = new Set(['samples', 'observations']);
      return [...rows.of(sample)].filter(({ table }) => !timed.has(table));
    };
    const first = referred();
    expect(new Set(first.map(({ table }) => table))).toEqual(new Set(['tasks', 'findings', 'stacks', 'frames']));
    expect(referred()).toEqual([]);
    rows.forget();
    expect(referred()).toEqual(first);
  });
});

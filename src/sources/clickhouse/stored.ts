import type { Finding } from '../../model/finding.ts';
import type { Frame, Stack } from '../../model/stack.ts';
import { allRows, type Cells, type Database } from './cells.ts';
import { listOf } from './scope.ts';

/** Makes a stack of frames: equal ones are one object. */
export type Intern = (frames: readonly Frame[]) => Stack;

/** The key of no stack: as text, since keys have 64 bits. */
const NONE = '0';
/** A statement has at most 256 KiB. */
const KEYS_AT_ONCE = 5000;

/** The stacks with these keys. */
export async function stacksOf(
  database: Database,
  keys: Iterable<string>,
  intern: Intern,
): Promise<Map<string, Stack>> {
  const stacks = new Map<string, Stack>();
  for (const some of portions(keys)) {
    const columns = 'position, symbol, offset_bytes, size_bytes, module';
    const rows = await allRows(
      database,
      `SELECT toString(stack) AS key, ${columns} FROM frames FINAL WHERE stack IN ${listOf(some)} ORDER BY stack, position`,
    );
    const frames = new Map<string, Frame[]>();
    for (const row of rows) {
      const key = row.toldText('key');
      const known = frames.get(key);
      if (known === undefined) frames.set(key, [frameIn(row)]);
      else known.push(frameIn(row));
    }
    for (const [key, list] of frames) stacks.set(key, intern(list));
  }
  return stacks;
}

function frameIn(row: Cells): Frame {
  const symbol = row.toldText('symbol');
  const [offset, size, module] = [row.number('offset_bytes'), row.number('size_bytes'), row.text('module')];
  if (offset === undefined || size === undefined) return { symbol, raw: `[<0>] ${symbol}` };
  const told = { symbol, offset, size, ...(module !== undefined && { module }) };
  const place = `${symbol}+0x${offset.toString(16)}/0x${size.toString(16)}`;
  return { ...told, raw: `[<0>] ${place}${module === undefined ? '' : ` [${module}]`}` };
}

/** The findings with these keys. */
export async function findingsOf(database: Database, keys: Iterable<string>): Promise<Map<string, Finding>> {
  const findings = new Map<string, Finding>();
  for (const some of portions(keys)) {
    const statement = `SELECT toString(finding) AS key, * FROM findings FINAL WHERE finding IN ${listOf(some)}`;
    for (const row of await allRows(database, statement)) findings.set(row.toldText('key'), findingIn(row));
  }
  return findings;
}

/** The one that a row refers to. */
export function knownFinding(findings: ReadonlyMap<string, Finding>, row: Cells): Finding {
  const key = row.toldText('finding');
  const finding = findings.get(key);
  if (finding === undefined) throw new TypeError(`the database has no finding ${key}, which a task refers to`);
  return finding;
}

const KINDS = ['blocked', 'idle', 'running'] as const;

function findingIn(row: Cells): Finding {
  const symbol = row.text('function');
  const frame = symbol === undefined ? undefined : { symbol, raw: symbol };
  return {
    rule: row.text('rule'),
    kind: KINDS.find((kind) => kind === row.text('kind')) ?? 'unexplained',
    waitsFor: row.toldText('waits_for'),
    within: row.text('within'),
    causes: row.toldText('causes'),
    next: linesIn(row.toldText('next')),
    undo: linesIn(row.toldText('undo')),
    source: row.text('source'),
    kernels: undefined,
    frame,
    innermost: frame,
    others: [],
  };
}

function linesIn(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}

/** Lists of keys that fit into a statement, each key once. */
export function* portions(keys: Iterable<string>): Generator<string[]> {
  const all = [...new Set(keys)].filter((key) => key !== NONE);
  for (let at = 0; at < all.length; at += KEYS_AT_ONCE) yield all.slice(at, at + KEYS_AT_ONCE);
}

import { jsonText } from '../model/json-text.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

/** The rows of a statement, in chunks. */
export interface ResultRows {
  readonly names: readonly string[];
  readonly rows: AsyncIterable<readonly (readonly unknown[])[]>;
}

/** How many rows the widths of columns come from. */
const MEASURED = 1000;
/** Numbers that need no more digits than a program can tell apart. */
const DIGITS = 3;

/** As a table for people: numbers at the right, nothing for null. */
export async function* formatRows({ names, rows }: ResultRows): AsyncGenerator<string> {
  let waiting: string[][] = [];
  const numeric = names.map(() => true);
  let widths: number[] | undefined;
  const lineOf = (cells: readonly string[]) => {
    const padded = cells.map((cell, at) =>
      numeric[at] === true ? cell.padStart(widths?.[at] ?? 0) : cell.padEnd(widths?.[at] ?? 0),
    );
    return `${padded.join('  ').trimEnd()}\n`;
  };
  const release = () => {
    const all = [names.map((name) => escapeUnsafe(escapeInvalid(name))), ...waiting];
    widths ??= names.map((_, at) => all.reduce((most, cells) => Math.max(most, cells[at]?.length ?? 0), 0));
    const text = (widths === undefined ? [] : all).map(lineOf).join('');
    waiting = [];
    return text;
  };
  for await (const chunk of rows)
    for (const row of chunk) {
      const cells = row.map(cellOf);
      if (widths !== undefined) {
        yield lineOf(cells);
        continue;
      }
      for (const [at, value] of row.entries()) if (value !== null && !isNumber(value)) numeric[at] = false;
      if (waiting.push(cells) >= MEASURED) yield release();
    }
  if (widths === undefined) yield release();
}

/** As a line of JSON for each row. */
export async function* formatRowsJson({ names, rows }: ResultRows): AsyncGenerator<string> {
  for await (const chunk of rows)
    for (const row of chunk)
      yield `${jsonText(Object.fromEntries(names.map((name, at) => [name, plainOf(row[at])])))}\n`;
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function cellOf(value: unknown): string {
  const plain = plainOf(value);
  if (plain === null || plain === undefined) return '';
  if (typeof plain === 'number') return Number.isInteger(plain) ? String(plain) : String(Number(plain.toFixed(DIGITS)));
  return escapeUnsafe(typeof plain === 'object' ? JSON.stringify(plain) : String(plain));
}

/** What JSON can have: whole numbers that a double cannot tell apart are text. */
function plainOf(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return escapeInvalid(value);
  if (Array.isArray(value)) return value.map(plainOf);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return value ?? null;
  if (Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainOf(each)]));
  return String(value);
}

import { isObject } from '../own/fields.ts';
import { jsonRecord, type LogRecord, momentOf } from './containers.ts';
import { taskText } from './task-records.ts';

const MOST_DEPTH = 16;
const MOST_RECORDS = 200_000;
const MOST_COMPARED = 64 * 1024 * 1024;
/** What nothing but a report or a stack of the kernel has. */
export const OF_KERNEL =
  /\+0x[0-9a-f]{1,8}\b|\bCall [Tt]race:|\[<[0-9a-f]{1,16}>\]|#\d{1,3} {1,2}(?:\[[0-9a-f]{8,16}\]|\w{2,128} \()|blocked for more than|state:[A-Z] .{0,60}\bpid:/;

const NANOSECONDS = /^\d{16,20}$/;
const BASE64 = /^[A-Za-z0-9+/\s]{1,16777216}={0,2}\s{0,4}$/;
const SHORTEST_BASE64 = 100;

/** Whether a string that is not known to be the text of a record has a stack in it: prose and numbers have none. */
function isOfKernel(text: string): boolean {
  return (text.includes('\n') && text.includes('_')) || OF_KERNEL.test(text);
}

/**
 * The records in a JSON value of any shape: those of log stores, and strings that have stacks in them, wherever they
 * are. None twice.
 */
export function recordsIn(value: unknown): LogRecord[] {
  const records: LogRecord[] = [];
  collect(value, { records, told: '', spent: { characters: 0 } }, 0);
  return records;
}

interface Found {
  readonly records: LogRecord[];
  /** The text of the record around: stores keep it in several forms. */
  readonly told: string;
  /** How much was compared with that. */
  readonly spent: { characters: number };
}

function collect(value: unknown, found: Found, depth: number): void {
  if (depth > MOST_DEPTH || found.records.length >= MOST_RECORDS) return;
  if (typeof value === 'string') {
    const text = isOfKernel(value) ? value : decodedBase64(value);
    if (text !== undefined) add({ text }, found);
  } else if (Array.isArray(value)) {
    collectList(value, found, depth);
  } else if (isObject(value)) collectMembers(value, found, depth);
}

function collectList(list: readonly unknown[], found: Found, depth: number): void {
  const column = textColumn(list);
  if (column !== undefined) {
    collect(column, found, depth);
    return;
  }
  if (!list.every((each) => typeof each === 'string')) {
    for (const each of list) collect(each, found, depth + 1);
    return;
  }
  const [time, text] = list;
  // Loki: nanoseconds and a line.
  if (list.length === 2 && time !== undefined && text !== undefined && NANOSECONDS.test(time))
    add({ text, timeMs: momentOf(time) }, found);
  else collect(list.join('\n'), found, depth);
}

const LEAST_ROWS = 2;

/** The texts of a table that is a list of rows, which are lists of values: of the column that has stacks. */
function textColumn(rows: readonly unknown[]): string | undefined {
  const [first] = rows;
  if (rows.length < LEAST_ROWS || !Array.isArray(first) || first.length < LEAST_ROWS) return undefined;
  const columns = first.length;
  if (!rows.every((row) => Array.isArray(row) && row.length === columns && row.every(isScalar))) return undefined;
  // Loki has a time and a line.
  if (columns === LEAST_ROWS && NANOSECONDS.test(String(first[0]))) return undefined;
  const cells = rows.flatMap((row: unknown) => (Array.isArray(row) ? [row.map(String)] : []));
  for (let column = 0; column < columns; column++) {
    const texts = cells.map((row) => row[column] ?? '');
    if (texts.some(isOfKernel)) return texts.join('\n');
  }
  return undefined;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** Kubernetes and cloud providers keep texts in base64. */
function decodedBase64(text: string): string | undefined {
  if (text.length < SHORTEST_BASE64 || !BASE64.test(text)) return undefined;
  const decoded = Buffer.from(text, 'base64').toString();
  return isOfKernel(decoded) ? decoded : undefined;
}

function collectMembers(value: Readonly<Record<string, unknown>>, found: Found, depth: number): void {
  const record = jsonRecord(value);
  // ansible(1) tells what a command has printed twice.
  const isTwice = (name: string) => Array.isArray(value[`${name}_lines`]);
  if (record === undefined) {
    for (const name in value) if (!isTwice(name)) collect(value[name], found, depth + 1);
    return;
  }
  add(record, found);
  const within = { ...found, told: record.text };
  const task = taskText(value);
  if (task !== undefined) add({ text: task }, within);
  // Most members of a record are short, and there are very many records.
  for (const name in value) {
    const member = isTwice(name) ? undefined : value[name];
    if (typeof member === 'string' ? member.includes('\n') : typeof member === 'object')
      collect(member, within, depth + 1);
  }
}

function add(record: LogRecord, { records, told, spent }: Found): void {
  const text = record.text.trim();
  spent.characters += told.length === 0 ? 0 : told.length + text.length;
  const isCompared = told !== '' && spent.characters < MOST_COMPARED;
  if (isCompared && (told.includes(text) || text.includes(told.trim()))) return;
  records.push(record);
}

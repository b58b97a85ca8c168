import { jsonRecord, type LogRecord, momentOf, taskRecord } from './containers.ts';
import { isObject } from './own/fields.ts';

const MOST_DEPTH = 16;
const MOST_RECORDS = 200_000;
const MOST_COMPARED = 64 * 1024 * 1024;
/** What nothing but a report or a stack of the kernel has. */
const OF_KERNEL =
  /\+0x[0-9a-f]{1,8}\b|\bCall [Tt]race:|\[<[0-9a-f]{1,16}>\]|#\d{1,3} {1,2}(?:\[[0-9a-f]{8,16}\]|\w{2,128} \()|blocked for more than|state:[A-Z] .{0,60}\bpid:/;

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
    if (isOfKernel(value)) add({ text: value }, found);
  } else if (Array.isArray(value)) {
    collectList(value, found, depth);
  } else if (isObject(value)) collectMembers(value, found, depth);
}

function collectList(list: readonly unknown[], found: Found, depth: number): void {
  if (!list.every((each) => typeof each === 'string')) {
    for (const each of list) collect(each, found, depth + 1);
    return;
  }
  const [time, text] = list;
  // Loki: nanoseconds and a line.
  if (list.length === 2 && time !== undefined && text !== undefined && /^\d{16,20}$/.test(time))
    add({ text, timeMs: momentOf(time) }, found);
  else collect(list.join('\n'), found, depth);
}

function collectMembers(value: Readonly<Record<string, unknown>>, found: Found, depth: number): void {
  const record = jsonRecord(value);
  if (record === undefined) {
    for (const name in value) collect(value[name], found, depth + 1);
    return;
  }
  add(record, found);
  const within = { ...found, told: record.text };
  const task = taskRecord(value);
  if (task !== undefined) add(task, within);
  // Most members of a record are short, and there are very many records.
  for (const name in value) {
    const member = value[name];
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

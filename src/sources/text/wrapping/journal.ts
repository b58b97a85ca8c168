import { type LogLine, linesOf, momentOf } from './containers.ts';

/**
 * An entry of `journalctl -o verbose`: its time, and a cursor with that time in microseconds since 1970 (t=) in
 * hexadecimal.
 */
const VERBOSE = /^\S{2,20} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S{0,10} \S{1,10} \[s=[^\]]{1,200}\bt=([0-9a-f]{1,16});/;
const FIELD = /^\s{4}([A-Z_][A-Z0-9_]{0,63})=(.*)$/s;
const EXPORT = /^__CURSOR=s=/;
const EXPORT_FIELD = /^([A-Z_][A-Z0-9_]{0,63})(?:=(.*))?$/s;
/** Fields that the journal has of every entry, in a paste that does not begin with the entry. */
const JOURNAL_FIELD = /^\s{4}(?:_[A-Z][A-Z0-9_]{0,63}|PRIORITY|SYSLOG_[A-Z]{1,20}|MESSAGE_ID|CODE_[A-Z]{1,20})=/;
/** Before the second and later lines of a message. */
const INDENT = ' '.repeat('    MESSAGE='.length);
const LONGEST_TEXT = 1 << 20;

interface Entry {
  readonly form: 'verbose' | 'export';
  text: string | undefined;
  timeMs: number | undefined;
  host: string | undefined;
  uptimeMicroseconds: number | undefined;
  isKernel: boolean;
  /** The field that the next line may go on with. */
  field: string;
}

/**
 * Reads the entries of `journalctl -o verbose` and `-o export` (systemd.io/JOURNAL_EXPORT_FORMATS), which have a field
 * on each line. A field of several lines, in the second form, follows its name and its length in eight bytes.
 */
export class JournalEntries {
  #entry: Entry | undefined;

  /** Whether an entry has begun. */
  get isOpen(): boolean {
    return this.#entry !== undefined;
  }

  /** Takes the next line. Returns the lines of the entry that it ends, if any; undefined if it is of no entry. */
  take(line: string): readonly LogLine[] | undefined {
    const entry = this.#entry;
    if (entry === undefined) return this.#begin(line);
    if (entry.form === 'export') {
      if (line.trim() === '') return this.end();
      if (EXPORT.test(line)) return [...this.end(), ...(this.#begin(line) ?? [])];
      this.#exportField(entry, line);
      return [];
    }
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name !== undefined) {
      entry.field = name;
      note(entry, name, value ?? '');
      return [];
    }
    if (/^\s{5}/.test(line) && entry.field === 'MESSAGE') {
      note(entry, 'MESSAGE', line.startsWith(INDENT) ? line.slice(INDENT.length) : line.trimStart());
      return [];
    }
    const ended = this.end();
    const begun = this.#begin(line);
    return begun === undefined && line.trim() !== ''
      ? [...ended, { text: line, stamp: '' }]
      : [...ended, ...(begun ?? [])];
  }

  /** The lines of the last entry. */
  end(): readonly LogLine[] {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry?.text === undefined) return [];
    const { text, timeMs, host, uptimeMicroseconds, isKernel } = entry;
    return linesOf({ text, timeMs, host, uptimeMicroseconds: isKernel ? uptimeMicroseconds : undefined });
  }

  #begin(line: string): readonly LogLine[] | undefined {
    const isExport = line.startsWith('__CURSOR=') && EXPORT.test(line);
    const [, time] = isExport || !line.includes(' [s=') ? [] : (VERBOSE.exec(line) ?? []);
    if (!isExport && time === undefined) return withoutEntry(line);
    this.#entry = {
      form: isExport ? 'export' : 'verbose',
      text: undefined,
      timeMs: time === undefined ? undefined : momentOf(String(Number.parseInt(time, 16))),
      host: undefined,
      uptimeMicroseconds: undefined,
      isKernel: false,
      field: '',
    };
    return [];
  }

  #exportField(entry: Entry, line: string): void {
    const [, name, value] = EXPORT_FIELD.exec(line) ?? [];
    if (name !== undefined) {
      entry.field = value === undefined ? name : '';
      if (value !== undefined) note(entry, name, value);
    } else if (entry.field === 'MESSAGE') note(entry, 'MESSAGE', line);
  }
}

/** Of an entry whose beginning is not there, the text counts, and the fields between the texts do not. */
function withoutEntry(line: string): readonly LogLine[] | undefined {
  if (!line.startsWith('    ')) return undefined;
  const [, name, value = ''] = FIELD.exec(line) ?? [];
  if (name === 'MESSAGE') return [{ text: value, stamp: '' }];
  return JOURNAL_FIELD.test(line) ? [] : undefined;
}

function note(entry: Entry, name: string, value: string): void {
  if (name === 'MESSAGE') {
    if ((entry.text?.length ?? 0) < LONGEST_TEXT)
      entry.text = entry.text === undefined ? value : `${entry.text}\n${value}`;
  } else if (name === '__REALTIME_TIMESTAMP') entry.timeMs ??= momentOf(value);
  else if (name === '_HOSTNAME' && /^\S{1,255}$/.test(value)) entry.host = value;
  else if (name === '_SOURCE_MONOTONIC_TIMESTAMP' && /^\d{1,15}$/.test(value)) entry.uptimeMicroseconds = Number(value);
  else if (name === '_TRANSPORT') entry.isKernel = value === 'kernel';
}

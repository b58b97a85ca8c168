import { headerOf, type Line, type LineParser } from '../line.ts';

/** The columns of a table, from its header line. */
interface Column {
  readonly kind: 'name' | 'tid' | 'pid' | 'state' | 'wchan' | 'other';
  /** Of how many words its values are. */
  readonly words: number;
}

const KINDS: Readonly<Record<string, Column['kind']>> = {
  COMMAND: 'name',
  CMD: 'name',
  COMM: 'name',
  UCMD: 'name',
  UCOMM: 'name',
  ARGS: 'name',
  NAME: 'name',
  TID: 'tid',
  LWP: 'tid',
  SPID: 'tid',
  PID: 'pid',
  TGID: 'pid',
  STAT: 'state',
  S: 'state',
  STATE: 'state',
  WCHAN: 'wchan',
  WIDE_WCHAN_COLUMN: 'wchan',
};
/** `lstart`: Wed Nov 25 03:09:00 2026. */
const WORDS: Readonly<Record<string, number>> = { STARTED: 5, LSTART: 5 };
/** `-`: it runs, or is not in the kernel. `0`: it runs, or that may not be read. */
const NO_WCHAN = /^(?:[-0?*]|\.\.\.)$/;
/** A narrow column marks what it cuts off. */
const FUNCTION = /^[A-Za-z_][\w.$]{0,127}\+?$/;

/** What a column of this title tells. */
export function columnKind(title: string): Column['kind'] {
  return KINDS[title.replace(/:\d+$/, '')] ?? 'other';
}

function isNumber(value: string | undefined): boolean {
  return value !== undefined && /^\d{1,10}$/.test(value);
}

/** A table of ps(1) with the WCHAN column, `ps -o pid,stat,wchan,comm`: one function is known of each task. */
export class PsTable {
  readonly #columns: readonly Column[];

  private constructor(columns: readonly Column[]) {
    this.#columns = columns;
  }

  /** The table that starts with this line, if any. */
  static from(line: string): PsTable | undefined {
    if (!line.includes('WCHAN') && !line.includes('wchan')) return undefined;
    // grep(1) and awk(1) take the line of titles away.
    const formats = line.includes('ps ') ? COMMAND_LINE.exec(line)?.[1]?.toUpperCase().split(',') : undefined;
    const columns = (formats ?? line.trim().split(/\s+/)).map(
      (title): Column => ({ kind: columnKind(title), words: WORDS[title] ?? 1 }),
    );
    const has = (kind: Column['kind']) => columns.some((column) => column.kind === kind);
    return (has('pid') || has('tid')) && has('wchan') ? new PsTable(columns) : undefined;
  }

  /** The task of a row; `bad` for one that begins as a row does, and is torn or mixed up; undefined for other lines. */
  row(line: string): Line | 'bad' | undefined {
    const words = line.trim().split(/\s+/);
    const nameAt = this.#columns.findIndex(({ kind }) => kind === 'name');
    const before = nameAt === -1 ? this.#columns : this.#columns.slice(0, nameAt);
    const after = nameAt === -1 ? [] : this.#columns.slice(nameAt + 1);
    const values: Partial<Record<Column['kind'], string>> = {};
    let at = 0;
    for (const { kind, words: count } of before) {
      const value = words[at];
      if (value === undefined) return isNumber(values.tid ?? values.pid) ? 'bad' : undefined;
      values[kind] = value;
      at += count;
    }
    const wordsAfter = after.reduce((sum, { words: count }) => sum + count, 0);
    let from = words.length - wordsAfter;
    const name = words.slice(at, Math.max(at, from)).join(' ');
    for (const { kind, words: count } of after) {
      const value = words[from];
      if (value !== undefined) values[kind] = value;
      from += count;
    }
    const { pid, tid, state, wchan } = values;
    const number = tid ?? pid;
    if (number === undefined || !isNumber(number)) return undefined;
    if (wchan === undefined || (state !== undefined && !LIST_STATE.test(state))) return 'bad';
    const symbol = NO_WCHAN.test(wchan) ? undefined : wchan;
    if (symbol !== undefined && !FUNCTION.test(symbol)) return 'bad';
    const header = headerOf({
      name: commOf(name),
      tid: number,
      pid: tid === undefined ? undefined : pid,
      state: state?.[0],
    });
    return { kind: 'row', header, wchan: symbol };
  }
}

/** `ps axf` draws a tree before the command line. The backslash may be lost, as in Markdown. */
const BRANCH = /^[|\s]{0,200}\\?_\s{1,4}(?=\S)/;

/** Kernel threads stand in brackets in a column of command lines; of others the program is the name. */
export function commOf(name: string): string {
  const branch = BRANCH.exec(name)?.[0];
  if (branch !== undefined) return commOf(name.slice(branch.length).split(' ')[0] ?? name);
  const thread = /^\[(.{1,64})\](?: <defunct>)?$/.exec(name)?.[1];
  if (thread !== undefined) return thread;
  // People write remarks behind.
  const said = name.split(/\s{1,8}(?:<-|←|#|\/\/)/)[0] ?? name;
  return / (?:[-/]|[a-z]{1,16}=)|^\//.test(said) ? (said.split(' ')[0]?.split('/').at(-1) ?? said) : said;
}

/** What `ps -o` was told to print, by the kinds of columns. */
const FORMATS: Readonly<Record<string, ListColumn>> = {
  comm: 'name',
  ucmd: 'name',
  ucomm: 'name',
  cmd: 'command',
  command: 'command',
  args: 'command',
  tid: 'tid',
  lwp: 'tid',
  spid: 'tid',
  pid: 'pid',
  tgid: 'pid',
  stat: 'state',
  s: 'state',
  state: 'state',
};
type ListColumn = 'name' | 'command' | 'tid' | 'pid' | 'state';
const TITLES: Readonly<Record<string, ListColumn>> = {
  COMMAND: 'name',
  CMD: 'command',
  COMM: 'name',
  UCMD: 'name',
  UCOMM: 'name',
  ARGS: 'command',
  TID: 'tid',
  LWP: 'tid',
  SPID: 'tid',
  PID: 'pid',
  TGID: 'pid',
  STAT: 'state',
  S: 'state',
  STATE: 'state',
};
const TITLE_LINE = /^\s{0,20}[A-Z%]{1,12}(?:\s{1,30}[A-Z%]{1,12}){1,24}\s{0,8}$/;
const LONGEST = 400;
/** `ps -eo stat,pid,comm`: grep(1) takes the line of titles away. */
const COMMAND_LINE =
  /\bps\s(?:[\w-]{1,20}\s{1,4}){0,6}?-{0,2}\w{0,8}o(?:\s{1,4}|=)?([a-z_%]{1,16}(?::\d{1,4})?(?:,[a-z_%]{1,16}(?::\d{1,4})?){1,24})/;
const LIST_STATE = /^[RSDTtXZIP][<NLsl+]{0,5}$/;
const LIST_NAME = /^[A-Za-z([][\w./:@+()[\]-]{0,63}$/;

/** A list of tasks without the function in which each waits, as `ps -o` prints them, with its columns in any order. */
export class PsList {
  readonly #columns: readonly (ListColumn | undefined)[];

  private constructor(columns: readonly (ListColumn | undefined)[]) {
    this.#columns = columns;
  }

  /** The list that starts behind this line, which is its titles or the command for it. */
  static from(line: string): PsList | undefined {
    if (line.length > LONGEST) return undefined;
    const formats = line.includes('ps ') ? COMMAND_LINE.exec(line)?.[1] : undefined;
    const titles = formats === undefined && TITLE_LINE.test(line) ? line.trim().split(/\s+/) : undefined;
    const columns =
      formats?.split(',').map((format) => FORMATS[format.replace(/:\d+$/, '')]) ??
      titles?.map((title) => TITLES[title]) ??
      [];
    const has = (...kinds: readonly ListColumn[]) => columns.some((kind) => kind !== undefined && kinds.includes(kind));
    return has('pid', 'tid') && has('name', 'command') ? new PsList(columns) : undefined;
  }

  /** The task of a row; undefined if the line is none. */
  row(line: string): Line | undefined {
    const words = line.trim().split(/\s+/);
    const last = this.#columns.length - 1;
    if (words.length <= last) return undefined;
    const values: Partial<Record<ListColumn, string>> = {};
    for (const [at, kind] of this.#columns.entries()) {
      if (kind === undefined) continue;
      // Only the last column has several words.
      values[kind] ??= at === last ? words.slice(at).join(' ') : (words[at] ?? '');
    }
    const { tid, pid, state, name, command } = values;
    const number = tid ?? pid;
    if (number === undefined || !/^\d{1,10}$/.test(number) || !(state === undefined || LIST_STATE.test(state)))
      return undefined;
    const comm = commOf(name ?? command ?? '');
    if (!LIST_NAME.test(comm.replaceAll(' ', '_'))) return undefined;
    const header = headerOf({ name: comm, tid: number, pid: tid === undefined ? undefined : pid, state: state?.[0] });
    return { kind: 'label', isTitle: true, header, isList: true };
  }
}

/** Columns of a line of ps(1). */
const NUMBER = String.raw`\d{1,12}`;
const PID = String.raw`(\d{1,10})`;
const WORD = String.raw`\S{1,32}`;
const PERCENT = String.raw`[\d.]{1,6}`;
const TERMINAL = String.raw`(?:\?|pts\/\d{1,4}|tty\w{1,8})`;
const STATE = String.raw`([RSDTtXZI])\S{0,6}`;
const TIME = String.raw`[\d:-]{4,12}`;
const COMMAND = String.raw`(\S.{0,300})$`;

function rowOf(...columns: readonly string[]): RegExp {
  return new RegExp(String.raw`^\s{0,12}${columns.join(String.raw`\s{1,12}`)}`);
}

const AUX = rowOf(WORD, PID, PERCENT, PERCENT, NUMBER, NUMBER, WORD, STATE, WORD, TIME, COMMAND);
const AX = rowOf(PID, TERMINAL, STATE, TIME, String.raw`(?:[\d.]{1,12}\s{1,8}){0,8}(\S.{0,300})$`);
const EF = rowOf(WORD, PID, NUMBER, PERCENT, WORD, TERMINAL, TIME, COMMAND);
const SIGNED = String.raw`-?\d{1,4}`;
const SEPARATOR = String.raw`\s{1,12}`;
const OF_LONG = ['[0-9a-f]', STATE, WORD, PID, NUMBER, NUMBER, SIGNED, SIGNED, WORD, NUMBER, WORD];
const UP_TO_WCHAN = OF_LONG.join(SEPARATOR);
const TO_COMMAND = [String.raw`(?:${WORD}\s{1,8})?${TERMINAL}`, TIME, COMMAND].join(SEPARATOR);
/** `ps -l` and `ps -elf`, which has the start, too. */
const LONG = rowOf(UP_TO_WCHAN, TO_COMMAND);
const UP_TO_SIZE = OF_LONG.slice(0, -1).join(SEPARATOR);
const LONG_WITH_WCHAN = rowOf(UP_TO_SIZE, String.raw`([A-Za-z_]\w{1,31}\+?)`, TO_COMMAND);
/** `ps -o stat,pid,tid,...,comm` */
const STATE_FIRST = new RegExp(
  String.raw`^\s{0,12}${STATE}\s{1,8}${PID}\s{1,8}${PID}\s{1,8}(?:\S.{0,80}\s)?([A-Za-z]\S{0,31})$`,
);
/** The same without titles, `D+ 726 name`. */
const STATE_ONLY = new RegExp(
  String.raw`^\s{0,12}([RSDTtXZI][<NLsl+]{0,5})\s{1,12}${PID}\s{1,12}([A-Za-z][\w./:@+-]{0,31}|\[.{1,64}\])(?:\s{1,40}\S.{0,300})?$`,
);
/** Up to the terminal, or to the command. */
const BROKEN = new RegExp(
  String.raw`^\s{0,12}(?:${[WORD, PID, PERCENT, PERCENT, NUMBER, NUMBER].join(SEPARATOR)}` +
    String.raw`|${UP_TO_WCHAN}(?:\s{1,8}${WORD})?)\s{1,12}${TERMINAL}` +
    String.raw`(?:\s{1,8}[RSDTtXZI]\S{0,6}(?:\s{1,8}${WORD}(?:\s{1,8}${TIME})?)?)?\s{0,8}$`,
);
/** `ps -o pid,stat,...,comm` */
const SOME = new RegExp(
  String.raw`^\s{0,12}${PID}\s{1,8}${STATE}\s{1,12}(?:\S{1,32}\s{1,20}){0,6}?([A-Za-z]\S{0,31}|\[.{1,64}\])$`,
);

/** A line of `ps aux`, `ps ax`, `ps v` or `ps -ef`, which people put before a stack. */
export const psLine: LineParser = (line) => {
  if (line.length > LONGEST || !/\d/.test(line)) return undefined;
  const [, aux, auxState, auxCommand = ''] = AUX.exec(line) ?? [];
  if (aux !== undefined) return labelOf(aux, auxState, auxCommand);
  const [, ax, axState, axCommand = ''] = AX.exec(line) ?? [];
  if (ax !== undefined) return labelOf(ax, axState, axCommand);
  const [, ef, efCommand = ''] = EF.exec(line) ?? [];
  if (ef !== undefined) return labelOf(ef, undefined, efCommand);
  const [, longState, long, longCommand = ''] = LONG.exec(line) ?? [];
  if (long !== undefined) return labelOf(long, longState, longCommand);
  const [, some, someState, someCommand = ''] = SOME.exec(line) ?? [];
  if (some !== undefined) return labelOf(some, someState, someCommand);
  const [, state, pid, tid, name] = STATE_FIRST.exec(line) ?? [];
  if (tid !== undefined)
    return { kind: 'label', isTitle: true, header: headerOf({ tid, pid, state, name }), isList: true };
  const [, letters, alone, comm = ''] = STATE_ONLY.exec(line) ?? [];
  return alone === undefined ? undefined : labelOf(alone, letters?.[0], comm);
};

/** A row of `ps -l` without the titles of the table: its columns tell what it is. */
export function longRow(line: string): (Line & { readonly kind: 'row' }) | undefined {
  const [, state, tid, wchan, command = ''] = LONG_WITH_WCHAN.exec(line) ?? [];
  return tid === undefined
    ? undefined
    : { kind: 'row', header: headerOf({ tid, state, name: commOf(command) }), wchan };
}

/** Whether this is the beginning of such a line, which a mail program has broken at its terminal. */
export function isBrokenRow(line: string): boolean {
  return BROKEN.test(line);
}

function labelOf(tid: string, state: string | undefined, command: string): Line {
  return { kind: 'label', isTitle: true, header: headerOf({ tid, state, name: commOf(command) }), isList: true };
}

/** Below the titles of a table of plain text. */
const RULE = /^\s{0,20}[-=]{2,80}(?:\s{1,4}[-=]{1,80}){1,20}\s{0,4}$/;

/** Whether a line divides the titles of such a table from its rows. */
export function isRule(line: string): boolean {
  return RULE.test(line);
}

import { type Header, headerOf, type Line } from './line.ts';
import { commOf } from './ps.ts';

const LONGEST = 400;
const NUMBER = /^\d{1,10}$/;
const STATE = /^[RSDTtXZIP][<NLsl+]{0,5}$/;
const NAME = /^[A-Za-z_]\w{1,127}$/;
/** Columns of ps(1) that tell nothing of a wait: times, percentages, priorities, terminals, flags. */
const COLUMN = /^(?:[\d.,:+-]{1,24}%?|\?|-|pts\/\d{1,4}|tty\w{1,8}|0x[0-9a-f]{1,16})$/;
/** `/proc/7/wchan:ep_poll` */
const GREPPED =
  /^\s{0,8}\/?proc\/(?:(\d{1,10})\/task\/)?(\d{1,10})\/wchan(?:[:-]\d{1,4})?[:-]\s{0,4}(\w{1,128})\s{0,4}$/;
const ASKED = /\bcat \/proc\/(?:(\d{1,10})\/task\/)?(\d{1,10})\/wchan(?:$|[\s;&])/;
const SHORTEST = 6;
/** In a row there may be one word before the PID, the user or the name. */
const MOST_WORDS_BEFORE = 1;
export type Row = Line & { readonly kind: 'row' };

/** ps(1) leaves out the underscores that a name begins with. */
function isKnown(name: string, known: ReadonlySet<string>): boolean {
  return ['', '_', '__', '___'].some((before) => known.has(before + name));
}

/**
 * A row for a task whose only known function is that in which it waits, without the titles of a table: ps(1) behind
 * grep(1), /proc/PID/wchan behind a number, the wait channels in Android's bugreports. To be told from a sentence, the
 * function must be in `known`.
 */
export function wchanRow(line: string, known: ReadonlySet<string>): Row | undefined {
  if (line.length > LONGEST || !/\d/.test(line)) return undefined;
  if (line.includes('/wchan')) return grepped(line);
  const words = line.trim().split(/\s+/);
  const [first = '', second = ''] = words;
  const numberAt = [first, second].findIndex((word) => NUMBER.test(word.replace(/:$/, '')));
  const wchanAt = words.findIndex((word) => word.includes('_') && isKnown(word, known));
  if (numberAt === -1 || wchanAt <= numberAt) return undefined;
  const tid = words[numberAt]?.replace(/:$/, '');
  const wchan = words[wchanAt] ?? '';
  // `812 ep_poll`. A smaller number may be that of a frame.
  if (words.length === 2 && !/^\d{3}/.test(first)) return undefined;
  if (words.length === 2) return { kind: 'row', header: headerOf({ tid }), wchan };
  const stateAt = words.findIndex((word) => STATE.test(word));
  // `7 archiver ep_poll`
  if (stateAt === -1)
    return words.length === 3 && wchanAt === 2 ? rowOf({ tid, name: commOf(words[1] ?? '') }, wchan) : undefined;
  const last = Math.max(wchanAt, stateAt);
  const others = words
    .slice(0, last)
    .filter((word, at) => at !== numberAt && at !== wchanAt && at !== stateAt && !COLUMN.test(word));
  if (others.length > MOST_WORDS_BEFORE) return undefined;
  const command = words.slice(last + 1).join(' ');
  const name = command === '' ? others[0] : commOf(command);
  return name === undefined ? undefined : rowOf({ tid, name, state: words[stateAt]?.[0] }, wchan);
}

function rowOf(parts: Parameters<typeof headerOf>[0], wchan: string): Row {
  return { kind: 'row', header: headerOf(parts), wchan };
}

function grepped(line: string): Row | undefined {
  const [, pid, tid, wchan = ''] = GREPPED.exec(line) ?? [];
  if (tid === undefined) return undefined;
  return NAME.test(wchan) ? { kind: 'row', header: headerOf({ tid, pid }), wchan } : undefined;
}

/** The task whose wchan the next line is, if this one is the command for it: `cat /proc/7/wchan`. */
export function wchanAsked(line: string): Header | undefined {
  if (line.length > LONGEST || !line.includes('/wchan') || line.includes('/stack')) return undefined;
  const [, pid, tid] = ASKED.exec(line) ?? [];
  return tid === undefined ? undefined : headerOf({ tid, pid });
}

/** The function that a line begins with. The file has no line end, so that the next prompt may follow at once. */
export function wchanAnswer(line: string, known: ReadonlySet<string>): string | undefined {
  const word = /^\w{1,128}/.exec(line)?.[0] ?? '';
  for (let length = word.length; length >= SHORTEST; length--)
    if (known.has(word.slice(0, length))) return word.slice(0, length);
  return undefined;
}

/** Reads rows of a table without titles, and what `cat /proc/PID/wchan` answers. */
export class LoneRows {
  readonly #known: ReadonlySet<string>;
  /** The task whose wait channel was asked for in the line before. */
  #asked: Header | undefined;

  constructor(known: ReadonlySet<string>) {
    this.#known = known;
  }

  /** The row in the next line. */
  from(text: string): Row | undefined {
    const asked = this.#asked;
    this.#asked = wchanAsked(text);
    const answer = asked === undefined ? undefined : wchanAnswer(text, this.#known);
    if (asked !== undefined && answer !== undefined) return { kind: 'row', header: asked, wchan: answer };
    return wchanRow(text, this.#known);
  }
}

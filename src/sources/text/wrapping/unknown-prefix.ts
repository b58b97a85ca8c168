// What stands before a frame, where no format that is known puts anything: hosts, containers, nicknames, line numbers.

import { bareName } from '../forms/bare-names.ts';
import { greppedTask } from '../forms/proc-stack.ts';
import { recognize } from '../forms/recognizer.ts';
import { isWellKnown } from '../functions.ts';
import { cleaned } from './clean.ts';
import { bodyOf } from './prefix.ts';

const LONGEST = 120;
const MOST_ENDS = 16;
const [TAB, BLANK, PLUS, EQUALS, GREATER, UNDERSCORE] = [9, 32, 43, 61, 62, 95];

/** How a frame begins, or what is known to stand before one: nothing is to be learned from such a line. */
const BEGINS_AS_FRAME = new RegExp(
  String.raw`^\s{0,60}(?:[>|│] ?){0,8}\s{0,60}(?:#\d{1,4}\b|\[<|\[\(|\(\[<|\[\]|\[[0-9a-f]{8,16}\]|=>|\?|["'\x60]` +
    String.raw`|<(?:IRQ|NMI|SOFTIRQ|#D[BF]|EOI|TASK|\/)|(?:0x)?[0-9a-f]{8,16}\s|\(?[\w.$]{1,512}(?:\+|\s{0,4}$|\(\)))`,
);
/** A mark of a diff, or an arrow, is the end of a prefix. */
const MARKED_FRAME = /^\s{0,8}(?:[+-]|=>(?=.*\+0x)) /;
/** The number of a frame is the first that is the frame's. */
const NUMBER_WITHIN = /^\s{0,20}[^\s#].{0,200}?#\d{1,4}\s/;
/** The same on arm. */
const BEGINS_AS_CALL = /^\s{0,8}(?:\[<|\(|[\w.$]{1,512} from )/;
/** A line of a log that begins with a time; the second part may be what a program has put behind it. */
export const TIME = new RegExp(
  String.raw`^\s{0,8}\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\w{3} {1,2}\d{1,2} |\d\d/\d\d/\d\d(?:\d\d)? )?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?` +
    String.raw`(?:Z| ?[+-]\d\d:?\d\d)?\]?\s`,
);
const LOGGED = new RegExp(
  String.raw`^(?:<\d{1,3}>)?(?:\[(?!\d\d?\.\d\d?\.) {0,12}\d{1,12}\.\d|\[?\w{3} {1,2}\d{1,2} \d\d:\d\d|\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:` +
    String.raw`|\[?\w{3} \w{3} {1,2}\d{1,2} \d|\[?\d\d:\d\d:\d\d)`,
);
const UPTIME = /^(?:<\d{1,3}>)?\[(?:(?!\d\d?\.\d\d?\.) {0,12}\d{1,12}\.\d|\w{3} )/;

/** Whether a line begins with a time, as those of logs do. */
export function isLogged(line: string): boolean {
  return LOGGED.test(line);
}

/** Whether a line of a log is the kernel's. */
export function isOfKernel(line: string): boolean {
  return line.includes(' kernel') || UPTIME.test(line);
}

/**
 * Strings, quoted-printable, diffs, markup, CEF, registers, wait channels and lockdep's places have readers of their own,
 * and some calls are no frames.
 */
const NOT_LEARNED = new RegExp(
  [
    String.raw`^\s{0,80}(?:[-*•] )?["'\x60]|["'\x60]\s{0,4}$|[{=]"|=(?:09|20|3D|C2)|^[+-]$`,
    String.raw`^\s{0,8}<\/?(?:td|th|tr|li|p|pre|code|span|div|br|b|i|font|a|ul|ol)\b`,
    String.raw`\[(?:inlined|ret call)\]\s{0,4}$|\bCEF:\d\||\/wchan[:-](?:\d{1,4}[:-])?\s{0,4}$`,
    String.raw`(?:^|\s)(?:e?pc|[lr]r|ra|era|r?e?ip|nip|tpc|i7|rpc|psw)\s{0,8}:?\s{0,4}(?:\w{4}:\s{0,4})?$`,
    String.raw`\b(?:hard|soft)irqs last\s`,
  ].join('|'),
  'i',
);
/** In Android's ANR traces. */
const KERNEL = /^\s{0,8}kernel: /;
const STRING = /^\s{0,8}["'\x60]/;
/** The border of a table, whose other one is at the end of the line. */
const BORDER = /^\s{0,40}[|│┃║]/;
const BORDER_LAST = /[|│┃║]\s{0,4}$/;
const FILE = /^[\w./+@~ ()-]{1,120}[:-](?:\d{1,8}[:-])?$/;
const CLOCK =
  /(?:\d{1,4}[-/]\d\d[-/]\d{1,4}[T ]?)?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d{10}\.\d{3,9}/g;
/** A host, a path, a number. */
const WORD = /[\p{L}\p{N}_]+(?:[-.@/]+[\p{L}\p{N}_]+)*/gu;

/** What stands before a text. */
export interface Prefix {
  /** Without a time before it, which is kept. */
  readonly text: string;
  readonly pattern: RegExp;
}

/** Whether a line may be a frame, by what is nearly free to see. */
export function mayBeFrame(line: string, known: ReadonlySet<string>): boolean {
  return (
    line.includes('+0x') ||
    line.includes('=> ') ||
    line.includes(' at ffff') ||
    line.includes('.c:') ||
    endsAsFrame(line, known)
  );
}

/** Whether a function of the kernel, perhaps with a decimal offset, ends the line. */
function endsAsFrame(line: string, known: ReadonlySet<string>): boolean {
  let end = line.length;
  while (end > 0 && isDigit(line.charCodeAt(end - 1))) end--;
  if (line.charCodeAt(end - 1) === PLUS) end--;
  else end = line.length;
  let from = end;
  let hasUnderscore = false;
  for (; from > 0 && isOfName(line.charCodeAt(from - 1)); from--)
    hasUnderscore ||= line.charCodeAt(from - 1) === UNDERSCORE;
  if (!hasUnderscore && end === line.length) return false;
  return isFunction(line.slice(from, end), known);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isOfName(code: number): boolean {
  return code === UNDERSCORE || isDigit(code) || (code >= 97 && code <= 122);
}

/**
 * What stands before the frame in a line; nothing if that would not have to be learned. A blank behind a colon may be
 * part of it, or of the frame.
 */
export function prefixesBeforeFrame(line: string, known: ReadonlySet<string>): readonly Prefix[] {
  if (BEGINS_AS_FRAME.test(line) || greppedTask(line) !== undefined) return [];
  const time = TIME.exec(line)?.[0] ?? '';
  const text = line.slice(time.length);
  const [, sign] = time === '' ? (CHANGED.exec(text) ?? []) : [];
  const changed = sign !== undefined && isFrame(text.slice(1), known) ? [signPrefix(sign)] : [];
  const at = frameIn(text, known);
  const before = text.slice(0, at);
  if (at === undefined || before.trim() === '' || before.length > LONGEST) return changed;
  if (NOT_LEARNED.test(before) || hasOpenQuote(before) || isKnown(before)) return changed;
  if (time === '' && BORDER.test(before) && BORDER_LAST.test(text)) return [];
  const trimmed = before.trimEnd();
  const both = /[:=]$/.test(trimmed) ? [before, trimmed] : [before];
  return [...changed, ...both.map((each) => ({ text: each, pattern: patternOf(each, time !== '') }))];
}

/** A line that a diff has added or removed. */
const CHANGED = /^([+-])[\s[\w#]/;

function signPrefix(sign: string): Prefix {
  return { text: sign, pattern: new RegExp(`^()(\\${sign})`) };
}

/** Whether a prefix is the sign of a diff. If it has lines of other signs too, all of them are one text. */
export function isSign({ text }: Prefix): boolean {
  return text === '+' || text === '-';
}

/** Whether a line can stand before a file that a diff shows as new, or as gone. */
export function isBeforeFile(line: string): boolean {
  return line.trim() === '' || /^(?:diff |index |---|\+\+\+|@@|new file|deleted file|\d+(?:,\d+)?[acd]\d)/.test(line);
}

/** Where in a line a frame begins, or what is known to stand before one. */
function frameIn(text: string, known: ReadonlySet<string>): number | undefined {
  let ends = 0;
  for (let at = 1; at < Math.min(text.length, LONGEST) && ends < MOST_ENDS; at++) {
    if (!isEnd(text, at)) continue;
    ends++;
    if (isFrame(text.slice(at), known)) return at;
  }
  return undefined;
}

function hasOpenQuote(text: string): boolean {
  return text.split('"').length % 2 === 0;
}

/** Whether a word, or a mark, ends before this place. */
function isEnd(text: string, at: number): boolean {
  const last = text.charCodeAt(at - 1);
  if (last === TAB) return true;
  if (last === BLANK) return at > 1 && text.charCodeAt(at - 2) !== BLANK;
  const next = text.charCodeAt(at);
  if (last === EQUALS) return next !== EQUALS && next !== GREATER && next !== BLANK;
  return ':|>]+'.includes(text.charAt(at - 1)) && next !== BLANK;
}

/** Whether this is a frame and nothing else, but for what is known to stand before one. */
function isFrame(text: string, known: ReadonlySet<string>): boolean {
  if (greppedTask(text) !== undefined) return true;
  if (STRING.test(text)) return false;
  return isFrameAlone(LOGGED.test(text) || KERNEL.test(text) ? bodyOf(text).text : text, known);
}

function isFrameAlone(text: string, known: ReadonlySet<string>): boolean {
  const clean = cleaned(text, false);
  if (MARKED_FRAME.test(clean)) return false;
  const line = recognize(clean);
  const first = line?.kind === 'lines' ? line.lines[0] : line;
  if (first?.kind === 'call') return BEGINS_AS_CALL.test(clean);
  if (first?.kind === 'frame' && first.number !== undefined && NUMBER_WITHIN.test(clean)) return false;
  if (first?.kind === 'frame' || first?.kind === 'guess') return clean.trim().startsWith(first.frame.raw);
  return first === undefined && isKnownName(clean, known);
}

function isKnownName(text: string, known: ReadonlySet<string>): boolean {
  const name = bareName(text);
  return name !== undefined && isFunction(name, known);
}

function isFunction(name: string, known: ReadonlySet<string>): boolean {
  return known.has(name) || isWellKnown(name);
}

/** Whether this is taken off anyway. The name of a file tells where a stack ends. */
function isKnown(before: string): boolean {
  return bodyOf(before).text.trim() === '' && !FILE.test(before.trim());
}

/** Finds such a prefix in other lines, with other words and numbers: a time (1), and what follows on it (2). */
export function patternOf(before: string, isTimed: boolean): RegExp {
  const trimmed = before.trimEnd();
  let source = '';
  let from = 0;
  for (const { index, 0: word } of trimmed.matchAll(WORD)) {
    source += escaped(trimmed.slice(from, index)) + WORD.source;
    from = index + word.length;
  }
  source += escaped(trimmed.slice(from));
  const end = trimmed === before ? '' : String.raw`(?:\s|$)`;
  return new RegExp(`^(${isTimed ? TIME.source.slice(1) : ''})(${source}${end})`, 'u');
}

/** Columns are padded. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll(/\s+/g, String.raw`\s{0,40}`);
}

/** A line in the form of a prefix. */
export interface Match {
  /** The same for all lines of one host, container, or whatever the prefix tells. */
  readonly key: string;
  readonly time: string;
  readonly rest: string;
  readonly numbers: readonly number[];
}

/** A form that prefixes have. */
export interface Form extends Prefix {
  /** Which of the numbers in it counts the lines. */
  readonly counting?: number;
  /** It stands before lines of kstack's own formats, which have times of their own. */
  readonly isOwn?: true;
}

/** The parts of a line that has a prefix of this form; undefined if it has none. */
export function matchOf(line: string, { text, pattern, counting }: Form): Match | undefined {
  const [whole, time = '', before = ''] = pattern.exec(line) ?? [];
  if (whole === undefined) return undefined;
  const told = before.trimEnd().replaceAll(CLOCK, '').replaceAll(/\s+/g, ' ');
  const numbers = (told.match(DIGITS) ?? []).map(Number);
  if (counting !== undefined && numbers.length <= counting) return undefined;
  // Where no mark ends it, only numbers may differ, or any words would be one.
  if (!MARKED.test(text) && withoutNumbers(told) !== withoutNumbers(text)) return undefined;
  let at = 0;
  const key = counting === undefined ? told : told.replaceAll(DIGITS, (digits) => (at++ === counting ? '' : digits));
  return { key, time, rest: line.slice(whole.length), numbers };
}

const DIGITS = /\d{1,15}/g;
const MARKED = /[^\p{L}\p{N}_\s.@/-]|\t/u;

function withoutNumbers(text: string): string {
  return text.replaceAll(DIGITS, '').replaceAll(/\s+/g, ' ').trim();
}

/** Which of the numbers before lines is one more in each of them. */
export function countingIn(lines: readonly (readonly number[])[]): number | undefined {
  const [first = []] = lines;
  const at = first.findIndex((begin, column) => lines.every((numbers, line) => numbers[column] === begin + line));
  return at === -1 || lines.length < LEAST_COUNTED ? undefined : at;
}

const LEAST_COUNTED = 3;

/** What a line tells by itself. */
export interface Reading {
  /** A frame, whose stack follows, where one begins: so many things. Less than nothing for what divides stacks. */
  readonly weight: number;
  /** What a prefix may have become a part of, or may have hidden. */
  readonly name: string | undefined;
  readonly module: string | undefined;
}

const NOTHING: Reading = { weight: 0, name: undefined, module: undefined };

export function readingOf(text: string, known: ReadonlySet<string>): Reading {
  const { text: body, logged, isOutput } = bodyOf(cleaned(text, false));
  const grepped = greppedTask(body);
  if (grepped !== undefined) {
    const rest = readingOf(grepped.rest, known);
    return { ...rest, weight: rest.weight + 1 };
  }
  const line = recognize(body);
  if (line === undefined) return isKnownName(body, known) ? { ...NOTHING, weight: 1 } : NOTHING;
  if (line.kind === 'ignored' || (line.kind === 'label' && (line.weak || (logged && !isOutput && line.isTitle))))
    return NOTHING;
  if ('frame' in line) return { weight: 1, name: undefined, module: line.frame.module };
  if (!('header' in line)) return { ...NOTHING, weight: 1 };
  const { tid, name } = line.header;
  if (tid === undefined && name === undefined) return { ...NOTHING, weight: line.kind === 'label' ? -1 : 1 };
  return { weight: (tid === undefined ? 0 : 1) + (name === undefined ? 0 : 1), name, module: undefined };
}

/** How much more a line tells without the prefix. */
export function gainOf(plain: Reading, bare: Reading): number {
  const isLeaked = bare.name !== undefined && plain.name !== bare.name && plain.name?.endsWith(bare.name) === true;
  const isHidden = plain.module === undefined && bare.module !== undefined;
  return Math.max(bare.weight, 0) - plain.weight + (isLeaked || isHidden ? 1 : 0);
}

import { isObject } from '../own/fields.ts';
import { parsed } from './json-text.ts';
import { LONGEST_PART } from './lines.ts';
import { numberIn, type Properties, textOf } from './properties.ts';
import { taskText } from './task-records.ts';

/** A line of a log, without what its store has put around it. */
export interface LogLine {
  readonly text: string;
  /** When and where it was written, as `journalctl -o short-iso-precise` shows it before a line; empty if unknown. */
  readonly stamp: string;
}

/** What a record of a log tells. */
export interface LogRecord {
  /** May have several lines. */
  readonly text: string;
  readonly timeMs?: number | undefined;
  readonly host?: string | undefined;
  /** By the kernel's clock since boot. */
  readonly uptimeMicroseconds?: number | undefined;
  /** A program has printed it, as far as is known. */
  readonly isOutput?: boolean;
}

const MOST_LINES = 100_000;

/** The lines of a record, each with its stamp. */
export function linesOf({ text, timeMs, host, uptimeMicroseconds, isOutput = false }: LogRecord): LogLine[] {
  const lines = text.split(/\r?\n/, MOST_LINES);
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  const stamp = isOutput ? outputStampOf(timeMs, host) : stampOf(timeMs, host, uptimeMicroseconds);
  return lines.map((line) => ({ text: line, stamp: STAMPED.test(line) ? '' : stamp }));
}

/** A line with a time of its own is nearer to the kernel than its store. */
const STAMPED = /^\s{0,10}(?:\d{4}-\d\d-\d\d[T ]\d\d:|\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d )/;

function stampOf(timeMs?: number, host?: string, uptimeMicroseconds?: number): string {
  if (timeMs === undefined) return '';
  const place = host === undefined ? '' : `${host} `;
  const since = uptimeMicroseconds === undefined ? '' : `[${(uptimeMicroseconds / 1e6).toFixed(6)}] `;
  return `${new Date(timeMs).toISOString()} ${place}kernel: ${since}`;
}

function outputStampOf(timeMs?: number, host?: string): string {
  return timeMs === undefined
    ? ''
    : `${new Date(timeMs).toISOString()} ${host === undefined ? '' : `${host} `}output: `;
}

/**
 * containerd and CRI-O: `2026-11-25T03:12:00.123456789Z stdout F text` (Kubernetes' logging format). A part of a long
 * line has P.
 */
const CRI =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) ([FP])(?::\S{0,80})? (.*)$/s;

/** Joins the parts of a line in the log of a container. */
export class CriLines {
  #part = '';

  /** The record in a line; without text if more of it follows; undefined if the line is none. */
  take(line: string): LogRecord | 'part' | undefined {
    const [, time, tag, text] = CRI.exec(line) ?? [];
    if (text === undefined) return undefined;
    const whole = this.#part + text;
    this.#part = tag === 'P' && whole.length <= LONGEST_PART ? whole : '';
    return this.#part === '' ? { text: whole, timeMs: momentOf(time), isOutput: true } : 'part';
  }
}

/** `logcli` shows the labels of a stream before each line. */
const LOKI = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,16}) \{(\w{1,64}="[^}]{0,2000})\} (.*)$/s;
/** logfmt: names and values, one of which is a text in quotes. */
const LOGFMT =
  /^(?:[\w.@-]{1,64}=(?:"(?:[^"\\]|\\.){0,400}"|[^\s"]{0,400})\s{1,4}){1,16}(?:msg|message|_raw|log|line)="((?:[^"\\]|\\.){0,16000})"(?:\s|$)/s;
/** ArcSight's format: names and values behind a head of seven parts. An equals sign in a value is escaped. */
const CEF =
  /^.{0,400}?\bCEF:\d\|(?:[^|]{0,200}\|){6}(?:.{0,2000}? )?msg=((?:[^\\=]|\\.){0,16000}?)\s*(?:\s\w{1,64}=.*)?$/s;
/** A table in CSV: a time and a text in quotes. */
const CSV =
  /^"?(\d{10,19}|\d{4}-\d\d-\d\d[T ][\d:.,Z+-]{8,24})"?,(?:[^",]{0,200},){0,10}"((?:[^"]|""){0,16000})"(?:,.{0,200})?$/s;

/** The object at the end of a line, if it is JSON, or Ruby's form of it: a tag, a container or a time stand before it. */
export function jsonAtEnd(line: string): unknown {
  const at = line.endsWith('}') ? line.indexOf('{"') : -1;
  if (at === -1 || at > LONGEST_TAG) return undefined;
  const object = line.slice(at);
  return parsed(object.includes('"=>') ? object.replaceAll('"=>', '":') : object);
}

const LONGEST_TAG = 400;

/** The record in a line that has something around its text; undefined if it has not. */
export function wrappedRecord(line: string): LogRecord | undefined {
  if (line.includes('",') || line.endsWith('"')) {
    const [, time, text] = CSV.exec(line) ?? [];
    if (text !== undefined) return { text: text.replaceAll('""', '"'), timeMs: momentOf(time) };
  }
  const logged = line.includes('="') ? LOGFMT.exec(line)?.[1] : undefined;
  if (logged !== undefined) return { text: logged.replaceAll(/\\(["\\])/g, '$1') };
  const message = line.includes('|') && line.includes('CEF:') ? CEF.exec(line)?.[1] : undefined;
  if (message !== undefined) return { text: message.replaceAll(/\\([=\\|])/g, '$1') };
  if (!line.includes(' {')) return undefined;
  const [, time, labels = '', text] = LOKI.exec(line) ?? [];
  if (text === undefined) return undefined;
  return { text, timeMs: momentOf(time), host: /\b(?:host|hostname|node|instance)="(\S{1,255}?)"/.exec(labels)?.[1] };
}

/** The properties that hold the text, by the programs that write them. */
const TEXTS = [
  // journalctl -o json
  'MESSAGE',
  // docker's json-file, fluentd
  'log',
  // Cloud Logging
  'textPayload',
  // CloudWatch, ECS, logstash, vector
  'message',
  // zap, logrus, bunyan
  'msg',
  // VictoriaLogs
  '_msg',
  // Azure Monitor
  'SyslogMessage',
  // logcli -o jsonl
  'line',
  // OpenTelemetry
  'body',
  // GELF
  'full_message',
  'short_message',
  // Splunk
  '_raw',
];
/** Objects that hold the properties. */
const WRAPPERS = ['jsonPayload', '_source', 'result'];
const TIMES = ['__REALTIME_TIMESTAMP', '@timestamp', '_time', 'timestamp', 'time', 'ts'];
const HOSTS = ['_HOSTNAME', 'hostname', 'host', 'node_name', 'nodeName'];
/** Where other objects hold the host. */
const PLACES = ['kubernetes', 'host', 'labels'];

/** The record in a JSON object that a log store has written; undefined if no text is in it. */
export function jsonRecord(value: unknown): LogRecord | undefined {
  if (!isObject(value)) return undefined;
  const wrapped = WRAPPERS.map((name) => value[name]).find(isObject);
  const text = textIn(value) ?? (wrapped && textIn(wrapped)) ?? taskText(value);
  if (text === undefined) return undefined;
  const monotonic = value['_TRANSPORT'] === 'kernel' ? numberIn(value['_SOURCE_MONOTONIC_TIMESTAMP']) : undefined;
  return {
    text,
    timeMs: timeIn(value) ?? (wrapped && timeIn(wrapped)),
    host: hostIn(value) ?? (wrapped && hostIn(wrapped)),
    uptimeMicroseconds: monotonic,
    isOutput: isOutput(value),
  };
}

/** docker's json-file tells the stream, and the journal who has sent a message. */
function isOutput(value: Properties): boolean {
  if (value['stream'] === 'stdout' || value['stream'] === 'stderr') return true;
  const { _TRANSPORT: transport, SYSLOG_IDENTIFIER: identifier } = value;
  return typeof transport === 'string' && transport !== 'kernel' && identifier !== 'kernel';
}

function textIn(value: Properties): string | undefined {
  for (const name of TEXTS) {
    const text = textOf(value[name]);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

function timeIn(value: Properties): number | undefined {
  for (const name of TIMES) {
    const timeMs = momentOf(value[name]);
    if (timeMs !== undefined) return timeMs;
  }
  return undefined;
}

function hostIn(value: Properties): string | undefined {
  for (const name of HOSTS) {
    const host = value[name];
    if (typeof host === 'string' && /^\S{1,255}$/.test(host)) return host;
  }
  for (const name of PLACES) {
    const place = value[name];
    if (!isObject(place)) continue;
    const host = place['hostname'] ?? place['host'] ?? place['name'];
    if (typeof host === 'string' && /^\S{1,255}$/.test(host)) return host;
  }
  return undefined;
}

const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;
const YEAR_2100_MS = 4_102_444_800_000;

/** Unix milliseconds, from ISO 8601 with a zone, or from a number in seconds or in any thousandth of them. */
export function momentOf(value: unknown): number | undefined {
  if (typeof value === 'string' && ISO.test(value)) {
    // Date.parse knows no more than milliseconds everywhere.
    const timeMs = Date.parse(value.replace(' ', 'T').replace(/[.,](\d{1,3})\d*/, '.$1'));
    return Number.isNaN(timeMs) ? undefined : timeMs;
  }
  let number = numberIn(value);
  if (number === undefined || number < 1e8) return undefined;
  if (number < 1e11) number *= 1000;
  while (number > YEAR_2100_MS) number /= 1000;
  return Math.floor(number);
}

const ENTITY = /&(lt|gt|amp|quot|apos|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});/g;
const CHARACTERS: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** Those that a page or a mail shows text with. The kernel's own are `<TASK>`, `<IRQ>` and the like. */
const TAG =
  /<\/?(?:a|b|blockquote|code|dd|div|dl|dt|em|font|i|li|o:p|ol|p|pre|samp|span|strong|td|tr|tt|ul)(?:\s[^<>]{0,400})?>/gi;
/** Items of a list, and paragraphs, may stand in one line of the source. */
const BREAK = /<br\s{0,4}\/?>|<\/(?:div|li|p|tr)>(?=\s{0,8}<(?:div|li|p|tr)\b)|&#(?:10|x0?a);/gi;
/** Between two cells of a row. */
const CELLS = /<\/t[dh]>\s{0,8}<t[dh](?:\s[^<>]{0,400})?>/gi;

const MARKED = /<(?:\/|br|p\b)/i;

/** The text of a line of a web page's source; several lines where it has breaks. */
export function htmlText(line: string): readonly string[] {
  if (!line.includes('&') && !(line.includes('<') && MARKED.test(line))) return [line];
  const lines = line.split(BREAK).map((each) => withoutEntities(each.replaceAll(CELLS, '\t').replaceAll(TAG, '')));
  // A break at the end of a line ends that line only, and one on a line of its own the line before.
  if (lines.every((each) => each.trim() === '')) return line.trim() === '' ? [line] : [];
  return lines.at(-1)?.trim() === '' ? lines.slice(0, -1) : lines;
}

function withoutEntities(text: string): string {
  const once = replaceEntities(text);
  // A page that shows the source of a page has them twice.
  return once.includes('&') ? replaceEntities(once) : once;
}

function replaceEntities(text: string): string {
  return text.replaceAll(ENTITY, (whole, name: string) => {
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    if (name.startsWith('#')) return code >= 0x20 && code < 0x110000 ? String.fromCodePoint(code) : whole;
    return CHARACTERS[name] ?? whole;
  });
}

// What log daemons, terminals, mails and tools put before a line of the kernel.

/** A line of a text without what stands before the kernel's own words. */
export interface Body {
  readonly text: string;
  /** Who printed it, if the kernel says (CONFIG_PRINTK_CALLER): `T10` for a task, `C1` for a CPU. */
  readonly caller: string | undefined;
  /** Whether it is a line of a log. */
  readonly logged: boolean;
  /** Of such a line, all that is known is when it was written: it may be anything that a program has printed. */
  readonly isOutput: boolean;
  /** How many quote marks of a mail were before it. */
  readonly quotes: number;
}

/**
 * The kernel's own stamp, seconds since boot. `dmesg -d` and `journalctl -o short-delta` add a difference, kernels of
 * Qualcomm the time of day.
 */
const UPTIME =
  /\[ {0,12}[+<]?\d{1,12}\.\d{0,9}(?: {0,2}<? {0,12}\d{1,12}\.\d{1,9} ?>?| \/ \d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6})?\]:? ?/;
/** The stamp is within this many characters. */
const UPTIME_BYTES = 250;
/** The CPU, which kernels of some vendors print right behind the stamp. */
const CPU = /^\[ {0,6}(\d{1,4})\] ?/;
/** The CPU, and who prints, in kernels of MediaTek. */
const PRINTER = /^[ .-]{0,2}\(\d{1,2}\)\[(\d{1,10}):[^\]]{1,32}\]/;
const PRINTER_WITHIN = / ?\[ {0,12}\d{1,12}\.\d{1,9}\][ .-]{0,2}\(\d{1,2}\)\[\d{1,10}:[^\]]{1,32}\]/g;
const PRINTER_CPU = /^ {0,2}\d{1,2}\)(?=\S| {1,8}(?:[0-9a-f]{8,16}|\d))/;
const CALLER = /^\[ {0,10}([TC]\d{1,10})(?:[^\d\]][^\]]{0,30})?\] ?/;

const CLOCK = String.raw`\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?`;
const DATE = String.raw`(?:\d{4}[-/]\d\d[-/]\d\d|\d\d-\d\d)[T ]{1,2}`;
/** Weekday, month and day in whatever language. */
const WORDS = String.raw`(?:[^\s[\]<>|:]{1,16},? {1,2}){0,4}?`;
/** A time zone, and no word of the kernel or of a title. */
const ZONE = '(?:(?!(?:PID|TID|LWP|CPU|INFO|BUG|NMI|TASK|STAT|USER|UID|COMM)\\b)[A-Z]{2,5}(?!:))';
const STAMP = new RegExp(`^\\s{0,40}(\\[?)(${WORDS})(${DATE})?${CLOCK}(?: \\d{4})?(?: ${ZONE})?\\]?[:,]?(?:\\s|$)`);
/** `dmesg --human`. */
const HUMAN = /^\[\w{3} ?\d{1,2} \d\d:\d\d\] ?/;
/** Seconds or milliseconds since 1970, from 2014 to 2033. */
const SINCE_1970 = String.raw`(?:1[4-9]|20)\d{8}(?:\.\d{1,9}|\d{3})?(?:\s|$)`;
const UNIX = new RegExp(`^${SINCE_1970}`);
/** The host and what else stands between the time and the kernel's name. */
const LEVEL = '(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug)';
const KERNEL = new RegExp(
  String.raw`^\s{0,40}(?:[^\s[\]()+]{1,255} {1,4}){0,3}?\[?kernel(?:\[[\d-]{1,10}\])?\s{0,4}(?:\]|:|(?=\[))` +
    String.raw`(?: ?${LEVEL}: (?=\[))?:? ?`,
  'i',
);
/** The same where no time stands before it. */
const KERNEL_FIRST = /^\s{0,40}(?:[^\s[\]()+]{1,255} {1,4}){0,2}?kernel(?:\[[\d-]{1,10}\])?:\s?/;
/** What a log store says of lines that a program has printed: see containers.ts. */
const PROGRAM = /^(?:\S{1,255} )?output: /;
const SYSLOG_WITHOUT_COLON = /^[^\s[\]()]{1,255} kernel (?=\S)/;
/** A line of the kernel's may follow without a host: ts(1) puts such a time before anything. */
const KERNELS_FIRST = [
  '(?:CPU|[RE]?IP|RSP|INFO|BUG|WARNING|PID|Code|Workqueue|Process|Stack|Backtrace|watchdog|rcu|task|sysrq|Kernel|pc|lr|ra|epc|NIP|Krnl|R[0-9A-Z]{1,2}):',
  '(?:Call|Modules|Hardware|Not|Sending|NMI) ',
  // Titles
  String.raw`(?:[PpTt][Ii][Dd]|[Pp]rocess|[Tt]ask|[Tt]hread) \d`,
  String.raw`\S{1,16} [A-Ztx] {1,10}(?:[0-9a-f]{8}|\d|running|\(NOTLB)`,
  String.raw`\S{1,16} \d{1,10} {1,4}\[\d{3}\]`,
].join('|');
const HOST = new RegExp(String.raw`^(?!${KERNELS_FIRST})[\w.-]{1,255}:? (?=\S)`);

/** Two slashes, since kworker/0:1 has one. */
const PATH = String.raw`(?:[\w.+@~-]{0,100}(?:/[\w.+@~-]{1,100}){2,20}|\.{0,2}/[\w./+@~-]{1,200})`;
/** The others. They are removed repeatedly until none is left. */
const OTHERS = [
  // The level in a raw log, of dmesg --decode, of journalctl and of syslog
  String.raw`<\d{1,3}>`,
  'kern {0,4}:[a-z]{1,6} {0,4}: ?',
  String.raw`kern: kern\.\w{1,8}: `,
  String.raw`(?:kern|user)\.\w{1,8}:? (?=\S)`,
  String.raw`${LEVEL}:? (?=\[)`,
  // Containers (CRI), journalctl -o verbose and export
  'std(?:out|err) [FP] ',
  String.raw`\s{0,20}MESSAGE=`,
  // Line numbers of a log
  String.raw`\s{0,20}\d{1,7}[:.)]? {1,8}(?=\[ {0,12}\d{1,12}\.\d|\[?<|\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d )`,
];
/** Those that stand before any text. */
const ANY = [
  // A comment in code
  String.raw`\s{0,20}\/\/ `,
  // The quote mark of a mail, the border of a table
  String.raw`\s{0,40}[>|│┃║] ?`,
  // Line numbers
  String.raw`\s{0,20}\d{1,7}(?:\s{1,8}[│|] ?|\t)`,
  // The file name of grep -H, also with -n and of context lines. A place in the sources may stand alone, in a mail.
  String.raw`(?!\S{1,200}\.[chS]:\d{1,6}\s*$)(?:${PATH}|[\w+@-]{1,60}\.(?:log|txt|\d)|messages|syslog|dmesg)[:-](?:\d{1,8}[:-])?`,
].join('|');
const OTHER = new RegExp(`^(?:${OTHERS.join('|')}|${ANY})`);
const ONLY_ANY = new RegExp(`^(?:${ANY})$`);
/** /dev/kmsg and netconsole. */
const KMSG = /^\s{0,20}\d{1,3},\d{1,20},\d{1,20},[^;\s]{1,80};/;
const KMSG_CALLER = /,caller=([TC]\d{1,10})/;
const PROC_FILE = /^\s{0,20}\/proc\/\d/;
/** `ps -m` of crash(8): how long a task has waited is no time of day. */
const SINCE = /^\s{0,4}\[ {0,3}\d{1,5} \d\d:\d\d:\d\d\.\d{1,3}\] {1,4}\[\w\w\] {1,4}PID:/;
const QUOTES = /^(?: {0,4}>){1,20}/;
const MOST_ROUNDS = 8;

/** The line as it is, without the quote marks of a mail. */
export function unquoted(line: string): Body {
  const marks = QUOTES.exec(line)?.[0] ?? '';
  return {
    text: line.slice(marks.length),
    caller: undefined,
    logged: false,
    isOutput: false,
    quotes: marks.replaceAll(' ', '').length,
  };
}

/** Takes off all prefixes that are known. What it leaves may still have one. */
export function bodyOf(line: string): Body {
  let text = line;
  let caller: string | undefined;
  let logged = false;
  let isOutput = true;
  let quotes = 0;
  const uptime = text.includes('.')
    ? UPTIME.exec(text.length > UPTIME_BYTES ? text.slice(0, UPTIME_BYTES) : text)
    : null;
  if (uptime !== null) {
    logged = true;
    isOutput = false;
    if (uptime.index > 0) quotes = QUOTES.exec(text)?.[0].replaceAll(' ', '').length ?? 0;
    text = text.slice(uptime.index + uptime[0].length);
    const [column, cpu] = uptime[0].endsWith(']') && text.startsWith('[') ? (CPU.exec(text) ?? []) : [];
    if (column !== undefined) {
      caller = `C${cpu}`;
      text = text.slice(column.length);
    }
    const printer = text.includes(')') ? (PRINTER.exec(text) ?? PRINTER_CPU.exec(text)) : null;
    if (printer !== null) {
      if (printer[1] !== undefined) caller = `T${printer[1]}`;
      text = text.slice(printer[0].length).replace(PRINTER_WITHIN, '');
    }
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const first = text.charCodeAt(0);
    // Most often nothing is left: a blank and a function.
    if (first === BLANK && isLetter(text.charCodeAt(1)) && !text.includes(':')) break;
    const length = lengthOfPrefix(text);
    if (length === 0) break;
    const prefix = text.slice(0, length);
    text = text.slice(length);
    if (first === BRACKET) caller = CALLER.exec(prefix)?.[1] ?? caller;
    if (prefix.includes('caller=')) caller = KMSG_CALLER.exec(prefix)?.[1] ?? caller;
    if (!ONLY_ANY.test(prefix)) {
      logged = true;
      isOutput &&= OUTPUT.test(prefix) && !TAG.test(text);
    } else if (prefix.includes('>')) quotes++;
  }
  return { text, caller, logged, isOutput: logged && isOutput, quotes };
}

/** A time as CI systems, containers and ts(1) put it before what a program prints; dmesg(1) has its own. */
const OUTPUT = new RegExp(
  `^\\s{0,40}(?:\\[?(?:${DATE})?${CLOCK}\\]?[:,]?\\s?(?:(?:\\S{1,255} )?output: )?|\\w{3} {1,2}\\d{1,2} ${CLOCK}\\s|std(?:out|err) [FP] |${SINCE_1970})$`,
);
/** What a log daemon puts before the message of a program. */
const TAG = /^[\w.-]{1,255} [\w./@-]{1,64}(?:\[\d{1,10}\])?: /;
const BLANK = 32;
const BRACKET = 91;

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || code === 95;
}

function lengthOfPrefix(text: string): number {
  if (PROC_FILE.test(text) || SINCE.test(text)) return 0;
  const caller = CALLER.exec(text) ?? HUMAN.exec(text) ?? UPTIME_FIRST.exec(text);
  if (caller !== null) return caller[0].length;
  const stamp = STAMP.exec(text);
  if (stamp !== null) {
    const length = stamp[0].length;
    const rest = text.slice(length);
    const kernel = PROGRAM.exec(rest) ?? KERNEL.exec(rest) ?? SYSLOG_WITHOUT_COLON.exec(rest);
    if (kernel !== null) return length + kernel[0].length;
    // The traditional form has a host. With an ISO date, or in brackets, there may be none.
    const isTraditional = stamp[1] === '' && stamp[2] !== '' && stamp[3] === undefined;
    return length + (isTraditional ? (HOST.exec(rest)?.[0].length ?? 0) : 0);
  }
  const other = KMSG.exec(text) ?? OTHER.exec(text) ?? UNIX.exec(text) ?? KERNEL_FIRST.exec(text);
  return other === null ? 0 : other[0].length;
}

const UPTIME_FIRST = new RegExp(`^${UPTIME.source}`);

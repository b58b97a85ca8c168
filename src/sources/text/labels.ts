import { CRASH_STATES } from './crash.ts';
import { type Header, headerOf, IGNORED, type Line, type LineParser, stateOf } from './line.ts';

/** Prompts of shells, crash, drgn, kdb, gdb and sdb, with what was typed. */
const PROMPT = new RegExp(
  `^\\s{0,12}(?:${[
    String.raw`\[[\w.-]{1,64}@[\w.-]{1,255}[^\]]{0,200}\]\s?[#$%]`,
    String.raw`[\w.-]{1,64}@[\w.-]{1,255}[: ][^#$%>]{0,200}[#$%>](?=\s)`,
    String.raw`[\w.-]{1,64}[:@]~?[\w./-]{0,200} ?[#$](?=\s)`,
    String.raw`(?:sh|bash|ash|zsh|dash)-[\d.]{1,8}[#$%]`,
    String.raw`(?:%?crash(?:64)?|drgn|sdb|pykdump|gdb)>`,
    String.raw`(?:\[\d{1,4}\])?(?:more)?k[gd]b>`,
    String.raw`\(gdb\)`,
    String.raw`>>>`,
    String.raw`[#$%]`,
  ].join('|')})(?:\\s{1,8}(\\S.{0,400})?)?$`,
);
const PROC = /(?:^|[\s/])proc\/(?:(\d{1,10})\/task\/(\d{1,10})|(\d{1,10}))\//;
const BACKTRACE = /^%?(?:btp?|stack)\s(?:-\w{1,4}\s){0,4}(\d{1,10})\b/;
/** crash: `foreach UN bt` */
const FOREACH = /^foreach (?:.{0,40} )?(RU|IN|UN|ID|ZO|ST|TR|DE|PA)\b.{0,40}\bbt\b/;
const DRGN = /\bstack_trace\(\s{0,4}(?:prog,\s{0,4})?(\d{1,10})\s{0,4}\)|\bfind_task\((?:prog,\s{0,4})?(\d{1,10})\)/;

/** drgn: one frame of a trace follows. */
const ONE_FRAME = /^\w{1,32}\[\d{1,4}\]$/;

/** `== 4102 ==`, `--- PID 4102 (x) ---`, `### 4102 ###`. */
const RULED = /^\s{0,8}([=*#~_+-])\1{1,80}\s{0,8}([^=*#~+].{0,200}?)\s{0,8}\1{0,80}\s{0,4}$/;
const WORD = String.raw`(?:[Pp]rocess|[Tt]hread|[Tt]ask|[Pp][Ii][Dd]|[Tt][Ii][Dd]|[Tt]gid|LWP|lwp)`;
/** `PID 4102 (x):`, `Stack of pid=4102:`, `thread 4102, comm x`. */
const NUMBERED = new RegExp(
  `(?:^|[\\s(\\[,;])${WORD}(?:\\s?(?:ID|id|#|no\\.?))?(?:\\s{0,4}[:=#]\\s{0,6}|\\s{1,6})(\\d{1,10})\\b(?!\\.\\d)`,
);
const TGID = /\b(?:tgid|Tgid|TGID)\s{0,4}[:=]?\s{0,4}(\d{1,10})\b/;
const NAMED = /\b(?:comm|Comm|COMM|[Nn]ame|COMMAND|[Cc]ommand|cmd|CMD|Cmd)\s{0,4}[:=]\s{0,4}"?([^\s",;]{1,64})"?/;
const IN_BRACKETS = /\d{1,10}\s{0,4}[[(<"']{1,2}([^\])>"']{1,64})[\])>"']/;
const STATE =
  /\b(?:[Ss]tate|STATE|stat|STAT)\s{0,4}[:=]?\s{0,4}([RSDTtXZI])\b|\(([RSDTtXZI])\)|\s([DSRTtZI])\s{0,4}[:)\]]?\s{0,4}$/;
/** `4102 (archiver) D`, `4102:`, `archiver (4102)`, `archiver[4102]:`, `archiver 4102`, `kswapd0(766) 0x2201200`. */
const BEHIND_LABEL = String.raw`(?: \(?([RSDTtXZI])\)?)?(?: 0x[0-9a-f]{1,16})?:?\s{0,4}$`;
const COMM = String.raw`[A-Za-z][\w./:@+-]{0,31}?`;
const WEAK_NUMBER = new RegExp(
  String.raw`^\s{0,8}(\d{1,10})(?::\s{0,4}$| \((${COMM})\)|\s{1,4}(${COMM})(?= [RSDTtXZI]\b|:))${BEHIND_LABEL}`,
);
const WEAK_NAME = new RegExp(String.raw`^\s{0,8}(${COMM})(?:[ /-](\d{2,10})|\s?[[(](\d{1,10})[\])])${BEHIND_LABEL}`);
/** `rsync(48211) blocked 2013 ms in D` */
const CALLED = new RegExp(String.raw`^\s{0,8}(${COMM})\((\d{1,10})\)(?:\s.{0,80})?$`);
const TITLE = new RegExp(String.raw`^(\d{1,10})(?:\s{1,4}(${COMM}))?$`);
const NO_COMM =
  /^(?:cpu|core|node|section|example|figure|step|listing|trace|case|test|frame|line|page|version|at|in|on|irq|after|for|about)$/i;

const GDB_THREAD = /^\s{0,4}Thread \d{1,4} \(/;

/** /proc/PID/status, which people print before the stack. */
const STATUS = /^(?:(Name):\s{1,8}(\S.{0,63})|(State):\s{1,8}([RSDTtXZI]) \(|(Tgid|Pid):\s{1,8}(\d{1,10})\s{0,4}$)/;
/** A line of `ps aux`, `ps -ef` or `ps -eLf`. */
const PS_AUX =
  /^\S{1,32}\s{1,12}(\d{1,10})\s{1,8}[\d.]{1,6}\s{1,8}[\d.]{1,6}\s{1,12}\d{1,12}\s{1,12}\d{1,12}\s{1,8}\S{1,12}\s{1,8}([RSDTtXZI])\S{0,6}\s{1,8}\S{1,10}\s{1,8}[\d:]{1,12}\s{1,4}(\S.{0,300})$/;
/** `ps ax` and `ps v`. */
const PS_AX =
  /^\s{0,12}(\d{1,10})\s{1,8}(?:\?|pts\/\d{1,4}|tty\w{1,8})\s{1,8}([RSDTtXZI])\S{0,6}\s{1,8}\d{1,6}:\d\d\s{1,12}(?:[\d.]{1,12}\s{1,8}){0,8}(\S.{0,300})$/;
const PS_EF =
  /^\S{1,32}\s{1,12}(\d{1,10})\s{1,12}\d{1,10}\s{1,8}\d{1,3}\s{1,8}\S{1,10}\s{1,8}\S{1,12}\s{1,8}\d\d:\d\d:\d\d\s(\S.{0,300})$/;
/** `callstack of ifconfig:` */
const OF =
  /\b(?:call ?stack|[Ss]tack(?: ?trace)?|[Bb]acktrace|[Tt]race) (?:of|for) (?:the )?(?:(?:process|task|thread) )?([\w./:+-]{2,32}?):\s{0,4}$/;
const MOST_LABEL = 200;
const LONGEST_TITLE = 60;

/** Lines that say whose stack follows: prompts, labels, lines of ps(1) and of /proc/PID/status. */
export const labels: LineParser = (line) => {
  if (line.length > 2 * MOST_LABEL) return undefined;
  const prompt = PROMPT.exec(line);
  if (prompt !== null && ONE_FRAME.test(prompt[1] ?? '')) return IGNORED;
  if (prompt !== null) {
    const command = prompt[1] ?? '';
    const letters = FOREACH.exec(command)?.[1];
    const ofAll = letters === undefined ? undefined : stateOf(CRASH_STATES[letters]);
    return { kind: 'label', header: fromCommand(command), ...(ofAll !== undefined && { ofAll }) };
  }
  const [, name, comm, state, letter, number, digits] = STATUS.exec(line) ?? [];
  if (name !== undefined) return { kind: 'label', header: headerOf({ name: comm }) };
  if (state !== undefined) return { kind: 'about', header: headerOf({ state: letter }) };
  if (number !== undefined)
    return { kind: 'about', header: headerOf(number === 'Pid' ? { tid: digits } : { pid: digits }) };
  const [, aux, auxState, auxCommand] = PS_AUX.exec(line) ?? [];
  if (aux !== undefined)
    return { kind: 'label', header: headerOf({ tid: aux, state: auxState, name: nameIn(auxCommand) }), isList: true };
  const [, ax, axState, axCommand] = PS_AX.exec(line) ?? [];
  if (ax !== undefined)
    return { kind: 'label', header: headerOf({ tid: ax, state: axState, name: nameIn(axCommand) }), isList: true };
  const [, ef, efCommand] = PS_EF.exec(line) ?? [];
  if (ef !== undefined) return { kind: 'label', header: headerOf({ tid: ef, name: nameIn(efCommand) }), isList: true };
  if (line.includes('stack_trace(')) {
    const header = fromCommand(line);
    if (header.tid !== undefined) return { kind: 'label', header };
  }
  if (line.length > MOST_LABEL) return undefined;
  // gdb's threads of a kernel are CPUs, and kmemleak names who allocated.
  if (GDB_THREAD.test(line)) return { kind: 'label', header: {} };
  if (line.includes('jiffies')) return undefined;
  const of = line.includes('tack') || line.includes('trace') ? OF.exec(line)?.[1] : undefined;
  if (of !== undefined) return { kind: 'label', header: headerOf({ name: of }), weak: true };
  if (!/\d/.test(line)) return undefined;
  return ruled(line) ?? numbered(line) ?? weak(line);
};

function fromCommand(command: string): Header {
  const [, pid, tid, only] = PROC.exec(command) ?? [];
  const traced = BACKTRACE.exec(command)?.[1];
  const [, first, second] = DRGN.exec(command) ?? [];
  return headerOf({ tid: tid ?? only ?? traced ?? first ?? second, pid });
}

function nameIn(command: string | undefined): string | undefined {
  const thread = /^\[(.{1,64})\]$/.exec(command ?? '')?.[1];
  return thread ?? /(?:^|\/)([^/\s]{1,64})(?=\s|$)/.exec(command?.split(' ')[0] ?? '')?.[1];
}

function ruled(line: string): Line | undefined {
  const text = RULED.exec(line)?.[2];
  if (text === undefined) return undefined;
  const [, tid, name] = TITLE.exec(text) ?? [];
  if (tid !== undefined) return { kind: 'label', header: headerOf({ tid, name }) };
  const known = numbered(text) ?? weak(text);
  return known === undefined || known.kind !== 'label' ? undefined : { kind: 'label', header: known.header };
}

function numbered(line: string): Line | undefined {
  const tid = NUMBERED.exec(line)?.[1];
  if (tid === undefined) return undefined;
  const [, state, inBrackets, last] = STATE.exec(line) ?? [];
  const bracketed = IN_BRACKETS.exec(line)?.[1];
  const name =
    NAMED.exec(line)?.[1] ?? (bracketed !== undefined && /^[RSDTtXZI]$/.test(bracketed) ? undefined : bracketed);
  const pid = TGID.exec(line)?.[1];
  const header = headerOf({ name, tid, pid, state: state ?? inBrackets ?? last });
  // A title, or a sentence.
  return line.length <= LONGEST_TITLE ? { kind: 'label', header } : { kind: 'label', header, weak: true };
}

function weak(line: string): Line | undefined {
  const [, number, inBrackets, plain, numberState] = WEAK_NUMBER.exec(line) ?? [];
  if (number !== undefined) {
    const header = headerOf({ tid: number, name: inBrackets ?? plain, state: numberState });
    return { kind: 'label', header, weak: true };
  }
  const [, name = '', after, bracketed, state] = WEAK_NAME.exec(line) ?? [];
  if (name === '') {
    const [, called, calledTid] = CALLED.exec(line) ?? [];
    if (calledTid === undefined) return undefined;
    const last = STATE.exec(line)?.[3];
    return { kind: 'label', header: headerOf({ name: called, tid: calledTid, state: last }), weak: true };
  }
  if (NO_COMM.test(name)) return undefined;
  return { kind: 'label', header: headerOf({ name, tid: after ?? bracketed, state }), weak: true };
}

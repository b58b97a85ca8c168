import { headerOf, type Line, type LineParser } from '../line.ts';

/** `== 4102 ==`, `--- PID 4102 (x) ---`, `### 4102 ###`. */
const RULED = /^\s{0,8}([=*#~_+-])\1{1,80}\s{0,8}([^=*#~+].{0,200}?)\s{0,8}\1{0,80}\s{0,4}$/;
const WORD =
  '(?:[Pp]rocess|[Tt]hread|[Tt]ask|[Pp][Ii][Dd]|[Tt][Ii][Dd]|[Tt]gid|LWP|lwp|进程|线程|任务|プロセス|スレッド|프로세스|스레드' +
  '|[Pp]ro(?:zess|ceso|cesso|cessus|ces)|[Hh]ilo|[Tt](?:area|arefa|âche|aak)|Aufgabe|[Пп]роцесс|[Пп]оток|[Зз]адача)';
/** `PID 4102 (x):`, `Stack of pid=4102:`, `thread 4102, comm x`. */
const NUMBERED = new RegExp(
  `(?:^|[\\s(\\[,;\x60])${WORD}(?:\\s?(?:ID|id|#|no\\.?))?(?:\\s{0,4}[:=#]\\s{0,6}|\\s{1,6})(\\d{1,10})\\b(?!\\.\\d)`,
);
const TGID = /\b(?:tgid|Tgid|TGID)\s{0,4}[:=]?\s{0,4}(\d{1,10})\b/;
const NAMED = /\b(?:comm|Comm|COMM|[Nn]ame|COMMAND|[Cc]ommand|cmd|CMD|Cmd)\s{0,4}[:=]\s{0,4}"?([^\s",;]{1,64})"?/;
/** `PID 1 COMM archiver STATE D` */
const COMM_WORD = /\b(?:comm|COMM)\s{1,4}(\S{1,64})\s{1,4}(?:state|STATE)\b/;
/** `1. archiver (pid 4102)` */
const BEFORE_NUMBER = /(?:^|[\s.)\x60])([A-Za-z][\w./:@+-]{0,31}?)\x60?,? [([](?:pid|PID|Pid|tid|TID)\b/;
/** `pid 11 comm sshd` */
const COMM_LAST = /\b[cC]omm ([\w./:@+-]{0,62}[\w./@+-])\s{0,4}[:)]?\s{0,4}$/;
const IN_BRACKETS = /\d{1,10}\s{0,4}[[(<"']{1,2}([^\])>"']{1,64})[\])>"']/;
const STATE = new RegExp(
  String.raw`\b(?:[Ss]tate|STATE|stat|STAT)\s{0,4}[:=]?\s{0,4}([RSDTtXZI])\b|\(([RSDTtXZI])\)` +
    String.raw`|\s([DSRTtZI])\s{0,4}[:)\]]?\s{0,4}$`,
);
/** `4102 (archiver) D`, `4102:`, `archiver (4102)`, `archiver[4102]:`, `archiver 4102`, `kswapd0(766) 0x2201200`. */
const BEHIND_LABEL = String.raw`(?: \(?([RSDTtXZI])\)?)?(?: 0x[0-9a-f]{1,16})?:?\s{0,4}$`;
const COMM = String.raw`[A-Za-z][\w./:@+-]{0,31}?`;
const WEAK_NUMBER = new RegExp(
  String.raw`^\s{0,8}(\d{1,10})(?::\s{0,4}$| \((${COMM})\)|\s{1,4}(${COMM})(?= [RSDTtXZI]\b|:|$))${BEHIND_LABEL}`,
);
const WEAK_NAME = new RegExp(String.raw`^\s{0,8}(${COMM})(?:[ /-](\d{2,10})|\s?[[(](\d{1,10})[\])])${BEHIND_LABEL}`);
/** A loop over processes: `4102`, `[4102]`, `4102/4103`, `/proc/4102/task/4103`, `stack of 4102`. */
const ALONE =
  /^\s{0,4}(?:[Ss]tack (?:of|for) )?["'\x60<[({]?(?:\/proc\/)?(?:(\d{1,7})\/(?:task\/)?)?([1-9]\d{0,6})\/?["'\x60>\])}]?\s{0,4}$/;
/** `rsync(48211) blocked 2013 ms in D` */
const CALLED = new RegExp(String.raw`^\s{0,8}(${COMM})\((\d{1,10})\)(?:\s.{0,80})?$`);
const TITLE = new RegExp(String.raw`^(\d{1,10})(?:\s{1,4}(${COMM}))?$`);
const NO_COMM = new RegExp(
  `^(?:${[
    'a',
    'after',
    'at',
    'about',
    'case',
    'core',
    'cpu',
    'example',
    'figure',
    'for',
    'hits?',
    'frame',
    'in',
    'irq',
    'it',
    'line',
    'more',
    'listing',
    'node',
    'on',
    'others?',
    'one',
    'page',
    'program',
    'process(?:es)?',
    'section',
    'stacks?',
    'step',
    'tasks?',
    'test',
    'times?',
    'threads?',
    'trace',
    'version',
    'which',
  ].join('|')})$`,
  'i',
);

/** Whether this may be the name of a task, where words of titles may stand, too. */
export function isComm(name: string): boolean {
  return !NO_COMM.test(name);
}

/** SystemTap: `[ jbd2/sdb1-8:417 ]` */
const STAP = /^\s{0,8}\[ ([^\s[\]]{1,32}):(\d{1,10}) \]\s{0,4}$/;
/** An item of a list: - `/usr/bin/archiver --all` */
const ITEM = /^\s{0,8}(?:[-*•]|\d{1,3}[.)]) `(?:\/?[\w.+-]{1,64}\/){0,16}([\w.+-]{2,64})(?: [^`]{0,300})?`:?\s{0,4}$/;
/** Behind the last number of a title that a script wrote. */
const NAMED_BEHIND = /^.{0,80}\s(\d{1,10})[,:]? ([A-Za-z(][\w./:@+()-]{0,63})(?=\s|$)/;
const GDB_THREAD = /^\s{0,4}Thread \d{1,4} \(/;

/** `Task 1)` counts, and does not tell a PID. */
const COUNTED = /^\s{0,4}(?:[Tt]ask|[Tt]hread|[Pp]rocess|[Ss]tack) #?\d{1,3}\)\s{0,4}$/;
/** `comm archiver state D` */
const COMM_AND_STATE = /^\s{0,4}comm (\S{1,15}) state ([RSDTtXZI])\s{0,4}$/;

/** `callstack of ifconfig:` */
const OF = new RegExp(
  String.raw`\b(?:call ?stack|[Ss]tack(?: ?trace)?|[Bb]acktrace|[Tt]race) (?:of|for) (?:the )?` +
    String.raw`(?:(?:process|task|thread) )?([\w./:+-]{2,32}?):\s{0,4}$`,
);
/** dstate: `# 4102 (comm: archiver) (cmd: /usr/bin/archiver):` */
const DSTATE = /^\s{0,8}# (\d{1,10}) \(comm: (.{1,32}?)\) \(cmd: /;
const MOST_LABEL = 200;
const LONGEST_TITLE = 60;

/** In a log, a line that mentions a PID is no title. */
export function inContext(line: Line | undefined, isLogged: boolean): Line | undefined {
  return isLogged && line?.kind === 'label' && line.isTitle ? undefined : line;
}

/** The title that dstate puts above both stacks of a task, which looks like a prompt. */
export const dstate: LineParser = (line) => {
  const [, tid, name] = line.includes('(comm: ') ? (DSTATE.exec(line) ?? []) : [];
  return tid === undefined ? undefined : { kind: 'task', header: headerOf({ name, tid }) };
};

/** Titles that people and scripts put above a stack. */
export const labels: LineParser = (line) => {
  if (line.length > MOST_LABEL) return undefined;
  // gdb's threads of a kernel are CPUs, and kmemleak names who allocated.
  if (GDB_THREAD.test(line)) return { kind: 'label', isTitle: true, header: {} };
  if (line.includes('jiffies') || line.includes('msg=audit(')) return undefined;
  const of = line.includes('tack') || line.includes('trace') ? OF.exec(line)?.[1] : undefined;
  if (of !== undefined) {
    const header = headerOf(/^\d{1,10}$/.test(of) ? { tid: of } : { name: NO_COMM.test(of) ? undefined : of });
    return { kind: 'label', isTitle: true, header, weak: true };
  }
  const program = line.includes('`') ? ITEM.exec(line)?.[1] : undefined;
  if (program !== undefined) return { kind: 'label', isTitle: true, header: { name: program }, weak: true };
  const [, comm, state] = line.includes('comm ') ? (COMM_AND_STATE.exec(line) ?? []) : [];
  if (comm !== undefined) return { kind: 'label', isTitle: true, header: headerOf({ name: comm, state }) };
  if (!/\d/.test(line)) return undefined;
  if (COUNTED.test(line)) return { kind: 'label', isTitle: true, header: {} };
  const [, stap, stapTid] = STAP.exec(line) ?? [];
  if (stapTid !== undefined)
    return { kind: 'label', isTitle: true, header: headerOf({ name: stap, tid: stapTid }), weak: true };
  return ruled(line) ?? numbered(line) ?? weak(line) ?? alone(line);
};

function ruled(line: string): Line | undefined {
  const text = RULED.exec(line)?.[2];
  if (text === undefined) return undefined;
  const [, tid, name] = TITLE.exec(text) ?? [];
  if (tid !== undefined) return { kind: 'label', isTitle: true, header: headerOf({ tid, name }) };
  const known = numbered(text) ?? weak(text);
  if (known?.kind !== 'label') return undefined;
  const { header } = known;
  const named = header.tid === undefined || header.name !== undefined ? undefined : NAMED_BEHIND.exec(text);
  if (!named) return { kind: 'label', isTitle: true, header };
  const [, thread, comm = ''] = named;
  const numbers = header.tid === Number(thread) ? header : headerOf({ tid: thread, pid: String(header.tid) });
  return { kind: 'label', isTitle: true, header: { ...numbers, ...(!NO_COMM.test(comm) && { name: comm }) } };
}

function numbered(line: string): Line | undefined {
  const tid = NUMBERED.exec(line)?.[1];
  if (tid === undefined) return undefined;
  const [, state, inBrackets, last] = STATE.exec(line) ?? [];
  const bracketed = IN_BRACKETS.exec(line)?.[1];
  const name =
    NAMED.exec(line)?.[1] ??
    COMM_LAST.exec(line)?.[1] ??
    COMM_WORD.exec(line)?.[1] ??
    nameBefore(line) ??
    (bracketed !== undefined && /^[RSDTtXZI]$/.test(bracketed) ? undefined : bracketed);
  const pid = TGID.exec(line)?.[1];
  const header = headerOf({ name, tid, pid, state: state ?? inBrackets ?? last });
  // A title, or a sentence.
  return line.length <= LONGEST_TITLE
    ? { kind: 'label', isTitle: true, header }
    : { kind: 'label', isTitle: true, header, weak: true };
}

function alone(line: string): Line | undefined {
  const [, pid, tid] = ALONE.exec(line) ?? [];
  return tid === undefined ? undefined : { kind: 'label', isTitle: true, header: headerOf({ tid, pid }), weak: true };
}

function nameBefore(line: string): string | undefined {
  const name = BEFORE_NUMBER.exec(line)?.[1];
  return name === undefined || NO_COMM.test(name) ? undefined : name;
}

function weak(line: string): Line | undefined {
  const [, number, inBrackets, plain, numberState] = WEAK_NUMBER.exec(line) ?? [];
  if (plain !== undefined && NO_COMM.test(plain)) return undefined;
  if (number !== undefined) {
    const header = headerOf({ tid: number, name: inBrackets ?? plain, state: numberState });
    return { kind: 'label', isTitle: true, header, weak: true };
  }
  const [, name = '', after, bracketed, state] = WEAK_NAME.exec(line) ?? [];
  if (name === '') {
    const [, called, calledTid] = CALLED.exec(line) ?? [];
    if (calledTid === undefined) return undefined;
    const [, named, inBrackets, last] = STATE.exec(line) ?? [];
    const header = headerOf({ name: called, tid: calledTid, state: named ?? inBrackets ?? last });
    return { kind: 'label', isTitle: true, header, weak: true };
  }
  if (NO_COMM.test(name)) return undefined;
  return { kind: 'label', isTitle: true, header: headerOf({ name, tid: after ?? bracketed, state }), weak: true };
}

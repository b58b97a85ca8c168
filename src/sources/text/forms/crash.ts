import { headerOf, IGNORED, type LineParser } from '../line.ts';
import { BEFORE, frameOf, MODULE, SYMBOL } from './patterns.ts';

const ADDRESS = '(?:0x)?[0-9a-f]{4,16}';
const OFFSET = String.raw`(?:\+(?:0x[0-9a-f]{1,9}(?:\/0x[0-9a-f]{1,9})?|\d{1,9}))?`;
/** A mail program may break the line before the address. */
const WHERE =
  String.raw`(?: \[[\w-]{1,64}\])?(?: \(via ${SYMBOL}\))?${OFFSET} at` +
  String.raw`(?:\s{0,4}$| ${ADDRESS}(?:\s{1,4}${MODULE})?)`;
const FRAME = new RegExp(`(?:${BEFORE}|!)#(\\d{1,4}) \\[${ADDRESS}\\] (${SYMBOL})${WHERE}`);
/** Mail programs and web pages take the `#` for the mark of a title or a number. */
const UNMARKED_FRAME = new RegExp(`^\\s{0,8}(\\d{1,3}) \\[[0-9a-f]{8,16}\\] (${SYMBOL})${WHERE}`);
/** Copied without the addresses of the stack. */
const SHORT_FRAME = new RegExp(`${BEFORE}#(\\d{1,4}) {1,4}(${SYMBOL}) at [0-9a-f]{8,16}(?: ${MODULE})?\\s{0,4}$`);
const ARM_FRAME = new RegExp(
  `${BEFORE}#(\\d{1,4}) \\[<[0-9a-f]{8}>\\] \\((${SYMBOL})(?: ${MODULE})?\\) from \\[<[0-9a-f]{8}>\\]`,
);
/** Someone has taken the numbers away. */
const UNNUMBERED_FRAME = new RegExp(`^\\[${ADDRESS}\\] (${SYMBOL}) at ${ADDRESS}(?: ${MODULE})?\\s{0,4}$`);
/** `bt -t`: everything on the stack that looks like a return address. */
const TEXT_SYMBOL = new RegExp(`^\\s{1,20}\\[${ADDRESS}\\] (${SYMBOL}) at ${ADDRESS}(?: ${MODULE})?\\s{0,4}$`);
const START = new RegExp(`^\\s{1,30}START: (${SYMBOL}) at ${ADDRESS}`);
const TIME = String.raw`(\[ {0,3}\d[^\]]{0,40}\]\s{1,4})?(?:\[(\w{2})\]\s{1,4})?`;
const TASK = new RegExp(
  `${BEFORE}${TIME}PID: {1,10}(\\d{1,10}) {1,10}TASK: ${ADDRESS}(?: {1,4}\\[(\\w{1,2})\\])? {1,10}` +
    'CPU: {1,6}\\d{1,5}!? {1,10}COMMAND: "(.{0,64})"',
  's',
);
/** A script adds calls that the compiler has inlined or turned into jumps: they are no frames. */
const ADDED = /^\s{0,20}\[(?:inlined|ret call)\] [\w.]{1,128}/;
/** What `bt` says of a task on a CPU, of which a live system has no stack. */
const ACTIVE = /^\s{0,8}\(active\)\s{0,4}$/;
/** `set` and `task`. */
const STATE = /^\s{0,8}STATE: TASK_(\w+)/;
/** x86 and arm64. */
const EXCEPTION = new RegExp(
  String.raw`^\s{0,10}(?:\[exception RIP: |PC: [0-9a-f]{16}\s{1,4}\[)(${SYMBOL})\+(0x[0-9a-f]{1,9}|\d{1,9})(?: ${MODULE})?\]`,
);
/** drgn-tools: the stack of an interrupt ends here, or a stack does. */
const CONTINUES = /^\s{0,8}-- continuing to previous stack/;
const TOOLS_END = /^\s{0,8}-- \S.{0,200} --\s{0,4}$/;
const MARK = /^\s{0,8}--- <(\w+)(?: exception)?(?: stack)?> ---/;

/** The beginning of a header that a mail program has broken. */
const BROKEN = new RegExp(
  `PID: {1,10}\\d{1,10} {1,10}TASK: ${ADDRESS}(?: {1,10}CPU: {1,6}\\d{1,5}!?)?(?: {1,10}COMMAND:)?\\s{0,4}$`,
);

/** Whether this is the beginning of a header whose rest may be in the next line. */
export function isBrokenHeader(line: string): boolean {
  return line.includes('TASK: ') && BROKEN.test(line);
}

/** How crash names states: RU, IN, UN, ZO, ST, TR, DE, ID, PA. */
export const CRASH_STATES: Readonly<Record<string, string>> = {
  RU: 'R',
  IN: 'S',
  UN: 'D',
  ID: 'I',
  ZO: 'Z',
  ST: 'T',
  TR: 't',
  DE: 'X',
  PA: 'P',
  RUNNING: 'R',
  INTERRUPTIBLE: 'S',
  UNINTERRUPTIBLE: 'D',
  IDLE: 'I',
};

/** `[0 00:02:01.123]`: days, hours, minutes and seconds since the task last ran. */
function durationMs(time: string): number | undefined {
  const [, days, hours, minutes, seconds] = /^\[ {0,3}(\d{1,5}) (\d\d):(\d\d):(\d\d(?:\.\d{1,3})?)\]/.exec(time) ?? [];
  if (seconds === undefined) return undefined;
  return Math.round(1000 * (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)));
}

/** The output of `bt` and `foreach bt` in crash(8), and of drgn-tools, which puts the state behind TASK: `[D]`. */
export const crash: LineParser = (line) => {
  if (line.includes('#')) {
    const [, number, symbol, module] = FRAME.exec(line) ?? SHORT_FRAME.exec(line) ?? ARM_FRAME.exec(line) ?? [];
    if (symbol !== undefined) {
      return { kind: 'frame', frame: frameOf(symbol, line.trim(), { module }), number: Number(number) };
    }
    return undefined;
  }
  if (line.includes('[') && ADDED.test(line)) return IGNORED;
  if (line.includes('(active)')) return ACTIVE.test(line) ? { kind: 'about', header: { state: 'R' } } : undefined;
  if (line.includes('TASK')) {
    const [, time, before, tid, behind, name] = TASK.exec(line) ?? [];
    const letter = before ?? behind;
    if (tid !== undefined) {
      const header = headerOf({ name, tid, state: (letter && CRASH_STATES[letter]) ?? letter });
      // `ps -m` lists tasks, and the stack of one may follow further down.
      if (time === undefined) return { kind: 'task', header };
      const blockedMs = header.state === 'D' ? durationMs(time) : undefined;
      const known = blockedMs === undefined ? header : { ...header, blockedMs };
      return { kind: 'label', isTitle: true, header: known, isList: true };
    }
    const state = STATE.exec(line)?.[1];
    return state === undefined ? undefined : { kind: 'about', header: headerOf({ state: CRASH_STATES[state] }) };
  }
  if (line.includes(' at ')) {
    const [, number, unmarked, unmarkedModule] = UNMARKED_FRAME.exec(line) ?? [];
    if (unmarked !== undefined) {
      const frame = frameOf(unmarked, line.trim(), { module: unmarkedModule });
      return { kind: 'frame', frame, number: Number(number) };
    }
    const [, plain, plainModule] = UNNUMBERED_FRAME.exec(line) ?? [];
    if (plain !== undefined) return { kind: 'frame', frame: frameOf(plain, line.trim(), { module: plainModule }) };
    const [, symbol, module] = TEXT_SYMBOL.exec(line) ?? [];
    if (symbol !== undefined) return { kind: 'guess', frame: frameOf(symbol, `? ${line.trim()}`, { module }) };
    const start = START.exec(line)?.[1];
    return start === undefined ? undefined : { kind: 'guess', frame: frameOf(start, `? ${line.trim()}`) };
  }
  if (line.includes('[exception') || line.includes('  PC: ')) {
    const [, symbol, offset = '', module] = EXCEPTION.exec(line) ?? [];
    if (symbol === undefined) return line.includes('[exception') ? IGNORED : undefined;
    return { kind: 'exception', frame: frameOf(symbol, line.trim(), { offset: Number(offset), module }) };
  }
  if (line.includes(' -- '))
    return CONTINUES.test(line) ? { kind: 'interrupted' } : TOOLS_END.test(line) ? IGNORED : undefined;
  const mark = line.includes('--- <') ? MARK.exec(line)?.[1] : undefined;
  return mark === undefined ? undefined : { kind: 'interrupted' };
};

import type { Frame } from '../../model/stack.ts';
import { headerOf, type Line, type LineParser } from './line.ts';

/**
 * Prefixes of kernel log lines: from `dmesg` (also with -H, -T and CONFIG_PRINTK_CALLER), /dev/kmsg, syslog and the
 * journal in their variants, and the level in a raw log; also the quote mark of a mail, the border of a table and line
 * numbers. They are removed repeatedly until none is left.
 */
const PREFIXES = [
  /^<\d{1,3}>/,
  /^\[ {0,12}\+?\d{1,12}\.\d{0,9}\] ?/,
  /^\[ {0,8}[TC]\d{1,10}\] ?/,
  /^\[\w{3} \w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4}\] ?/,
  /^\[\w{3} ?\d{1,2} \d\d:\d\d\] ?/,
  /^\s{0,40}(?:(?:\w{3} )?\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d(?: \d{4})?|\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{8,30}|\d\d:\d\d:\d\d\.\d{1,9}) .{0,255}?(?<=[ [])kernel(?:\[[\d-]{1,10}\])?[:\]]? ?/,
  /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?:\] ?| (?=[ [])|(?<=[.,]\d{6}[+-]\d\d:\d\d) )/,
  /^kern {0,4}:[a-z]{1,6} {0,4}: ?/,
  /^\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d \S{1,255} (?=\d{1,3},\d{1,20},\d{1,20},)/,
  /^\s{0,20}\d{1,7}:? {1,8}(?=\[ {0,12}\d{1,12}\.\d|\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d )/,
  /^kern: kern\.\w{1,8}: /,
  /^kernel: ?/,
  /^(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug):? (?=\[ {0,12}\d{1,12}\.\d)/,
  /^\d{1,3},\d{1,20},\d{1,20},[^;]{1,40};/,
  /^\s{0,20}MESSAGE=/,
  /^> ?/,
  /^\s{0,20}(?:\d{1,7}\s{1,8})?│ ?/,
];
const MOST_PREFIXES = 6;

/** The line without the prefixes of log daemons and dmesg(1). */
export function withoutLogPrefix(line: string): string {
  let rest = line;
  for (let round = 0; round < MOST_PREFIXES; round++) {
    const prefix = PREFIXES.find((expression) => expression.test(rest));
    if (prefix === undefined) break;
    rest = rest.replace(prefix, '');
  }
  return rest;
}

const FRAME =
  /^\s{0,40}(?:\[[0-9a-f]{8,16}\] ){0,2}(\? )?\s{0,4}([\w.$]{1,512})\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?:\s{1,4}\[([^\]\s]{1,64})[^\]]{0,80}\])?(?:\s.{0,300})?$/;
/**
 * Old kernels print addresses, which bug trackers tend to swallow as markup. s390 puts a frame it is less sure of in
 * parentheses. RHEL 5 puts the module before the function.
 */
const OLD_FRAME =
  /^\s{0,40}\(?(?:\[<[0-9a-f]{0,16}>\]|\[\])\s{1,4}(\? )?(?::[\w-]{1,64}:)?([\w.$]{1,512})\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?:\s{1,4}\[([^\]\s]{1,64})[^\]]{0,80}\])?\)?\s{0,200}$/;
/** A frame after scripts/decode_stacktrace.sh. */
const DECODED_FRAME = /^\s{0,40}(\? )?([\w.$]{1,512}) \([\w./+-]{1,200}:\d{1,6}[^)]{0,300}\)/;
/** An inlined frame added by syzkaller's symbolizer. */
const INLINED_FRAME = /^\s{0,40}(\? )?([\w.$]{1,512}) [\w./+-]{1,200}:\d{1,6} \[inline\]\s{0,4}$/;
/** Where a CPU was when it was interrupted, on x86, arm64, arm and PowerPC. */
const INSTRUCTION =
  /^(?:RIP: [0-9a-f]{4}:|pc : |PC is at |NIP \[[0-9a-f]{8,16}\] )(?:\[<[0-9a-f]{1,16}>\]\s{1,4}){0,2}([\w.$]{1,512})\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?:\s{1,4}\[([^\]\s]{1,64})[^\]]{0,80}\])?/;
const HUNG = /^INFO: task (.{1,64}):(\d{1,10}) (?:<.{0,20}> )?blocked (?:for more than|in I\/O wait for more than)\b/s;
const TASK =
  /^task:\s{0,2}(.{1,64}?)\s{1,40}state:(\S)\s{1,20}(?:running task\s{1,20})?stack:\s{0,10}\d{1,10}\s{1,10}pid:\s{0,10}(\d{1,10})\b(?:\s{1,10}tgid:\s{0,10}(\d{1,10})\b)?/s;
/** Before 5.10. Until 4.13 an address in the code followed the state. */
const OLD_TASK =
  /^(\S.{0,63}?)\s{1,40}([A-Zt])\s{0,10}(?:(?:[0-9a-f]{8,16}|running task|\(NOTLB\))\s{1,20})?\d{1,10}\s{1,10}(\d{1,10})\s{1,10}\d{1,10}\s{1,20}(?:0x[0-9a-f]{1,16}|\d{1,10}\s[^(]{0,20}\((?:L-TLB|NOTLB)\))/s;
const OOPS = /^CPU: \d{1,5} (?:UID: \d{1,10} )?PID: (\d{1,10}) Comm: (.{1,64}?) (?:Not tainted|Tainted:|Kdump:)/s;
const OLD_OOPS = /^Pid: (\d{1,10}), comm: (\S{1,64})/;

/**
 * Stacks in the kernel log (kernel/sched/core.c, sched_show_task; kernel/hung_task.c; arch/x86/kernel/dumpstack.c).
 */
export const dmesg: LineParser = (line) => {
  const text = line.trim();
  return markOf(text) ?? frameOf(line, text) ?? taskOf(text);
};

function markOf(text: string): Line | undefined {
  if (text === '<IRQ>' || text === '<SOFTIRQ>') return { kind: 'interrupt' };
  if (text === '<NMI>') return { kind: 'interrupt', above: true };
  if (text === '</IRQ>' || text === '</SOFTIRQ>' || text === '</NMI>' || text === '<EOI>' || text === '<<EOE>>')
    return { kind: 'interrupt-end' };
  return /^Call [Tt]race:/.test(text) ? { kind: 'begin' } : undefined;
}

function frameOf(line: string, raw: string): Line | undefined {
  const parts = FRAME.exec(line) ?? OLD_FRAME.exec(line);
  if (parts !== null) {
    const [, guess, symbol = '', offset = '', size = '', module] = parts;
    return { kind: guess === undefined ? 'frame' : 'guess', frame: wholeFrame(symbol, offset, size, module, raw) };
  }
  const [, guess, symbol] = DECODED_FRAME.exec(line) ?? INLINED_FRAME.exec(line) ?? [];
  if (symbol !== undefined) return { kind: guess === undefined ? 'frame' : 'guess', frame: { symbol, raw } };
  const [, at, offset = '', size = '', module] = INSTRUCTION.exec(raw) ?? [];
  return at === undefined ? undefined : { kind: 'instruction', frame: wholeFrame(at, offset, size, module, raw) };
}

function wholeFrame(symbol: string, offset: string, size: string, module: string | undefined, raw: string): Frame {
  return {
    symbol,
    offset: Number.parseInt(offset, 16),
    size: Number.parseInt(size, 16),
    ...(module === undefined ? {} : { module }),
    raw,
  };
}

function taskOf(text: string): Line | undefined {
  const hung = HUNG.exec(text);
  if (hung !== null) return { kind: 'task', header: headerOf({ name: hung[1], tid: hung[2], state: 'D' }) };
  const [, name, state, tid, pid] = TASK.exec(text) ?? OLD_TASK.exec(text) ?? [];
  if (tid !== undefined) return { kind: 'task', header: headerOf({ name, tid, pid, state }) };
  const oops = OOPS.exec(text) ?? OLD_OOPS.exec(text);
  return oops === null ? undefined : { kind: 'task', header: headerOf({ name: oops[2], tid: oops[1] }) };
}

import type { Frame } from '../../../model/stack.ts';
import { headerOf, IGNORED, type Line, type LineParser } from '../line.ts';
import { frameOf, MODULE, SYMBOL } from './patterns.ts';

/** `--- interrupt: 900 at f+0x1/0x2`, before 5.x `--- Exception: 901 at .f+0x1/0x2`. */
const PLACE = String.raw`(${SYMBOL})\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?: ${MODULE})?`;
const MARK = new RegExp(`--- (?:interrupt|Exception): ([0-9a-f]{3,4})(?: at ${PLACE})?`);
const SECOND = /--- interrupt: [0-9a-f]{3,4}\s{0,4}$/;
/** External, decrementer, doorbell, virtualization, performance monitor, system reset and machine check. */
const INTERRUPTS = new Set(['100', '200', '500', '501', '900', '901', '980', 'a00', 'e60', 'e80', 'ea0', 'f00', 'f01']);
const LINK = /^\s{0,20}LR (?:= |\[)/;

/** The debugger xmon (arch/powerpc/xmon/xmon.c, excprint). */
const XMON = /^\s{0,8}cpu 0x[0-9a-f]{1,4}: Vector: [0-9a-f]{1,4} /;
const XMON_PLACE = new RegExp(String.raw`^\s{0,12}(pc|lr): [0-9a-f]{8,16}: ${PLACE}`);
const XMON_REGISTER = /^\s{0,12}(?:sp|msr|dar|dsisr|current|paca)\s{0,4}[:=] {0,2}[0-9a-fx]/;
/** Something on the stack that is no function, and what `t` of xmon says of the end. */
const NO_FUNCTION = /^\s{0,8}\[[0-9a-f]{8,16}\] [0-9a-f]{8,16}(?: 0x[0-9a-f]{1,16})? ?(?:\(unreliable\))?\s{0,4}$/;
const XMON_TASK = /^\s{0,12}pid\s{1,4}= (\d{1,10}), comm = (\S.{0,15})$/;

/** A CPU that does not answer: another one prints its stack (arch/powerpc/kernel/stacktrace.c, raise_backtrace_ipi). */
const OF_SILENT_CPU = /^\s{0,8}irq_soft_mask: 0x[0-9a-f]{1,4} in_mce: .{1,40} current: (\d{1,10}) \((.{1,64})\)$/s;

/** The marks between the stack of an interrupt and the one below it (arch/powerpc/kernel/process.c, show_stack). */
export const powerpc: LineParser = (line) => {
  if (!line.includes('---')) {
    const [, running, runs] = line.includes('irq_soft_mask: ') ? (OF_SILENT_CPU.exec(line) ?? []) : [];
    if (running !== undefined)
      return { kind: 'task', header: { ...headerOf({ tid: running, name: runs }), onCpu: true } };
    if (XMON.test(line)) return { kind: 'label', header: { onCpu: true } };
    const [, tid, name] = line.includes('comm = ') ? (XMON_TASK.exec(line) ?? []) : [];
    if (tid !== undefined) return { kind: 'about', header: headerOf({ tid, name }) };
    const [, register, symbol, offset, size, module] = line.includes(': ') ? (XMON_PLACE.exec(line) ?? []) : [];
    if (register === 'pc' && symbol !== undefined)
      return { kind: 'instruction', frame: placeOf(line, symbol, offset, size, module) };
    return register === 'lr' || LINK.test(line) || XMON_REGISTER.test(line) || NO_FUNCTION.test(line)
      ? IGNORED
      : undefined;
  }
  const [, vector, symbol, offset, size, module] = MARK.exec(line) ?? [];
  if (vector === undefined) return undefined;
  if (!INTERRUPTS.has(vector)) return IGNORED;
  const mark: Line = { kind: 'interrupted' };
  // From 5.13 on, the same again stands behind the registers.
  if (symbol === undefined) return SECOND.test(line) ? IGNORED : mark;
  return { kind: 'lines', lines: [mark, { kind: 'frame', frame: placeOf(line, symbol, offset, size, module) }] };
};

function placeOf(line: string, symbol: string, offset = '', size = '', module?: string): Frame {
  const parts = { offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), module };
  return frameOf(symbol, line.trim(), parts);
}

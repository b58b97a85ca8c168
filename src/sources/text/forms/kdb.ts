import { headerOf, IGNORED, type LineParser } from '../line.ts';
import { frameOf, isProgramAddress, SYMBOL } from './patterns.ts';

const ADDRESS = '0x[0-9a-f]{8,16}';
const TASK = new RegExp(
  String.raw`${ADDRESS}\s{1,12}(\d{1,10})\s{1,12}\d{1,10}\s{1,8}[01]\s{1,8}\d{1,5}\s{1,8}([A-Zt])\s{1,8}${ADDRESS}` +
    String.raw`\s{0,8}\*?\s{0,4}(\S.{0,63}?)\s{0,4}$`,
);
const TRACEBACK = /\bStack traceback for pid (\d{1,10})/;
/**
 * kdb's own unwinder, before 2.6.35 and on ia64: the stack's address, the function's, its module, its name and
 * arguments.
 */
const FRAME = new RegExp(
  String.raw`^\s{0,12}(?:${ADDRESS} )?(${ADDRESS}) (?:\[([\w-]{1,64})\])?(\.?${SYMBOL})(?:\+0x([0-9a-f]{1,8}))?` +
    String.raw`(?: \(.{0,300})?\s{0,4}$`,
);
/** Below a frame: the section that the function is in, its beginning, and that and the end of the function. */
const SECTION = new RegExp(String.raw`^\s{8,60}[\w-]{1,64} \.[\w.]{1,32}(?: ${ADDRESS}){1,3}\s{0,4}$`);
/** The last of the arguments of a frame, where the line was broken. */
const LAST_ARGUMENT = new RegExp(String.raw`^(?:0x0|${ADDRESS})\)\s{0,4}$`);
/** What is there is no function: the code of locks, out of the way of those that take them. */
const SECTION_NAME = /^\.(?:text|init|exit)\b/;

/** kdb's `bt`, `btp` and `bta`: a line for the task before the kernel's own trace. */
export const kdb: LineParser = (line) => {
  const traceback = line.includes('Stack traceback') ? TRACEBACK.exec(line)?.[1] : undefined;
  if (traceback !== undefined) return { kind: 'label', header: headerOf({ tid: traceback }) };
  if (!line.includes('0x')) return undefined;
  const [, tid, state, name] = TASK.exec(line) ?? [];
  if (tid !== undefined) return { kind: 'task', header: headerOf({ tid, state, name }) };
  if (SECTION.test(line) || LAST_ARGUMENT.test(line)) return IGNORED;
  const [, address = '', module, symbol, offset] = FRAME.exec(line) ?? [];
  if (symbol === undefined || /^\d/.test(symbol) || isProgramAddress(address)) return undefined;
  if (SECTION_NAME.test(symbol)) return IGNORED;
  const parts = { module, ...(offset !== undefined && { offset: Number.parseInt(offset, 16) }) };
  return { kind: 'frame', frame: frameOf(symbol, line.trim(), parts) };
};

import { IGNORED, type Line, type LineParser } from '../line.ts';
import { BEFORE, frameOf, isProgramAddress, SOURCE, SYMBOL } from './patterns.ts';

const NUMBER = String.raw`${BEFORE}#(\d{1,4})\s{1,4}`;
const OFFSET = String.raw`(?:\+(?:0x[0-9a-f]{1,16}\/)?0x[0-9a-f]{1,16})?`;
const PLACE = String.raw`(?:\(${SOURCE}|(?:at|in) 0x[0-9a-f]{1,16}|\(.{0,8}unknown)`;
const FRAME = new RegExp(`${NUMBER}(${SYMBOL})${OFFSET}(?: ${PLACE}.{0,300})?$`);
const ADDRESS = new RegExp(`${NUMBER}(0x[0-9a-f]{1,16})\\s{0,4}$`);
/** A frame on its own: `#5 at 0xffffffff814b6446 (_raw_spin_lock+0x36/0x68) in queued_spin_lock at ./include/...`. */
const SINGLE = new RegExp(`${NUMBER}at 0x[0-9a-f]{1,16} \\(.{1,600}\\)(?: in (${SYMBOL}))? at (?:${SOURCE}|\\.{2,3}$)`);
/** Requires a kernel address or a kernel source file, because gdb prints the stacks of user programs the same way. */
const FOLDERS = [
  'arch',
  'block',
  'crypto',
  'drivers',
  'fs',
  'include',
  'init',
  'io_uring',
  'ipc',
  'kernel',
  'lib',
  'mm',
  'net',
  'security',
  'sound',
  'virt',
].join('|');
/** Where the kernel's sources were, if the compiler was told. */
const TREE = String.raw`(?:\.{1,2}\/|[\w./+~-]{0,200}(?:linux|kernel)[\w.+~-]{0,60}\/)?`;
const GDB = new RegExp(
  `${NUMBER}(?:0x(?:ffff[0-9a-f]{4,12}|[89a-f][0-9a-f]{7}) in (${SYMBOL}) \\(` +
    `|(${SYMBOL}) \\(.{0,300}\\) at ${TREE}(?:${FOLDERS})\\/)`,
);
/** git(1) takes lines with `#` out of messages, so that people take the `#` away. */
const UNMARKED_GDB = new RegExp(
  String.raw`^\s{0,8}(\d{1,3})\s{1,4}` +
    `(?:0x(?:ffff[0-9a-f]{4,12}|[89a-f][0-9a-f]{7}) in (${SYMBOL}) \\(` +
    `|(${SYMBOL}) \\(.{0,300}\\) at ${TREE}(?:${FOLDERS})\\/)`,
);
const PROGRAM = /\bfrom (?:target:)?\/|\bat \.\.\/|\/sysdeps\/|#\d{1,4}\s{1,4}0x0000|#\d{2} +pc [0-9a-f]{8}/;

/** gdb(1) breaks a line before the file, if it is longer than the terminal is wide. */
const BROKEN_FRAME = /^\s{0,8}#\d{1,4}\s{1,4}\w[\w.$]{0,511} \(.{0,600}\)$/;

/** Whether the next line may have the file of this frame. */
export function isBrokenFrame(line: string): boolean {
  return line.includes('#') && BROKEN_FRAME.test(line);
}

/** The output of drgn's stack_trace(), `#0  context_switch (kernel/sched/core.c:5388:2)`, and of gdb(1) on a kernel. */
export const drgn: LineParser = (line) => {
  if (!line.includes('#')) return line.includes(' (') ? unmarked(line.trimEnd()) : undefined;
  const text = line.trimEnd();
  if (text.includes(' in ?? (')) return IGNORED;
  const single = SINGLE.exec(text);
  if (single === null && PROGRAM.test(text)) return IGNORED;
  const raw = text.trim();
  const [, bareNumber, address] = ADDRESS.exec(text) ?? [];
  if (address !== undefined) {
    if (isProgramAddress(address)) return IGNORED;
    return { kind: 'frame', frame: frameOf(address, raw), number: Number(bareNumber) };
  }
  if (single !== null) {
    const [, number, symbol] = single;
    if (symbol === undefined) return IGNORED;
    return { kind: 'frame', frame: frameOf(symbol, raw), number: Number(number), isPrint: true };
  }
  const [, gdbNumber, addressed, placed] = GDB.exec(text) ?? [];
  const gdb = addressed ?? placed;
  if (gdb !== undefined) return { kind: 'frame', frame: frameOf(gdb, raw), number: Number(gdbNumber) };
  const [whole = '', number, symbol] = FRAME.exec(text) ?? [];
  // A number and a word alone are prose.
  if (symbol === undefined || /#\d{1,4}\s{1,4}[\w.$]{1,512}$/.test(whole)) return undefined;
  return { kind: 'frame', frame: frameOf(symbol, raw), number: Number(number) };
};

function unmarked(text: string): Line | undefined {
  const [, number, addressed, placed] = UNMARKED_GDB.exec(text) ?? [];
  const symbol = addressed ?? placed;
  if (symbol === undefined || PROGRAM.test(text)) return undefined;
  return { kind: 'frame', frame: frameOf(symbol, text.trim()), number: Number(number) };
}

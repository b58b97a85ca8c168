import { headerOf, type LineParser } from '../line.ts';
import { frameOf, SYMBOL } from './patterns.ts';

const FRAME = new RegExp(
  String.raw`^\s{0,40}\[<[0-9a-f]{8,16}>\] (${SYMBOL})\[([\w.-]{1,64})\]\+0x([0-9a-f]{1,8})\s{0,4}$`,
);
/** Not a module: the entry of a table of jumps to functions (CFI). */
const JUMP_TABLE = 'jt';
const TASK = /^\s{0,40}Task name: (\S.{0,63}?) (?:\[affinity: 0x[0-9a-f]{1,64}\] )?pid: {0,8}(\d{1,10}) /;
const STATE = /^\s{0,40}state: 0x[0-9a-f]{1,8}\[([RSDTtXZI])\] exit_state: /;

/** Qualcomm's linux-ramdump-parser-v2: `[<ffffffe9f6d04ab0>] waltgov_stop[sched_walt]+0x78`. */
export const ramdump: LineParser = (line) => {
  const [, symbol = '', module, offset] = line.includes(']+0x') ? (FRAME.exec(line) ?? []) : [];
  if (offset !== undefined) {
    const parts = { offset: Number.parseInt(offset, 16), module: module === JUMP_TABLE ? undefined : module };
    return { kind: 'frame', frame: frameOf(symbol, line.trim(), parts) };
  }
  const [, name, tid] = line.includes('Task name: ') ? (TASK.exec(line) ?? []) : [];
  if (name !== undefined) return { kind: 'task', header: headerOf({ name, tid }) };
  const state = line.includes(' exit_state: ') ? STATE.exec(line)?.[1] : undefined;
  return state === undefined ? undefined : { kind: 'about', header: headerOf({ state }) };
};

import type { LineParser } from '../line.ts';
import { frameOf, SYMBOL } from './patterns.ts';

const FRAME = new RegExp(
  String.raw`^\s{0,20}\[<[0-9a-f]{8,16}>\] (${SYMBOL}) \[([\w.-]{1,64})\] 0x([0-9a-f]{1,8})(?:\s{0,4}$|\s{1,8}\S)`,
);
/** What 2.4 appends to the names of functions of modules: a checksum of their types. */
const VERSION = /_R(?:smp_)?[0-9a-f]{8}$/;

/** Linux 2.4 of Red Hat: `[<c0118ecb>] sleep_on [kernel] 0x4b`. */
export const bracketedFrames: LineParser = (line) => {
  const [, symbol = '', module, offset] = line.includes('] 0x') ? (FRAME.exec(line) ?? []) : [];
  if (offset === undefined) return undefined;
  const parts = { offset: Number.parseInt(offset, 16), module };
  return { kind: 'frame', frame: frameOf(symbol.replace(VERSION, ''), line.trim(), parts) };
};

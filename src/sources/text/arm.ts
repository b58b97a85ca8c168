import type { Frame } from '../../model/stack.ts';
import type { LineParser } from './line.ts';

const CALL =
  /^\s{0,40}(?:\[<[0-9a-f]{8}>\] ?\(([\w.$]{1,512})(?:\+0x[0-9a-f]{1,8}\/0x[0-9a-f]{1,8})?(?: \[([^\]\s]{1,64})[^\]]{0,80}\])?\)|([\w.$]{1,512})(?: \[([^\]\s]{1,64})[^\]]{0,80}\])?) from (?:\[<[0-9a-f]{8}>\] ?\()?([\w.$]{1,512})\+0x([0-9a-f]{1,8})\/0x([0-9a-f]{1,8})(?: \[([^\]\s]{1,64})[^\]]{0,80}\])?\)?\s{0,4}$/;

/**
 * On 32-bit ARM each line is a call: `[<80a88018>] (schedule) from [<8015c138>] (io_schedule+0x14/0x3c)`. Since 5.18
 * the addresses are missing (arch/arm/kernel/traps.c, dump_backtrace_entry).
 */
export const arm: LineParser = (line) => {
  const [, oldCallee, oldModule, newCallee, newModule, caller, offset = '', size = '', module] = CALL.exec(line) ?? [];
  const callee = oldCallee ?? newCallee;
  if (callee === undefined || caller === undefined) return undefined;
  const raw = line.trim();
  const called = frameOf(callee, oldModule ?? newModule, raw);
  const calling = {
    ...frameOf(caller, module, raw),
    offset: Number.parseInt(offset, 16),
    size: Number.parseInt(size, 16),
  };
  return { kind: 'call', callee: called, caller: calling };
};

function frameOf(symbol: string, module: string | undefined, raw: string): Frame {
  return { symbol, ...(module === undefined ? {} : { module }), raw };
}

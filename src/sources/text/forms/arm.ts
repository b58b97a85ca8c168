import type { Frame } from '../../../model/stack.ts';
import type { Line, LineParser } from '../line.ts';
import { BEFORE, frameOf, MODULE, SYMBOL } from './patterns.ts';

/** Trackers take what is in the brackets for markup. */
const ADDRESS = String.raw`\[(?:<(?:[0-9a-f]{8}|\(_{0,4}ptrval_{0,4}\))>)?\] ?`;
const OFFSET = String.raw`\+0x([0-9a-f]{1,8})\/0x([0-9a-f]{1,8})`;
const SOURCE = String.raw`(?: [\w./-]{1,200}\.[chS]:\d{1,6})?`;
const CALLEE = String.raw`(?:${ADDRESS}\((${SYMBOL})(?:${OFFSET})?(?: ${MODULE})?\)|(${SYMBOL})(?: ${MODULE})?)`;
const CALLER = String.raw`(?:${ADDRESS}\()?(${SYMBOL})${OFFSET}(?: ${MODULE})?${SOURCE}\)?`;
/** The caller is in the next line, unknown, or lost. */
const CUT_CALL = new RegExp(
  `${BEFORE}(?:${ADDRESS}\\((${SYMBOL})\\) from \\[<[0-9a-f]{8}>\\](?: \\(0x[0-9a-f]{1,8}\\))?|(${SYMBOL}) from 0x[0-9a-f]{1,8})\\s{0,4}$`,
);
const CALL = new RegExp(`${BEFORE}${CALLEE} from ${CALLER}\\s{0,4}$`);
/** The same where someone has taken the addresses away, but not the parentheses. */
const BARE_CALL = new RegExp(
  String.raw`^\s{0,40}\((${SYMBOL})(?: ${MODULE})?\) from \((${SYMBOL})${OFFSET}(?: ${MODULE})?\)\s{0,4}$`,
);
/** An inlined function after decoding: it is called by the callee's line before. */
const INLINED = new RegExp(
  `${ADDRESS}\\((${SYMBOL})\\) from ${ADDRESS}\\((${SYMBOL}) [\\w./-]{1,200}:\\d{1,6} \\[inline\\]\\)`,
);

/**
 * On 32-bit ARM each line is a call: `[<80a88018>] (schedule) from [<8015c138>] (io_schedule+0x14/0x3c)`. Since 5.18
 * the addresses are missing (arch/arm/kernel/traps.c, dump_backtrace_entry).
 */
export const arm: LineParser = (line) => {
  if (!line.includes(' from ')) return undefined;
  const [, outer = '', inlined] = INLINED.exec(line) ?? [];
  if (inlined !== undefined) {
    return { kind: 'call', callee: frameOf(outer, line.trim()), caller: frameOf(inlined, line.trim()) };
  }
  const [, bare, bareModule, ...bareCaller] = BARE_CALL.exec(line) ?? [];
  if (bare !== undefined) return callOf(line.trim(), frameOf(bare, line.trim(), { module: bareModule }), bareCaller);
  const parts = CALL.exec(line);
  if (parts === null) {
    const [, before, since] = CUT_CALL.exec(line) ?? [];
    const cut = before ?? since;
    return cut === undefined ? undefined : { kind: 'call', callee: frameOf(cut, line.trim()) };
  }
  const [, oldCallee, , , oldModule, newCallee = '', newModule, ...caller] = parts;
  const raw = line.trim();
  const callee: Frame = frameOf(oldCallee ?? newCallee, raw, { module: oldModule ?? newModule });
  return callOf(raw, callee, caller);
};

function callOf(raw: string, callee: Frame, caller: readonly (string | undefined)[]): Line {
  const [symbol = '', offset = '', size = '', module] = caller;
  const places = { offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), module };
  return { kind: 'call', callee, caller: frameOf(symbol, raw, places) };
}

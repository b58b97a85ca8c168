import type { Frame } from '../../../model/stack.ts';

/** A function. Compilers append `.isra.0` and the like; `$` stands in the names of some of them. */
export const SYMBOL = String.raw`[\w.$]{1,512}`;

/** What may stand before the part of a line that is looked for: nothing, or the end of a prefix of any kind. */
export const BEFORE = String.raw`(?:^|[\s\]:;|>)("'\x60])`;

/** `[module]`, which may be followed by a build ID. */
export const MODULE = String.raw`\[([^\]\s<>]{1,64})[^\]]{0,80}\]`;

/** A file of the kernel's sources with a line, as scripts/decode_stacktrace.sh, drgn and gdb print it. */
export const SOURCE = String.raw`[\w./+@,~-]{1,300}\.(?:c|h|S|rs|inc|cc|hpp|y|l):\d{1,7}(?::\d{1,5})?`;

/** A remark that somebody has written behind a function. */
export const REMARK = String.raw`\s(?:<|←|⇐|⚠|…|#|//|/\*|--|=>|;|\^|!|\*\*|~|%|["'\x60{]|\([a-zA-Z!?][^()]{0,60}\)).{0,100}`;

/** The parts of a frame that may be missing. */
interface FrameParts {
  readonly offset?: number | undefined;
  readonly size?: number | undefined;
  readonly module?: string | undefined;
}

/** crash, SystemTap and perf name the kernel itself where others name a module. */
const BUILT_IN = /^(?:kernel|vmlinux|guest\.kernel|kernel\..*|guest\.kernel\..*)$/;

export function frameOf(symbol: string, raw: string, { offset, size, module }: FrameParts = {}): Frame {
  const named = module !== undefined && !BUILT_IN.test(module);
  // Most frames have both or all: one object literal is faster than spreads.
  if (offset !== undefined && size !== undefined)
    return named ? { symbol, offset, size, module, raw } : { symbol, offset, size, raw };
  return {
    symbol,
    ...(offset !== undefined && { offset }),
    ...(size !== undefined && { size }),
    ...(named && { module }),
    raw,
  };
}

/**
 * Whether this is the address of a program. On 64 bits the kernel has the upper half; on 32 bits it is not known, since
 * the split differs.
 */
export function isProgramAddress(hex: string): boolean {
  const digits = hex.replace(/^0x/, '').replace(/^0+/, '');
  return digits.length < 16 && !/^[c-f]\w{7}$/.test(digits);
}

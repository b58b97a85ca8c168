import type { Frame } from '../../../model/stack.ts';

/** A frame without its `raw`. */
type Parts = Omit<Frame, 'raw'>;

/** The frame as /proc/PID/stack prints it, as far as its parts tell. */
export function frameOf(parts: Parts): Frame {
  return { ...parts, raw: printed(parts) };
}

function printed({ symbol, offset, size, module }: Parts): string {
  if (offset === undefined) return /^0x[0-9a-f]+$/.test(symbol) ? `[<0>] ${symbol}` : symbol;
  const behind = module === undefined ? '' : ` [${module}]`;
  const at = `${symbol}+0x${offset.toString(16)}`;
  return size === undefined ? `${at}${behind}` : `[<0>] ${at}/0x${size.toString(16)}${behind}`;
}

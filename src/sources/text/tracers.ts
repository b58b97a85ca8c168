import type { LineParser } from './line.ts';

const BPFTRACE = /^\s{1,40}([\w.$]{1,512})\+(\d{1,9})(?: \[([\w-]{1,64})\])?\s{0,4}$/;
const BPFTRACE_BEGIN = /^(?:@\w{0,64}\[|Attaching \d)/;
const PERF =
  /^\s{1,40}[0-9a-f]{8,16} ([\w.$]{1,512})\+0x([0-9a-f]{1,16}) \(\[([\w.-]{1,64})\](?:[\w.-]{0,64})\)\s{0,4}$/;

/**
 * Stacks from bpftrace(8) (`kstack`) and perf-script(1): `schedule+41`, and `ffffffff81a5d5d1 schedule+0x29
 * ([kernel.kallsyms])`.
 */
export const tracers: LineParser = (line) => {
  if (BPFTRACE_BEGIN.test(line)) return { kind: 'begin' };
  const [, symbol, offset = '', module] = BPFTRACE.exec(line) ?? [];
  if (symbol !== undefined) {
    const frame = { symbol, offset: Number(offset), ...(module === undefined ? {} : { module }), raw: line.trim() };
    return { kind: 'frame', frame };
  }
  const [, called, at = '', place = ''] = PERF.exec(line) ?? [];
  if (called === undefined) return undefined;
  const builtIn = place.startsWith('kernel.') || place.startsWith('guest.');
  return {
    kind: 'frame',
    frame: { symbol: called, offset: Number.parseInt(at, 16), ...(builtIn ? {} : { module: place }), raw: line.trim() },
  };
};

import { ARM64_CONSTANTS, CONSTANTS, type Naming } from './constants.ts';
import { hex } from './question.ts';

const ALL: Readonly<Record<string, Naming>> = CONSTANTS;
const OF_ARM64: Readonly<Record<string, Naming>> = { ...CONSTANTS, ...ARM64_CONSTANTS };

/** The names for a kind of argument on an architecture, where that kind has names. */
export function namingOf(kind: string, architecture: string): Naming | undefined {
  return (architecture === 'arm64' ? OF_ARM64 : ALL)[kind];
}

/** The name of a value of 32 bits, or the names of its bits joined by `|`. What has no name is shown as a number. */
export function nameOf({ values = {}, mask, flags }: Naming, value: number): string {
  const field = mask === undefined ? value : (value & mask) >>> 0;
  const name = Object.keys(values).find((each) => values[each] === field);
  if (flags === undefined) return name ?? number(value);
  const names = name === undefined ? [] : [name];
  let rest = name === undefined ? value : value - field;
  for (const [flag, bits] of Object.entries(flags)) {
    if ((rest & bits) >>> 0 !== bits) continue;
    names.push(flag);
    rest -= bits;
  }
  if (rest !== 0) names.push(hex(rest));
  return names.length === 0 ? '0' : names.join('|');
}

/**
 * A set of signals by their names without SIG, and by number where they have none: `[INT CHLD 34]`. Of one that more
 * than half of them are in, those that are not: `~[KILL STOP]`.
 */
export function printSignals(set: bigint, count: 32 | 64): string {
  const signals = Array.from({ length: count }, (_, at) => at + 1);
  const members = signals.filter((signal) => isIn(set, signal));
  const isMost = members.length > count / 2;
  const shown = isMost ? signals.filter((signal) => !isIn(set, signal)) : members;
  const names = shown.map((signal) => nameOf(CONSTANTS.signal, signal).replace(/^SIG/, ''));
  return `${isMost ? '~' : ''}[${names.join(' ')}]`;
}

function isIn(set: bigint, signal: number): boolean {
  return ((set >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Small numbers, negative ones too, as such; what looks like bits in hexadecimal. */
function number(value: number): string {
  const signed = value | 0;
  return Math.abs(signed) < 256 ? `${signed}` : hex(value);
}

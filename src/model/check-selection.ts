import { FIELDS, type Field } from './fields.ts';
import type { Selection } from './selection.ts';
import { mostSimilar } from './similar.ts';
import { STATES } from './task.ts';

/** The largest pid_t, and the largest user id: 2^32 - 1 means "no user" to the kernel (include/linux/uidgid.h). */
export const LARGEST_PID = 2 ** 31 - 1;
export const LARGEST_UID = 2 ** 32 - 2;

/** Returns what is wrong with a value; undefined if nothing is. */
type Check = (value: unknown) => string | undefined;

const SELECTION: Record<keyof Selection, Check> = {
  all: isBoolean,
  pids: isListOf(isWholeNumber(1, LARGEST_PID)),
  states: isListOf(isOneOf(STATES)),
  threads: isBoolean,
  command: isPattern,
  users: isListOf(isWholeNumber(0, LARGEST_UID)),
  cgroups: isListOf((value) =>
    typeof value === 'string' && value !== '' ? undefined : `${show(value)} is not a name`,
  ),
  function: isPattern,
  module: (value) =>
    typeof value === 'string' && value !== '' ? undefined : `${show(value)} is not the name of a module`,
  blocked: isBoolean,
};

/** The options of the library for taking samples. */
export interface SampleOptions {
  /** What to read of each task in addition to its name, state, stack and command line. */
  readonly fields?: readonly Field[];
  /** Default: `auto`. */
  readonly source?: 'auto' | 'bpf' | 'procfs';
  /** Also take what /proc does not have: time off the CPU, owners of locks. Needs bpf. */
  readonly facts?: boolean;
  /** Whether to find out who holds up whom, beyond what these facts tell. */
  readonly edges?: boolean;
  /** The mount point of the procfs. Default: `/proc`. */
  readonly root?: string;
}

const OPTIONS: Record<keyof SampleOptions, Check> = {
  fields: isListOf(isOneOf(Object.keys(FIELDS)), 0),
  source: isOneOf(['auto', 'bpf', 'procfs']),
  facts: isBoolean,
  edges: isBoolean,
  root: (value) =>
    typeof value === 'string' && value.startsWith('/') ? undefined : `${show(value)} is not an absolute path`,
};

/**
 * Checks what a program without types may get wrong. A misread selection would take too many tasks or too few, and
 * nobody would notice.
 * @throws TypeError naming the key, the value and what would be valid:
 *   `selection.state: unknown key (did you mean 'states'?)`
 */
export function checkSelection(selection: unknown): asserts selection is Selection {
  check('selection', selection, SELECTION);
}

/** Checks {@link SampleOptions} likewise. @throws TypeError */
export function checkSampleOptions(options: unknown): asserts options is SampleOptions {
  check('options', options, OPTIONS);
}

function check(name: string, value: unknown, checks: Readonly<Record<string, Check>>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name}: ${show(value)} is not an object`);
  for (const [key, each] of Object.entries(value)) {
    const wrong = Object.hasOwn(checks, key) ? checks[key]?.(each) : unknownKey(key, Object.keys(checks));
    if (wrong !== undefined) throw new TypeError(`${name}.${key}: ${wrong}`);
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const likely = mostSimilar(key, known);
  return likely === undefined
    ? `unknown key; there are ${known.join(', ')}`
    : `unknown key (did you mean '${likely}'?)`;
}

function isBoolean(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : `${show(value)} is neither true nor false`;
}

/** Rejects an empty list: it would select everything, which a program that computed the list rarely wants. */
function isListOf(item: Check, least = 1): Check {
  return (value) => {
    if (!Array.isArray(value)) return `${show(value)} is not an array`;
    if (value.length < least) return 'an empty list selects nothing; leave the key out to select all';
    for (let at = 0; at < value.length; at++) {
      const wrong = item(value[at]);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

function isWholeNumber(least: number, most: number): Check {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `${show(value)} is not a whole number from ${least} to ${most}`;
}

function isOneOf(words: readonly string[]): Check {
  return (value) =>
    typeof value === 'string' && words.includes(value) ? undefined : `${show(value)} is not one of ${words.join(' ')}`;
}

function isPattern(value: unknown): string | undefined {
  const { source, flags = '' }: { source?: unknown; flags?: unknown } = Object(value);
  if (typeof source !== 'string' || typeof flags !== 'string') return `${show(value)} is not a regular expression`;
  return /[^ims]/.test(flags) ? `${show(value)} may have the flags i, m and s, and no others` : undefined;
}

const LONGEST_SHOWN = 60;

function show(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return value instanceof RegExp ? String(value) : Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
}

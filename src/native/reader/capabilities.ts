import { libcFunction } from '../libc.ts';

/**
 * _LINUX_CAPABILITY_VERSION_3 of include/uapi/linux/capability.h: the effective, permitted and inheritable sets come
 * as two structs, of the lower and the upper 32 capabilities.
 */
const VERSION = 0x20080522;
const SET = { permitted: 1, inheritable: 2, words: 3 } as const;
/** prctl(2). */
const PR_CAP_AMBIENT = 47;
const IS_SET = 1;
const RAISE = 2;
const CLEAR_ALL = 4;
const MOST_CAPABILITIES = 64;

/**
 * Calls `start` so that a program it starts keeps this process's capabilities. Root's are kept anyway. Those from the
 * executable file (setcap(8)) are lost at exec unless they are ambient (capabilities(7)).
 */
export function withOwnCapabilities<T>(start: () => T): T {
  if (process.geteuid?.() === 0) return start();
  const header = Int32Array.of(VERSION, 0);
  const sets = new Uint32Array(2 * SET.words);
  if (libcFunction('int capget(void *header, void *sets)')(header, sets) !== 0) return start();
  const permitted = (word: number) => sets[word * SET.words + SET.permitted] ?? 0;
  const wanted = new Uint32Array(sets);
  for (const word of [0, 1]) wanted[word * SET.words + SET.inheritable] = permitted(word);
  const prctl = libcFunction(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  );
  const capset = libcFunction('int capset(void *header, void *sets)');
  if ((permitted(0) | permitted(1)) === 0 || capset(header, wanted) !== 0) return start();
  const numbers = Array.from({ length: MOST_CAPABILITIES }, (_, number) => number);
  const had = numbers.filter((number) => prctl(PR_CAP_AMBIENT, IS_SET, number, 0, 0) === 1);
  for (const number of numbers)
    if (permitted(number >> 5) & (1 << (number & 31))) prctl(PR_CAP_AMBIENT, RAISE, number, 0, 0);
  try {
    return start();
  } finally {
    prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0);
    capset(header, sets);
    for (const number of had) prctl(PR_CAP_AMBIENT, RAISE, number, 0, 0);
  }
}

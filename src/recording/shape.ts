import { MAX_DURATION_MS } from '../model/duration.ts';

/** What a parsed value has to be; the name of the place stands before what is wrong with it. */
export type Shape<T> = (value: unknown, place: string) => T;

/** A value that is not what the format says. */
export class ShapeError extends Error {}

function wrong(place: string, value: unknown, wanted: string): ShapeError {
  const shown =
    typeof value === 'object' && value !== null ? 'this' : (JSON.stringify(value) ?? 'nothing').slice(0, 40);
  return new ShapeError(`${place}: ${shown} is not ${wanted}`);
}

/** Bounds memory: command lines are the longest. */
export const MAX_TEXT = 1 << 20;
const MAX_NAME = 4096;

export const text: Shape<string> = (value, place) => {
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw wrong(place, value, 'a text');
  return value;
};

/** What is cut if it is longer. */
export const longText: Shape<string> = (value, place) => {
  if (typeof value !== 'string') throw wrong(place, value, 'a text');
  return value;
};

export const name: Shape<string> = (value, place) => {
  if (typeof value !== 'string' || value.length > MAX_NAME) throw wrong(place, value, 'a name');
  return value;
};

/** Why something could not be read: a word, or the name of an errno. */
export const word: Shape<string> = (value, place) => {
  if (typeof value !== 'string' || !/^[A-Za-z][A-Za-z0-9]{0,39}$/.test(value)) throw wrong(place, value, 'a word');
  return value;
};

/** A number from 0 on. What is added to a time, or counted in a column of 32 bits, has to fit there. */
export function upTo(most: number, wanted: string): Shape<number> {
  return (value, place) => {
    if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw wrong(place, value, wanted);
    return value;
  };
}

/** The last moment of a year of four digits: with a duration added it is a time, too. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Unix milliseconds. */
export const time = upTo(MAX_TIME_MS, 'a time');
/** The same in seconds. */
export const timeSeconds = upTo(MAX_TIME_MS / 1000, 'a time');

export const duration = upTo(MAX_DURATION_MS, 'a duration');

/** Of the last 10 seconds. */
export const percent = upTo(100, 'a percentage');

/** A number that something is counted or numbered by. */
export const count: Shape<number> = (value, place) => {
  if (isCount(value)) return value;
  throw wrong(place, value, 'a count');
};

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export const anObject: Shape<object> = (value, place) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrong(place, value, 'an object');
};

export const flag: Shape<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw wrong(place, value, 'true or false');
  return value;
};

export const yes: Shape<true> = (value, place) => {
  if (value !== true) throw wrong(place, value, 'true');
  return value;
};

export function oneOf<T extends string>(words: readonly T[]): Shape<T> {
  return (value, place) => {
    const word = words.find((one) => one === value);
    if (word === undefined) throw wrong(place, value, `one of ${words.join(' ')}`);
    return word;
  };
}

export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return (value, place) => {
    try {
      return first(value, place);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return second(value, place);
    }
  };
}

export function listOf<T>(shape: Shape<T>): Shape<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw wrong(place, value, 'a list');
    return value.map((item: unknown, at) => shape(item, `${place}[${at}]`));
  };
}

/** What the kernel counts or numbers in 32 bits, or less: switches, CPUs, tasks. */
export const count32: Shape<number> = (value, place) => {
  if (isCount(value) && value < 2 ** 32) return value;
  throw wrong(place, value, 'a count of 32 bits');
};

/** The number of a system call, which is -1 for none. */
export const callNumber: Shape<number> = (value, place) => {
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 31) return value;
  throw wrong(place, value, 'the number of a system call');
};

/** Makes no name for each of many numbers unless one of them is wrong. */
export const counts: Shape<number[]> = (value, place) =>
  Array.isArray(value) && value.every(isCount) ? value : listOf(count)(value, place);

/**
 * Properties that must be there, and properties that may be. Unknown ones are dropped: a later version may add some.
 */
export function object<R extends object, O extends object>(
  required: { readonly [K in keyof R]: Shape<R[K]> },
  optional: { readonly [K in keyof O]: Shape<O[K]> },
): Shape<R & Partial<O>> {
  const needed = Object.entries<Shape<unknown>>(required);
  const allowed = Object.entries<Shape<unknown>>(optional);
  return (value, place) => {
    if (!isObject(value)) throw wrong(place, value, 'an object');
    const result: Record<string, unknown> = {};
    for (const [name, shape] of needed) result[name] = shape(value[name], `${place}.${name}`);
    for (const [name, shape] of allowed) {
      const given = value[name];
      if (given !== undefined) result[name] = shape(given, `${place}.${name}`);
    }
    return result as R & Partial<O>;
  };
}

/** Its prototype has no property of the names that are asked for. */
function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

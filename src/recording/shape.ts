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

export const number: Shape<number> = (value, place) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(place, value, 'a number');
  return value;
};

/** The largest that a Date has (ECMA-262, time values). */
const MAX_TIME_MS = 8.64e15;

/** Unix milliseconds. */
export const time: Shape<number> = (value, place) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_TIME_MS)) throw wrong(place, value, 'a time');
  return value;
};

/** A number that something is counted or numbered by. */
export const count: Shape<number> = (value, place) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(place, value, 'a count');
  return value;
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

/** Properties that must be there, and properties that may be. Unknown ones are dropped: a later version may add some. */
export function object<R extends object, O extends object>(
  required: { readonly [K in keyof R]: Shape<R[K]> },
  optional: { readonly [K in keyof O]: Shape<O[K]> },
): Shape<R & Partial<O>> {
  const needed = Object.entries<Shape<unknown>>(required);
  const allowed = Object.entries<Shape<unknown>>(optional);
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(place, value, 'an object');
    const given = new Map(Object.entries(value));
    const result: Record<string, unknown> = {};
    for (const [name, shape] of needed) result[name] = shape(given.get(name), `${place}.${name}`);
    for (const [name, shape] of allowed)
      if (given.get(name) !== undefined) result[name] = shape(given.get(name), `${place}.${name}`);
    return result as R & Partial<O>;
  };
}

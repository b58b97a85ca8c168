import type { Unreadable } from '../../../model/reading.ts';

/** A value is not what the published schema says. Names the place and the value. */
export class Malformed extends Error {}

const SHOWN = 60;

/**
 * A longer value is left out. The command line of a task has at most 2 MiB by default, stands there twice, and may take
 * six characters a byte.
 */
export const LONGEST_VALUE = 32 * 1024 * 1024;

/** What {@link Malformed} says of a longer one. */
export function tooLong(place: string): string {
  return `${place}: longer than ${LONGEST_VALUE / 1024 / 1024} MiB`;
}

/** Tells a JSON object from the other values. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The properties of a JSON object that anybody may have written. A property that is null or not there is undefined.
 * Unknown ones are ignored. Every method throws Malformed if the value has another type.
 */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.#path = path;
    if (!isObject(value)) throw new Malformed(`${path}: ${shown(value)} is no object`);
    this.#object = value;
  }

  text(name: string): string | undefined {
    const value = this.#valueOf(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#malformed(name, 'no text');
  }

  /** A number without a fraction that is exact. */
  count(name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.#valueOf(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw this.#malformed(
      name,
      `no whole number from ${least} on${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}`,
    );
  }

  /** A number that may have a fraction. */
  amount(name: string, most: number): number | undefined {
    const value = this.#valueOf(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= 0 && value <= most) return value;
    throw this.#malformed(name, `no number from 0 to ${most}`);
  }

  flag(name: string): boolean | undefined {
    const value = this.#valueOf(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#malformed(name, 'neither true nor false');
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.#valueOf(name);
    if (value === undefined) return undefined;
    const word = words.find((each) => each === value);
    if (word === undefined) throw this.#malformed(name, `none of ${words.join(' ')}`);
    return word;
  }

  /** A text of this form. */
  matching(name: string, form: RegExp): string | undefined {
    const text = this.text(name);
    if (text !== undefined && !form.test(text)) throw this.#malformed(name, 'not in the right form');
    return text;
  }

  /** Unix milliseconds. */
  time(name: string): number | undefined {
    const text = this.matching(name, TIME);
    if (text === undefined) return undefined;
    const timeMs = Date.parse(text);
    if (Number.isNaN(timeMs)) throw this.#malformed(name, 'no time');
    return timeMs;
  }

  why(name: string): Unreadable | 'cut' | undefined {
    const value = this.#valueOf(name);
    if (value === undefined || value === 'cut' || isUnreadable(value)) return value;
    throw this.#malformed(name, 'no reason');
  }

  object(name: string): Fields | undefined {
    const value = this.#valueOf(name);
    return value === undefined ? undefined : new Fields(value, `${this.#path}.${name}`);
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.#valueOf(name);
    if (value === undefined || isList(value)) return value;
    throw this.#malformed(name, 'no list');
  }

  texts(name: string): readonly string[] | undefined {
    const list = this.list(name);
    if (list === undefined || list.every((each) => typeof each === 'string')) return list;
    throw this.#malformed(name, 'no list of texts');
  }

  #valueOf(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  #malformed(name: string, why: string): Malformed {
    return new Malformed(`${this.#path}.${name}: ${shown(this.#valueOf(name))} is ${why}`);
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const REASONS: readonly unknown[] = [
  'gone',
  'hidden',
  'timeout',
  'skipped',
  'locked',
  'denied',
  'malformed',
  'notTold',
] satisfies Unreadable[];

/** Whether it is one of the words, or has the form of the name of an errno. */
export function isUnreadable(value: unknown): value is Unreadable {
  return REASONS.includes(value) || (typeof value === 'string' && /^E[A-Z0-9]{1,30}$/.test(value));
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

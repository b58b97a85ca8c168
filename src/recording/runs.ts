import { jsonText } from '../model/json-text.ts';
import { count, type Shape, ShapeError } from './shape.ts';

/** Numbers of lines that follow each other: the first one, and how many they are. */
export type Run = readonly [first: number, count: number];

/** Bounds memory: a line of a few bytes may name all that the segment has, again and again. */
const MAX_LISTED = 1_000_000;

/** A list of a sample as lines: each element is defined once in a segment, and most samples have the same ones. */
export class ListWriter<T extends object> {
  readonly #numbers = new Map<string, number>();
  #last = NONE;
  #list: readonly T[] | undefined;

  /**
   * The list in numbers; null if there is none, undefined if that is as in the sample before.
   * @param define called with each element that the segment does not have yet, in the order of their numbers
   */
  advance(
    list: readonly T[] | undefined,
    define: (number: number, element: T) => void,
  ): readonly Run[] | null | undefined {
    if (list === this.#list) return undefined;
    this.#list = list;
    const numbers = list?.slice(0, MAX_LISTED).map((element) => {
      const text = jsonText(element);
      let number = this.#numbers.get(text);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(text, number);
        define(number, element);
      }
      return number;
    });
    const runs = numbers === undefined ? null : runsOf(numbers);
    const text = JSON.stringify(runs);
    if (text === this.#last) return undefined;
    this.#last = text;
    return runs;
  }
}

/** The same, read back. An element that a reader does not know, since a later kstack wrote it, is undefined. */
export class ListReader<T> {
  readonly #name: string;
  readonly #elements: (T | undefined)[] = [];
  #list: readonly T[] | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  define(number: number, element: T | undefined): void {
    const { length } = this.#elements;
    if (number !== length) throw new ShapeError(`${this.#name} ${number} does not follow ${this.#name} ${length - 1}`);
    if (length >= MAX_LISTED) throw new ShapeError(`more than ${MAX_LISTED} in a segment: ${this.#name}`);
    this.#elements.push(element);
  }

  /** The list of the next sample: the same object as long as nothing is told. */
  advance(runs: readonly Run[] | null | undefined): readonly T[] | undefined {
    if (runs === undefined) return this.#list;
    if (runs === null) {
      this.#list = undefined;
      return undefined;
    }
    const list: T[] = [];
    let left = MAX_LISTED;
    for (const [first, many] of runs) {
      left -= many;
      if (left < 0) throw new ShapeError(`more than ${MAX_LISTED} in a sample: ${this.#name}`);
      if (first + many > this.#elements.length)
        throw new ShapeError(`${this.#name} ${first + many - 1} is not defined`);
      for (const element of this.#elements.slice(first, first + many)) if (element !== undefined) list.push(element);
    }
    this.#list = list;
    return list;
  }
}

const NONE = JSON.stringify(null);

function runsOf(numbers: readonly number[]): Run[] {
  const runs: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const number of numbers)
    if (last !== undefined && last[0] + last[1] === number) last[1]++;
    else {
      last = [number, 1];
      runs.push(last);
    }
  return runs;
}

export const runsShape: Shape<Run[] | null> = (value, place) => {
  if (value === null) return null;
  if (!Array.isArray(value)) throw new ShapeError(`${place}: not a list of runs`);
  return value.map((run: unknown): Run => {
    if (!Array.isArray(run)) throw new ShapeError(`${place}: not a list of runs`);
    return [count(run[0], place), count(run[1], place)];
  });
};

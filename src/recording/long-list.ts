import { ShapeError } from './shape.ts';

/** Chunks have less than two times so many items. */
const CHUNK = 32;

/** So many chunks more than needed are not yet too many. */
const MOST_SPARE = 16;

export interface Placed<T> {
  readonly at: number;
  readonly item: T;
}

/**
 * A list that does not change. One that differs in a few places is made of it in time that follows the changes, and has
 * most of its memory in common with it.
 */
export class LongList<T> {
  readonly #chunks: readonly (readonly T[])[];
  readonly length: number;

  constructor(chunks: readonly (readonly T[])[] = []) {
    this.#chunks = chunks;
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    this.length = length;
  }

  toArray(): T[] {
    const items: T[] = [];
    for (const chunk of this.#chunks) for (const item of chunk) items.push(item);
    return items;
  }

  /** The items at these places, which are ascending; those beyond the end are left out. */
  itemsAt(places: readonly number[]): T[] {
    const found: T[] = [];
    let from = 0;
    let next = 0;
    for (const chunk of this.#chunks) {
      for (; next < places.length; next++) {
        const item = chunk[(places[next] ?? 0) - from];
        if (item === undefined) break;
        found.push(item);
      }
      from += chunk.length;
    }
    return found;
  }

  /**
   * Without the items at some places, and with others at places of what results. Both are ascending.
   * @throws ShapeError if there are no such places
   */
  spliced(gone: readonly number[], put: readonly Placed<T>[]): LongList<T> {
    const chunks: (readonly T[])[] = [];
    let [from, length, leaving, coming] = [0, 0, 0, 0];
    for (const chunk of this.#chunks) {
      const isLeft = (gone[leaving] ?? Number.POSITIVE_INFINITY) >= from + chunk.length;
      if (isLeft && (put[coming]?.at ?? Number.POSITIVE_INFINITY) >= length + chunk.length) {
        chunks.push(chunk);
        length += chunk.length;
      } else {
        const changed: T[] = [];
        for (const [at, item] of chunk.entries()) {
          for (let one = put[coming]; one?.at === length + changed.length; one = put[++coming]) changed.push(one.item);
          if (gone[leaving] === from + at) leaving++;
          else changed.push(item);
        }
        addChunks(chunks, changed);
        length += changed.length;
      }
      from += chunk.length;
    }
    const rest: T[] = [];
    for (let one = put[coming]; one?.at === length + rest.length; one = put[++coming]) rest.push(one.item);
    addChunks(chunks, rest);
    if (coming < put.length) throw new ShapeError('a new task is beyond the end of its sample');
    if (leaving < gone.length) throw new ShapeError('a task that is gone was not there');
    if (chunks.length <= MOST_SPARE + (2 * (length + rest.length)) / CHUNK) return new LongList(chunks);
    const even: (readonly T[])[] = [];
    addChunks(even, chunks.flat());
    return new LongList(even);
  }

  /**
   * With other items in some places, which are ascending.
   * @throws ShapeError if there are no such places
   */
  changed<Change extends { readonly at: number }>(
    changes: readonly Change[],
    itemOf: (old: T, change: Change) => T,
  ): LongList<T> {
    if (changes.length === 0) return this;
    let [from, next] = [0, 0];
    const chunks = this.#chunks.map((chunk) => {
      const to = from + chunk.length;
      if ((changes[next]?.at ?? to) >= to) {
        from = to;
        return chunk;
      }
      const items = chunk.slice();
      for (let change = changes[next]; change !== undefined && change.at < to; change = changes[++next]) {
        const old = items[change.at - from];
        if (old === undefined) throw new ShapeError('a task that changed has no place in its sample');
        items[change.at - from] = itemOf(old, change);
      }
      from = to;
      return items;
    });
    if (next < changes.length) throw new ShapeError('a task that changed is beyond the end of its sample');
    return new LongList(chunks);
  }
}

function addChunks<T>(chunks: (readonly T[])[], items: readonly T[]): void {
  let at = 0;
  for (; items.length - at >= 2 * CHUNK; at += CHUNK) chunks.push(items.slice(at, at + CHUNK));
  if (at < items.length) chunks.push(at === 0 ? items : items.slice(at));
}

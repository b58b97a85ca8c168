import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LongList } from './long-list.ts';

const edit = fc.record({
  gone: fc.uniqueArray(fc.nat(400), { maxLength: 60 }),
  put: fc.uniqueArray(fc.nat(400), { maxLength: 200 }),
  changed: fc.uniqueArray(fc.nat(400), { maxLength: 20 }),
});

/** Those that are in a list so long, ascending. */
const within = (places: readonly number[], length: number) =>
  places.filter((place) => place < length).toSorted((a, b) => a - b);

describe('a long list', () => {
  it('is what an array would be, and leaves the one that it was made of as it is', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 8 }), (edits) => {
        let [list, items, next] = [new LongList<number>(), [] as readonly number[], 0];
        for (const { gone, put, changed } of edits) {
          const before = items;
          const leaving = within(gone, items.length);
          expect(list.itemsAt(leaving)).toEqual(leaving.map((place) => items[place]));
          const kept = items.filter((_, place) => !leaving.includes(place));
          const coming = within(put, kept.length + put.length).filter((place, at) => place <= kept.length + at);
          for (const place of coming) kept.splice(place, 0, next++);
          const spliced = list.spliced(
            leaving,
            coming.map((at) => ({ at, item: kept[at] ?? 0 })),
          );
          expect(spliced.toArray()).toEqual(kept);
          const changes = within(changed, kept.length).map((at) => ({ at }));
          const now = spliced.changed(changes, (old, { at }) => 1000 * old + at);
          items = kept.map((item, at) => (changes.some((change) => change.at === at) ? 1000 * item + at : item));
          expect([now.toArray(), now.length]).toEqual([items, items.length]);
          expect(list.toArray()).toEqual(before);
          list = now;
        }
      }),
    );
  });

  it('refuses places that it does not have', () => {
    const list = new LongList<string>().spliced([], [{ at: 0, item: 'a' }]);
    expect(() => list.spliced([1], [])).toThrow('a task that is gone was not there');
    expect(() => list.spliced([0, 0], [])).toThrow('a task that is gone was not there');
    expect(() => list.spliced([], [{ at: 2, item: 'b' }])).toThrow('a new task is beyond the end of its sample');
    expect(() => list.changed([{ at: 1 }], () => 'c')).toThrow('beyond the end');
    expect(() => list.changed([{ at: -1 }], () => 'c')).toThrow('has no place');
  });
});

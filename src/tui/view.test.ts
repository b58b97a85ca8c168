import { describe, expect, it } from 'vitest';
import type { Key } from './keys.ts';
import { type Drawn, firstView, placeOf, press, settled, type View } from './view.ts';

const LIST: Drawn = { keys: ['a', 'b', 'c', 'd', 'e', 'f'], length: 6, height: 3 };
const TEXT: Drawn = { keys: [], length: 10, height: 4 };
const START = firstView({ threads: true });

/** The view after keys that are drawn in between. */
function viewAfter(keys: readonly Key[], drawn: Drawn = LIST, view: View = START): View {
  return keys.reduce((before, key) => settled(press(before, key, drawn).view, drawn), view);
}

describe('press', () => {
  it('moves the selection within what there is, and scrolls along', () => {
    expect(placeOf(viewAfter(['down', 'down', 'down']))).toMatchObject({ at: 3, key: 'd', top: 1 });
    expect(placeOf(viewAfter(['end']))).toMatchObject({ at: 5, top: 3 });
    expect(placeOf(viewAfter(['end', 'page-up', 'up']))).toMatchObject({ at: 2, top: 2 });
    expect(placeOf(viewAfter(['end', 'home', 'up', 'k']))).toMatchObject({ at: 0, top: 0 });
    expect(placeOf(viewAfter(['wheel-down', 'j']))).toMatchObject({ at: 4 });
  });

  it('scrolls where nothing can be selected', () => {
    expect(placeOf(viewAfter(['down', 'page-down'], TEXT))).toMatchObject({ at: 0, top: 4 });
    expect(placeOf(viewAfter(['end'], TEXT))).toMatchObject({ top: 6 });
  });

  it('keeps what is selected when it moves to another place, and the place when it is gone', () => {
    const view = viewAfter(['down', 'down']);
    expect(placeOf(settled(view, { ...LIST, keys: ['x', 'c', 'a'] }))).toMatchObject({ at: 1, key: 'c' });
    expect(placeOf(settled(view, { ...LIST, keys: ['x', 'y', 'z'] }))).toMatchObject({ at: 2, key: 'z' });
    expect(placeOf(settled(view, { ...LIST, keys: ['x'] }))).toMatchObject({ at: 0 });
  });

  it('opens a group and a task of it, and goes back to where it was', () => {
    const group = viewAfter(['down', 'enter']);
    expect(placeOf(group).page).toEqual({ kind: 'group', group: 'b' });
    const task = viewAfter(['enter'], { keys: ['boot/1/1'], length: 1, height: 3 }, group);
    expect(placeOf(task).page).toEqual({ kind: 'task', task: 'boot/1/1' });
    expect(placeOf(viewAfter(['escape', 'escape', 'escape'], LIST, task))).toMatchObject({
      page: { kind: 'groups' },
      at: 1,
    });
  });

  it('explains what is selected, and shows the verdict and the help until the key comes again', () => {
    expect(placeOf(viewAfter(['e'])).page).toEqual({ kind: 'explain', group: 'a' });
    expect(placeOf(viewAfter(['enter', 'e'])).page).toEqual({ kind: 'explain', group: 'a' });
    expect(placeOf(viewAfter(['w'])).page).toEqual({ kind: 'verdict' });
    expect(placeOf(viewAfter(['?', '?'])).page).toEqual({ kind: 'groups' });
    expect(placeOf(viewAfter(['enter'], TEXT)).page).toEqual({ kind: 'groups' });
  });

  it('filters by what is typed, where all keys are text', () => {
    const typing = viewAfter(['/', 'q', ' ', 'x', 'backspace', 'é']);
    expect([typing.typed, typing.filter]).toEqual(['q é', '']);
    expect(viewAfter(['enter'], LIST, typing)).toMatchObject({ typed: undefined, filter: 'q é' });
    expect(viewAfter(['escape'], LIST, typing)).toMatchObject({ typed: undefined, filter: '' });
    expect(viewAfter(['enter', 'escape'], LIST, typing).filter).toBe('');
    expect(viewAfter(['ctrl-u', 'up', 'tab'], LIST, typing).typed).toBe('');
  });

  it('goes round groupings and orders', () => {
    expect(viewAfter(['g']).grouping).toBe('finding');
    expect(viewAfter(['g', 'g', 'g', 'g', 'g', 'g']).grouping).toBe('stack');
    expect(viewAfter(['s']).sort).toBe('count');
    expect(viewAfter(['s', 's', 's', 's']).sort).toBe('urgency');
    expect([viewAfter(['a']).all, viewAfter(['t']).threads]).toEqual([true, false]);
  });

  it.each([
    ['q', 'quit'],
    ['ctrl-c', 'interrupt'],
    ['ctrl-z', 'suspend'],
    ['ctrl-l', 'redraw'],
    [' ', 'pause'],
    ['left', 'back'],
    ['right', 'forward'],
    ['r', 'record'],
    ['t', 'threads'],
    ['x', undefined],
  ])('%j orders %s', (key, order) => {
    expect(press(START, key, LIST).order).toBe(order);
  });

  it('is interrupted also while something is typed', () => {
    expect(press(viewAfter(['/']), 'ctrl-c', LIST).order).toBe('interrupt');
  });
});

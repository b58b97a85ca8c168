import type { Key } from './keys.ts';
import { GROUPINGS, type Grouping, type RowOptions, SORTS, type Sort } from './rows.ts';

/** What fills the terminal below the header. */
export type Page =
  | { readonly kind: 'groups' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'explain'; readonly group: string }
  | { readonly kind: 'task'; readonly task: string }
  | { readonly kind: 'verdict' }
  | { readonly kind: 'help' };

/** A page, and how far one has moved in it. */
export interface Place {
  readonly page: Page;
  /** Of what can be selected: its number, and its key, by which it is found again in the next sample. */
  readonly at: number;
  readonly key: string | undefined;
  /** The number of the first line or item that is shown. */
  readonly top: number;
}

export interface View extends RowOptions {
  /** The page that is shown is the last one; the others are behind it. */
  readonly places: readonly [Place, ...Place[]];
  /** What is being typed to filter by; undefined if nothing is. */
  readonly typed: string | undefined;
}

/** What a page has, as it was drawn. */
export interface Drawn {
  /** The keys of what can be selected, in the order in which it stands there; empty if nothing can. */
  readonly keys: readonly string[];
  /** How many lines there are. */
  readonly length: number;
  /** How many fit. */
  readonly height: number;
}

/** What a key asks for beyond another view. */
export type Order =
  | 'quit'
  | 'interrupt'
  | 'suspend'
  | 'redraw'
  | 'pause'
  | 'back'
  | 'forward'
  | 'record'
  | 'threads'
  | 'mouse';

export interface Pressed {
  readonly view: View;
  readonly order?: Order;
}

const FIRST: Place = { page: { kind: 'groups' }, at: 0, key: undefined, top: 0 };
const MOST_TYPED = 200;
const WHEEL_LINES = 3;

export function firstView({ threads }: { readonly threads: boolean }): View {
  const [grouping, sort] = [GROUPINGS[0], SORTS[0]];
  return { places: [FIRST], grouping, sort, all: false, threads, filter: '', typed: undefined };
}

export function placeOf({ places }: View): Place {
  return places[places.length - 1] ?? places[0];
}

/** What the view is after a key. */
export function press(view: View, key: Key, drawn: Drawn): Pressed {
  if (key === 'ctrl-c') return { view, order: 'interrupt' };
  if (key === 'ctrl-z') return { view, order: 'suspend' };
  if (key === 'ctrl-l') return { view, order: 'redraw' };
  if (view.typed !== undefined) return { view: typing(view, view.typed, key) };
  const moved = MOVES[key];
  if (moved !== undefined) return { view: moveBy(view, moved(drawn), drawn) };
  const order = ORDERS[key];
  if (order !== undefined) return order === 'threads' ? { view: toggled(view, 'threads'), order } : { view, order };
  return { view: turned(view, key, drawn) };
}

const ORDERS: Readonly<Record<Key, Order>> = {
  q: 'quit',
  ' ': 'pause',
  left: 'back',
  right: 'forward',
  r: 'record',
  t: 'threads',
  m: 'mouse',
};

const MOVES: Readonly<Record<Key, (drawn: Drawn) => number>> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  'page-up': ({ height }) => 1 - height,
  'page-down': ({ height }) => height - 1,
  home: () => Number.NEGATIVE_INFINITY,
  end: () => Number.POSITIVE_INFINITY,
  'wheel-up': () => -WHEEL_LINES,
  'wheel-down': () => WHEEL_LINES,
};

function turned(view: View, key: Key, { keys }: Drawn): View {
  const { page, at } = placeOf(view);
  const selected = keys[at];
  switch (key) {
    case 'enter':
      if (selected === undefined) return view;
      if (page.kind === 'groups') return opened(view, { kind: 'group', group: selected });
      return page.kind === 'group' ? opened(view, { kind: 'task', task: selected }) : view;
    case 'e':
      if (page.kind === 'group') return opened(view, { kind: 'explain', group: page.group });
      return page.kind === 'groups' && selected !== undefined
        ? opened(view, { kind: 'explain', group: selected })
        : view;
    case 'escape':
    case 'backspace':
      return page.kind === 'groups' && view.filter !== '' ? { ...view, filter: '' } : closed(view);
    case 'w':
      return page.kind === 'verdict' ? closed(view) : opened(view, { kind: 'verdict' });
    case '?':
    case 'h':
      return page.kind === 'help' ? closed(view) : opened(view, { kind: 'help' });
    case '/':
      return { ...view, places: [view.places[0]], typed: view.filter };
    case 'a':
      return toggled(view, 'all');
    case 'g':
      return { ...view, places: [FIRST], grouping: next<Grouping>(GROUPINGS, view.grouping) };
    case 's':
      return { ...view, sort: next<Sort>(SORTS, view.sort) };
    default:
      return view;
  }
}

function typing(view: View, typed: string, key: Key): View {
  if (key === 'enter') return { ...view, filter: typed, typed: undefined };
  if (key === 'escape') return { ...view, typed: undefined };
  if (key === 'ctrl-u') return { ...view, typed: '' };
  if (key === 'backspace') return { ...view, typed: [...typed].slice(0, -1).join('') };
  const isCharacter = [...key].length === 1;
  return isCharacter && typed.length < MOST_TYPED ? { ...view, typed: typed + key } : view;
}

function toggled(view: View, name: 'all' | 'threads'): View {
  return { ...view, [name]: !view[name] };
}

function next<Name>(names: readonly Name[], name: Name): Name {
  return names[(names.indexOf(name) + 1) % names.length] ?? name;
}

function opened(view: View, page: Page): View {
  return { ...view, places: [...view.places, { ...FIRST, page }] };
}

function closed(view: View): View {
  const [first, ...others] = view.places;
  return { ...view, places: [first, ...others.slice(0, -1)] };
}

function moveBy(view: View, lines: number, { keys, length, height }: Drawn): View {
  const place = placeOf(view);
  if (keys.length === 0) return placed(view, { ...place, top: bounded(place.top + lines, length - height) });
  const at = bounded(place.at + lines, keys.length - 1);
  return placed(view, { ...place, at, key: keys[at] });
}

/** The view with its place among what there is now: the same thing is selected, wherever it stands, and is shown. */
export function settled(view: View, { keys, length, height }: Drawn): View {
  const place = placeOf(view);
  if (keys.length === 0) return placed(view, { ...place, top: bounded(place.top, length - height) });
  const found = place.key === undefined ? -1 : keys.indexOf(place.key);
  const at = found === -1 ? bounded(place.at, keys.length - 1) : found;
  const top = Math.max(at - height + 1, Math.min(at, bounded(place.top, keys.length - height)));
  return placed(view, { ...place, at, key: place.key === undefined ? undefined : keys[at], top });
}

function placed(view: View, place: Place): View {
  const [first, ...others] = view.places;
  return { ...view, places: others.length === 0 ? [place] : [first, ...others.slice(0, -1), place] };
}

function bounded(number: number, most: number): number {
  return Math.max(0, Math.min(number, most));
}

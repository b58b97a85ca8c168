import { computed, effect, signal } from '@preact/signals';
import { type Report, report } from '../analysis/times/report.ts';
import type { Fleet } from '../model/fleet.ts';
import type { Sample } from '../model/sample.ts';
import { addedUp, type Content, type Recorded } from './data.ts';
import { paced } from './paced.ts';

export const VIEWS = {
  fleet: 'Fleet',
  changes: 'Changes',
  verdict: 'Verdict',
  timeline: 'Timeline',
  waits: 'Waits',
  holders: 'Who holds whom',
  flame: 'Flame graph',
  tasks: 'Tasks',
  unread: 'Not read',
} as const;
export type View = keyof typeof VIEWS;

export const SIDES = ['before', 'after'] as const;
export type Side = (typeof SIDES)[number];

/** A part of the time, Unix milliseconds; both ends belong to it. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What several hosts say together; undefined in a page of one. */
export const fleet = signal<Fleet | undefined>(undefined);
/** What all views but the changes and the fleet show. */
export const recorded = signal<Recorded | undefined>(undefined);
/** The two sides of a comparison; undefined if the page has one recording. */
export const sides = signal<Readonly<Record<Side, Recorded>> | undefined>(undefined);
/** The side that is shown. */
export const side = signal<Side>('after');
export const view = signal<View>('verdict');
/** Undefined: all of it. */
export const chosen = signal<Span | undefined>(undefined);
/** What is looked for in the flame graph and among the tasks. */
export const query = signal('');
/** The key of the task whose life is shown. */
export const openTask = signal<string | undefined>(undefined);
/** What the report says of the chosen time; undefined while it is being computed. */
export const reported = signal<Report | undefined>(undefined);

export const samples = computed<readonly Sample[]>(() => recorded.value?.samples ?? []);

export const whole = computed<Span>(() => spanOf(samples.value));

/** From the first sample to the last one. */
export function spanOf(some: readonly Sample[]): Span {
  const isTimed = ({ timeMs }: Sample) => timeMs !== undefined;
  return { fromMs: some.find(isTimed)?.timeMs ?? 0, toMs: some.findLast(isTimed)?.timeMs ?? 0 };
}

export const shown = computed<Span>(() => chosen.value ?? whole.value);

export const samplesShown = computed<readonly Sample[]>(() => {
  const span = chosen.value;
  if (span === undefined) return samples.value;
  return samples.value.filter(({ timeMs }) => timeMs !== undefined && timeMs >= span.fromMs && timeMs <= span.toMs);
});

/** Those of the page, in the order of the keys that choose them. */
export const views = computed<readonly View[]>(() => {
  const all = Object.keys(VIEWS) as View[];
  const isThere: Partial<Record<View, boolean>> = {
    fleet: fleet.value !== undefined,
    changes: sides.value !== undefined,
  };
  // Of very many hosts, a page has no samples.
  const isAlone = fleet.value !== undefined && samples.value.length === 0;
  return isAlone ? ['fleet'] : all.filter((name) => isThere[name] !== false);
});

export function show({ recording, before, fleet: together }: Content): void {
  recorded.value = recording;
  fleet.value = together;
  if (before === undefined) return;
  sides.value = { before, after: recording };
}

/** Adds up what is shown beside the page. */
export async function addUp(): Promise<void> {
  const [one, both] = [recorded.peek(), sides.peek()];
  if (both !== undefined) {
    const done = { before: await addedUp(both.before), after: await addedUp(both.after) };
    sides.value = done;
    recorded.value = done[side.peek()];
  } else if (one?.isAddedUp === false) recorded.value = await addedUp(one);
}

/** Shows the other side of a comparison in all views. */
export function showSide(name: Side): void {
  const both = sides.peek();
  if (both === undefined || name === side.peek()) return;
  side.value = name;
  chosen.value = undefined;
  openTask.value = undefined;
  recorded.value = both[name];
}

/** Computes the report of the chosen time, as `kstack report --from --to` does. */
export function keepReport(): void {
  let isComputing = false;
  const compute = async () => {
    isComputing = true;
    for (let done: readonly Sample[] | undefined; done !== samplesShown.peek(); ) {
      done = samplesShown.peek();
      const span = chosen.peek();
      const found = await report(paced(done));
      if (span === chosen.peek()) reported.value = found;
    }
    isComputing = false;
  };
  let last: Span | undefined;
  effect(() => {
    // What a live page said a moment ago stays until it says more.
    if (samplesShown.value.length > 0 && last !== chosen.value) reported.value = undefined;
    last = chosen.value;
    if (!isComputing) void compute();
  });
}

/** Keeps what is looked at in the address, so that a link and the back button lead to it. */
export function keepAddress(): void {
  const read = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    const [first = 'verdict'] = views.value;
    view.value = views.value.find((name) => name === words.get('view')) ?? first;
    showSide(words.get('side') === 'before' ? 'before' : 'after');
    const [from, to] = [Number(words.get('from')), Number(words.get('to'))];
    chosen.value = words.has('from') && Number.isFinite(from) && to > from ? { fromMs: from, toMs: to } : undefined;
    query.value = words.get('q') ?? '';
    openTask.value = words.get('task') ?? undefined;
  };
  read();
  addEventListener('hashchange', read);
  addEventListener('popstate', read);
  let last = location.hash;
  effect(() => {
    const words = new URLSearchParams({ view: view.value });
    if (side.value !== 'after') words.set('side', side.value);
    if (chosen.value !== undefined) {
      words.set('from', String(Math.floor(chosen.value.fromMs)));
      words.set('to', String(Math.ceil(chosen.value.toMs)));
    }
    if (openTask.value !== undefined) words.set('task', openTask.value);
    // A letter more in a search is no step to go back to.
    const isStep = `#${words}` !== last.replace(/&q=[^&]*/, '');
    if (query.value !== '') words.set('q', query.value);
    const hash = `#${words}`;
    if (hash === last) return;
    last = hash;
    if (isStep && location.hash !== '') history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
  });
}

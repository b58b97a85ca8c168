import type { HeldUp } from './verdict.ts';

/** Roots that hold up others in the same way. */
export type Alike = readonly [HeldUp, ...HeldUp[]];

/**
 * Tasks of one name that are in the same trouble, themselves wait for the same and are waited for in the same ways
 * stand together; every other root stands alone. Those come first that hold up most.
 */
export function alikeIn(heldUp: readonly HeldUp[]): Alike[] {
  const groups = new Map<unknown, [HeldUp, ...HeldUp[]]>();
  for (const held of heldUp) {
    const key = keyOf(held);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [held]);
    else group.push(held);
  }
  return [...groups.values()].sort((a, b) => waitersOf(b).length - waitersOf(a).length);
}

/** Whoever waits for any of them, each once. */
export function waitersOf(alike: readonly HeldUp[]): number[] {
  const waiters = alike.flatMap(({ root }) => root.edges.flatMap(({ from }) => (typeof from === 'number' ? from : [])));
  return [...new Set(waiters)];
}

/** How long the longest waiter of these has waited. */
export function longestOf(alike: readonly HeldUp[]): number | undefined {
  const times = alike.flatMap(({ longestMs }) => longestMs ?? []);
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b));
}

function keyOf({ root, trouble, finding }: HeldUp): unknown {
  const { key, observation, edges } = root;
  if (observation?.task.comm === undefined) return key;
  const kinds = new Set(edges.flatMap(({ to, by }) => (to === key ? by : [])));
  const { rule, waitsFor, within } = finding ?? {};
  return JSON.stringify([observation.task.comm, observation.state, trouble, rule, waitsFor, within, [...kinds].sort()]);
}

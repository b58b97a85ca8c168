/**
 * What an event is about.
 *
 * - `trigger`: a condition of `kstack record --when` came true; `calm`: it no longer is
 * - `lost`: samples, or lines of the kernel log, are missing
 * - the rest: a line of the kernel log
 */
export const EVENT_KINDS = [
  'trigger',
  'calm',
  'lost',
  'hung-task',
  'lockup',
  'rcu-stall',
  'io-error',
  'nfs',
  'oom',
  'freezer',
] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** A moment worth marking on the timeline of a host. */
export interface Event {
  /** Unix milliseconds. Absent if the text that was read tells only the time since boot, or none. */
  readonly timeMs?: number;
  /** Seconds since boot, as in the kernel log. */
  readonly uptimeSeconds?: number;
  readonly kind: EventKind;
  /** What the kernel printed, or what set off the trigger. May hold anything. */
  readonly text: string;
}

/** The first events, so many of them; if there are more, the last one counts those that are left out. */
export function withoutExcess(events: readonly Event[], most: number): readonly Event[] {
  if (events.length <= most) return events;
  const kept = events.slice(0, most - 1);
  let left = 0;
  for (const event of events.slice(most - 1)) left += countIn(event);
  return [...kept, { kind: 'lost', text: `${left}${LEFT_OUT}` }];
}

const LEFT_OUT = ' more events were left out';

/** So that leaving out what was counted before counts it again. */
function countIn({ kind, text }: Event): number {
  return kind === 'lost' && text.endsWith(LEFT_OUT) ? Number.parseInt(text, 10) : 1;
}

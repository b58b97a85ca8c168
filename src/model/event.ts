/**
 * What an event is about.
 *
 * - `trigger`: a condition of `kstack record --when` came true; `calm`: it no longer is
 * - `lost`: samples, or lines of the kernel log, are missing; `clock`: the time of day was set
 * - the rest: a line of the kernel log
 */
export const EVENT_KINDS = [
  'trigger',
  'calm',
  'lost',
  'clock',
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

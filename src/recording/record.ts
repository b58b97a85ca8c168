import type { Edge, Resource } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import type { Task } from '../model/task.ts';
import type { Run } from './runs.ts';

// The lines of a segment (docs/archive-format.md). A segment begins with a head. What its samples refer to by number
// stands before them, once; numbers count from 0 within a segment.

/** The version of the format. Raise it when a line changes its meaning; readers know all earlier versions. */
export const VERSION = 1;

export interface HeadLine {
  readonly format: 'kstack-recording';
  readonly version: number;
  /** Counts from 0 within what one run records. */
  readonly segment: number;
}

/** A stack, or why there is none. Frames are `[symbol, offset, size, module]`, the raw line fifth if it tells more. */
export interface StackLine {
  readonly stack: number;
  readonly frames?: readonly FrameTuple[];
  readonly cut?: true;
  /** Its frames are those of several stacks. */
  readonly mixed?: true;
  readonly unread?: string;
  readonly detail?: string;
}

export type FrameTuple = readonly [
  symbol: string,
  offset?: number | null,
  size?: number | null,
  module?: string | null,
  raw?: string | null,
];

/**
 * With `as`, what is not said is as of the task so many before. A `pid` that is said is the `tid` too, unless that is
 * said.
 */
export interface TaskLine {
  readonly task: number;
  readonly as?: number;
  readonly is: Partial<Omit<Task, 'id'>> & { readonly id?: Partial<Task['id']> };
}

/** What is the same in many samples: all of a sample but its time and its tasks. */
export interface PlaceLine {
  readonly place: number;
  readonly is: Place;
}

export type Place = Omit<
  Sample,
  | 'timeMs'
  | 'uptimeSeconds'
  | 'monotonicMs'
  | 'observations'
  | 'holders'
  | 'unread'
  | 'edges'
  | 'resources'
  | 'events'
  | 'pressure'
>;

/** An edge or a resource, which is most often the same in many samples. */
export interface EdgeLine {
  readonly edge: number;
  readonly is: Edge;
}

export interface ResourceLine {
  readonly resource: number;
  readonly is: Resource;
}

/** What is the same for many observations: all of one but its task, its stack and the numbers of an {@link Entry}. */
export interface LookLine {
  readonly look: number;
  readonly is: Look;
}

export type Look = Omit<Observation, 'task' | 'stack'>;

/**
 * The numbers of a task's stack and look, then its CPU, its context switches, and its time off the CPU: null, or absent
 * at the end, if it is not known.
 */
export type EntryNumbers = readonly [
  stack: number,
  look: number,
  cpu?: number | null,
  switches?: number | null,
  offCpuMs?: number | null,
];

/** What changed in a list since the sample before. */
export interface Changes {
  /** Places in the list before, ascending. */
  readonly gone?: readonly number[];
  /**
   * New tasks, in the order of the list now: how many places after the one that follows the last new task, how many
   * numbers after the one that follows its number, and the entry.
   */
  readonly put?: readonly (readonly [skip: number, step: number, ...entry: EntryNumbers])[];
  /** Entries in the list now that have changed: how many places after the one that follows the last of these. */
  readonly set?: readonly (readonly [skip: number, ...entry: EntryNumbers])[];
}

export interface SampleLine {
  /** The number of its place. */
  readonly sample: number;
  readonly timeMs?: number;
  readonly uptimeSeconds?: number;
  readonly monotonicMs?: number;
  readonly tasks?: Changes;
  readonly holders?: Changes;
  readonly unread?: Sample['unread'];
  /** The numbers of their lines; null if there are none. Absent if these are as in the sample before. */
  readonly edges?: readonly Run[] | null;
  readonly resources?: readonly Run[] | null;
  readonly events?: Sample['events'];
  readonly pressure?: Sample['pressure'];
}

/** The line of /proc/PID/stack that a frame is printed as; what does not look like it is kept beside the parts. */
export function printedFrame({ symbol, offset, size, module }: Omit<Frame, 'raw'>): string {
  if (offset === undefined || size === undefined) return `[<0>] ${symbol}`;
  const place = `[<0>] ${symbol}+0x${offset.toString(16)}/0x${size.toString(16)}`;
  return module === undefined ? place : `${place} [${module}]`;
}

import type { Sample } from '../../../model/sample.ts';
import type { Frame } from '../../../model/stack.ts';
import type { Header } from '../line.ts';

/** What a classic log told that it had not told before. Numbers count on from those before. */
export interface ClassicWords {
  readonly lines: readonly Header[];
  readonly stacks: readonly (readonly Frame[])[];
  /** Set if they count from 0: what was told before is forgotten. */
  readonly isAnew: boolean;
}

/** A sample of a classic log in numbers, which another thread gets in no time. */
export interface ClassicSample {
  readonly head: Pick<Sample, 'timeMs' | 'host'>;
  /** See Stamp. */
  readonly localMs?: number;
  /** A line and its stack, two numbers for each observation that was not there before. These count, too. */
  readonly pairs: Int32Array;
  /** The observations; where there is none, a number is below 0. */
  readonly seen: Int32Array;
  /** Which of them are new since the sample before, and which are no longer there; absent if none is known. */
  readonly changes?: { readonly gone: Int32Array; readonly come: Int32Array };
  /** How many lines were too long to be read whole. */
  readonly cut: number;
}

/** A part of a classic log: bytes are to be read line by line. */
export type ClassicPart = ClassicWords | ClassicSample | Uint8Array;

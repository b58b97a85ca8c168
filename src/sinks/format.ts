import type { Field } from '../model/fields.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';

/** How samples are to be written. */
export interface WriteContext {
  readonly zoneAt: Clock['zoneAt'];
  /** Whether the output may have colours. */
  readonly colour: boolean;
  /** Nothing is left out, where the format leaves something out. */
  readonly full: boolean;
  /** Frames say that they are of the kernel, where the format has a way to. */
  readonly annotate: boolean;
}

export type Piece = string | Uint8Array;
export type Samples = Iterable<Sample> | AsyncIterable<Sample>;

/** A format that samples are written in. A file of its own has it, and `formats.ts` its name. */
export interface Format {
  /** What it shows of a task beside its stat, stack and command line. */
  readonly fields: readonly Field[];
  /** Whether it shows what only the kernel knows of a task (KernelFacts). */
  readonly facts: boolean;
  /** Whether it is no text for a terminal. */
  readonly binary: boolean;
  write(samples: Samples, context: WriteContext): AsyncIterable<Piece>;
}

/** Writes samples of which each stands for itself. */
export function eachSample(write: (sample: Sample, context: WriteContext) => Iterable<Piece>): Format['write'] {
  return async function* (samples, context) {
    for await (const sample of samples) yield* write(sample, context);
  };
}

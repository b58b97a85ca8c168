import type { TableName } from '../analysis/tables/tables.ts';
import type { Field } from '../model/fields.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';

/** How to write samples. */
export interface WriteContext {
  readonly zoneAt: Clock['zoneAt'];
  /** Whether the output may have colours. */
  readonly colour: boolean;
  /** Leave nothing out. Only for formats that otherwise do. */
  readonly full: boolean;
  /** Mark frames as kernel frames. Only for formats that can. */
  readonly annotate: boolean;
  /** Which table. Only for formats that write one; `observations` if it is absent. */
  readonly table?: TableName;
}

export type Piece = string | Uint8Array;
export type Samples = Iterable<Sample> | AsyncIterable<Sample>;

/** An output format. Each is in a file of its own, and is named in `formats.ts`. */
export interface Format {
  /** What it shows of a task in addition to its stat, stack and command line. */
  readonly fields: readonly Field[];
  /** Whether it shows KernelFacts. */
  readonly facts: boolean;
  /** Whether it shows who holds up whom, beyond what these facts tell. It needs `systemCall` among the fields. */
  readonly edges?: true;
  /** Whether it is binary, and so unfit for a terminal. */
  readonly binary: boolean;
  /** Whether its lines may be broken to fit a terminal. */
  readonly prose?: true;
  write(samples: Samples, context: WriteContext): AsyncIterable<Piece>;
}

/** For formats that write each sample independently of the others. */
export function eachSample(write: (sample: Sample, context: WriteContext) => Iterable<Piece>): Format['write'] {
  return async function* (samples, context) {
    for await (const sample of samples) yield* write(sample, context);
  };
}

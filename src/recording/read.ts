import type { Sample } from '../model/sample.ts';
import { Interned, SegmentDecoder } from './decode.ts';
import { ShapeError } from './shape.ts';

/** How a line of a recording begins that begins a segment. */
export const HEAD = '{"format":"kstack-recording"';

/**
 * The samples in the lines of a recording, which come many at a time. What is damaged costs the rest of its segment,
 * which is told with the number of the line.
 */
export async function* recordedSamples(
  pieces: Iterable<Iterable<string>> | AsyncIterable<Iterable<string>>,
  damaged: (line: number, why: string) => void,
  interned = new Interned(),
): AsyncGenerator<Sample> {
  let decoder: SegmentDecoder | undefined;
  let number = 0;
  for await (const lines of pieces)
    for (const line of lines) {
      number++;
      if (line.startsWith(HEAD)) decoder = new SegmentDecoder(interned);
      if (decoder === undefined) continue;
      let sample: Sample | undefined;
      try {
        sample = decoder.decode(line);
      } catch (error) {
        if (!(error instanceof ShapeError || error instanceof SyntaxError || error instanceof RangeError)) throw error;
        damaged(number, error.message);
        decoder = undefined;
      }
      if (sample !== undefined) yield sample;
    }
}

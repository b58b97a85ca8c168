import { viewOf } from '../model/bytes.ts';
import type { Sample } from '../model/sample.ts';
import { Interned, SegmentDecoder } from './decode.ts';
import { ShapeError } from './shape.ts';

/** How a line of a recording begins that begins a segment. */
export const HEAD = '{"format":"kstack-recording"';
const HEAD_BYTES = new TextEncoder().encode(HEAD);
const LINE_FEED = 10;

/**
 * The samples of a recording, which comes in pieces of whole lines. What is damaged costs the rest of its segment,
 * which is told with the number of the line.
 */
export async function* recordedSamples(
  pieces: AsyncIterable<Uint8Array>,
  damaged: (line: number, why: string) => void,
  interned = new Interned(),
): AsyncGenerator<Sample> {
  let decoder: SegmentDecoder | undefined;
  let number = 0;
  for await (const piece of pieces) {
    const view = viewOf(piece);
    for (let from = 0; from < piece.length; ) {
      number++;
      let sample: Sample | undefined;
      try {
        const next = decoder?.passKnown(view, from);
        if (next !== undefined) {
          from = next;
          continue;
        }
        const end = piece.indexOf(LINE_FEED, from);
        const line = piece.subarray(from, end);
        from = end + 1;
        if (HEAD_BYTES.every((byte, at) => line[at] === byte)) decoder = new SegmentDecoder(interned);
        sample = decoder?.decode(line);
      } catch (error) {
        if (!(error instanceof ShapeError || error instanceof SyntaxError || error instanceof RangeError)) throw error;
        damaged(number, error.message);
        decoder = undefined;
      }
      if (sample !== undefined) yield sample;
    }
  }
}

import type { Sample } from '../../model/sample.ts';
import { SegmentEncoder } from '../../recording/encode.ts';
import type { SamplerOptions } from './sampler.ts';

// The protocol between a sampler process and its owner. A sample is sent as the lines of a recording, so only what has
// changed is written and read; each other message is a line of JSON of its own.

/** The first line to the process. Each empty line after it requests a sample. */
export interface SamplerOrder {
  readonly root: string;
  readonly options: Omit<SamplerOptions, 'tell' | 'missed'>;
}

export type SamplerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tell'; readonly text: string }
  | { readonly kind: 'missed'; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string };

/** How the line of a message begins; no line of a recording does. */
const MESSAGE = new TextEncoder().encode('{"kind":');
const LINE_FEED = 10;
/** After so many samples both sides start over, so that neither keeps what has ended. */
const SEGMENT_SAMPLES = 60;
/** They do so earlier once what changed has grown to this, and to the size of the first sample. */
const MOST_CHANGES = 2 << 20;

/** Turns samples into lines of a recording without an end. */
export class SampleEncoder {
  #segment = 0;
  #samples = 0;
  /** The characters of the segment's first sample, and of the others. */
  #first = 0;
  #changes = 0;
  #encoder = new SegmentEncoder(0);

  encode(sample: Sample): string {
    if (this.#samples === SEGMENT_SAMPLES || this.#changes > Math.max(MOST_CHANGES, this.#first)) {
      this.#samples = 0;
      this.#changes = 0;
      this.#segment++;
      this.#encoder = new SegmentEncoder(this.#segment);
    }
    const lines = this.#encoder.encode(sample);
    if (this.#samples === 0) this.#first = lines.length;
    else this.#changes += lines.length;
    this.#samples++;
    return lines;
  }
}

/** Takes the messages out of what comes from a sampler process. What is before one has been read when it is taken. */
export async function* withoutMessages(
  pieces: AsyncIterable<Uint8Array>,
  take: (message: SamplerMessage) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    let from = 0;
    for (let at = 0; at < piece.length; ) {
      const end = piece.indexOf(LINE_FEED, at) + 1;
      if (MESSAGE.every((byte, place) => piece[at + place] === byte)) {
        if (at > from) yield piece.subarray(from, at);
        take(JSON.parse(Buffer.from(piece.subarray(at, end)).toString()));
        from = end;
      }
      at = end;
    }
    if (from < piece.length) yield piece.subarray(from);
  }
}

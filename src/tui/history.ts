import type { Sample } from '../model/sample.ts';
import { Interned, SegmentDecoder } from '../recording/decode.ts';
import { SegmentEncoder } from '../recording/encode.ts';

/** Samples that can be read without others. */
interface Segment {
  /** The number of its first sample. */
  readonly first: number;
  /** One for each sample: lines of a recording. Outside the heap, which grows to several times of what is in it. */
  readonly texts: Buffer[];
  bytes: number;
}

const SEGMENT_SAMPLES = 60;

/** The latest samples, as many as fit, as a recording in memory. They are numbered from 0 in the order they came. */
export class History {
  readonly #mostBytes: number;
  readonly #segments: Segment[] = [];
  #bytes = 0;
  #next = 0;
  /** Of the latest segment. It knows all tasks and stacks of it, which would take more room than the texts. */
  #encoder = new SegmentEncoder(0);
  /** Of the segment that was read last. */
  #read: { readonly segment: Segment; readonly decoder: SegmentDecoder; readonly samples: Sample[] } | undefined;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The number of the oldest sample that is kept. */
  get first(): number {
    return this.#segments[0]?.first ?? this.#next;
  }

  /** The number that the next sample gets. */
  get next(): number {
    return this.#next;
  }

  add(sample: Sample): void {
    let segment = this.#segments.at(-1);
    if (segment === undefined || segment.texts.length >= SEGMENT_SAMPLES || segment.bytes > this.#mostBytes / 8) {
      segment = { first: this.#next, texts: [], bytes: 0 };
      this.#segments.push(segment);
      this.#encoder = new SegmentEncoder(0);
    }
    const text = Buffer.from(this.#encoder.encode(sample));
    segment.texts.push(text);
    segment.bytes += text.length;
    this.#bytes += text.length;
    this.#next++;
    while (this.#bytes > this.#mostBytes && this.#segments.length > 1)
      this.#bytes -= this.#segments.shift()?.bytes ?? 0;
  }

  /** Undefined if it is no longer kept, or not yet there. */
  at(number: number): Sample | undefined {
    const segment = this.#segments.findLast(({ first }) => first <= number);
    if (segment === undefined || number - segment.first >= segment.texts.length) return undefined;
    if (this.#read?.segment !== segment)
      this.#read = { segment, decoder: new SegmentDecoder(new Interned()), samples: [] };
    const { decoder, samples } = this.#read;
    for (const text of segment.texts.slice(samples.length, number - segment.first + 1))
      for (const line of linesOf(text)) {
        const sample = decoder.decode(line);
        if (sample !== undefined) samples.push(sample);
      }
    return samples[number - segment.first];
  }
}

const LINE_FEED = 10;

function* linesOf(text: Buffer): Generator<Buffer> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf(LINE_FEED, from);
    yield text.subarray(from, end);
    from = end + 1;
  }
}

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Sample } from '../model/sample.ts';
import { Interned, SegmentDecoder } from '../recording/decode.ts';
import { SegmentEncoder } from '../recording/encode.ts';

/** Samples that can be read without others. */
interface Segment {
  /** The number of its first sample. */
  readonly first: number;
  /** Where the lines of each sample end. */
  readonly ends: readonly number[];
}

/** One that is complete, and where its compressed lines are, counted as if the ring had no end. */
interface PackedSegment extends Segment {
  readonly from: number;
  readonly length: number;
}

const SEGMENT_SAMPLES = 60;
/** A segment ends early once what follows its first sample has grown to this, and to the size of the first. */
const MOST_CHANGES_BYTES = 2 << 20;
const FIRST_LINES_BYTES = 1 << 18;

/**
 * The latest samples, as many as fit, as a recording in memory. They are numbered from 0 in the order they came. They
 * are bytes in memory that is taken once: where texts come and go all the time, the heap grows to several times of what
 * is alive in it.
 */
export class History {
  /** The compressed segments, one behind the other; what is written last overwrites the oldest. */
  readonly #ring: Buffer;
  #written = 0;
  readonly #packed: PackedSegment[] = [];
  #latest: Segment & { readonly ends: number[] } = { first: 0, ends: [] };
  /** The lines of the latest segment. The next one uses the same memory. */
  #lines = Buffer.alloc(FIRST_LINES_BYTES);
  /** Of the latest segment. It knows all tasks and stacks of it, which would take more room than the lines. */
  #encoder = new SegmentEncoder(0);
  /** Of the segment that was read last, which is known by the number of its first sample. */
  #read: { readonly first: number; readonly decoder: SegmentDecoder; readonly samples: Sample[] } | undefined;

  constructor(mostBytes: number) {
    this.#ring = Buffer.alloc(mostBytes);
  }

  /** The number of the oldest sample that is kept. */
  get first(): number {
    return (this.#packed[0] ?? this.#latest).first;
  }

  /** The number that the next sample gets. */
  get next(): number {
    return this.#latest.first + this.#latest.ends.length;
  }

  add(sample: Sample): void {
    if (this.#isComplete()) this.#pack();
    const text = this.#encoder.encode(sample);
    const { ends } = this.#latest;
    const from = ends.at(-1) ?? 0;
    const end = from + Buffer.byteLength(text);
    if (end > this.#lines.length) this.#lines = Buffer.concat([this.#lines], Math.max(end, 2 * this.#lines.length));
    this.#lines.write(text, from);
    ends.push(end);
  }

  #isComplete(): boolean {
    const { ends } = this.#latest;
    const [whole = 0, end = 0] = [ends[0], ends.at(-1)];
    return ends.length >= SEGMENT_SAMPLES || end - whole > Math.max(MOST_CHANGES_BYTES, whole);
  }

  #pack(): void {
    const { first, ends } = this.#latest;
    const packed = deflateRawSync(this.#lines.subarray(0, ends.at(-1)), { level: 1 });
    const ring = this.#ring;
    const from = this.#written;
    this.#written += packed.length;
    const overwritten = this.#packed.findIndex((segment) => segment.from >= this.#written - ring.length);
    this.#packed.splice(0, overwritten === -1 ? this.#packed.length : overwritten);
    // Without room for even one, only the latest segment is kept.
    if (packed.length <= ring.length) {
      packed.copy(ring, from % ring.length);
      packed.subarray(ring.length - (from % ring.length)).copy(ring);
      this.#packed.push({ first, ends, from, length: packed.length });
    }
    this.#latest = { first: this.next, ends: [] };
    this.#encoder = new SegmentEncoder(0);
  }

  /** Undefined if it is no longer kept, or not yet there. */
  at(number: number): Sample | undefined {
    if (number < this.first || number >= this.next) return undefined;
    const packed = this.#packed.find(({ first, ends }) => number < first + ends.length);
    const { first, ends } = packed ?? this.#latest;
    if (this.#read?.first !== first) this.#read = { first, decoder: new SegmentDecoder(new Interned()), samples: [] };
    const { decoder, samples } = this.#read;
    if (samples.length <= number - first) {
      const lines = packed === undefined ? this.#lines : this.#unpacked(packed);
      for (const line of linesOf(lines.subarray(ends[samples.length - 1] ?? 0, ends.at(-1)))) {
        const sample = decoder.decode(line);
        if (sample !== undefined) samples.push(sample);
      }
    }
    return samples[number - first];
  }

  #unpacked({ from, length }: PackedSegment): Buffer {
    const ring = this.#ring;
    const at = from % ring.length;
    const end = ring.subarray(at, at + length);
    return inflateRawSync(Buffer.concat([end, ring.subarray(0, length - end.length)]));
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

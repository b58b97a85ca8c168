import { constants, crc32, createGzip, type Gzip } from 'node:zlib';
import type { Sample } from '../model/sample.ts';
import { SegmentEncoder } from './encode.ts';
import { type SegmentEntry, TRAILER_BYTES, trailerOf } from './trailer.ts';

/** Bounds what is lost with a damaged segment, and what is read before a sample in the middle. */
const USUAL_SAMPLES = 60;
/** Of a segment whose first sample is still its larger part: most tasks have slept since. */
const MAX_SAMPLES = 360;
const MAX_BYTES = 16 << 20;

/** What is appended to a recording, or to a log, at once: completely or not at all. */
export interface Piece {
  readonly length: number;
  /** Whether it is of use only behind the piece before. */
  readonly continues: boolean;
  /** Its bytes, given how many the file has before it. */
  at(size: number): Buffer;
}

/**
 * Turns samples into a recording. A piece has all of its sample, so that a crash costs the sample that is being written
 * at the most. Segments are numbered from 0.
 */
export class RecordingWriter {
  readonly #maxBytes: number;
  #number = 0;
  #segment: Segment | undefined;
  /** The places of the last two trailers: the second one may be of a write that failed. */
  #trailers: readonly number[] = [];

  /** @param maxBytes a segment ends with the sample with which it reaches so many bytes */
  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = Math.min(maxBytes, MAX_BYTES);
  }

  async add(sample: Sample): Promise<Piece> {
    const continues = this.#segment !== undefined;
    const segment = this.#segment ?? new Segment(this.#number++);
    this.#segment = segment;
    const bytes = await segment.add(sample);
    if (segment.isLongEnough || segment.bytes >= this.#maxBytes) return this.#last(segment, bytes, continues);
    return { length: bytes.length, continues, at: () => bytes };
  }

  /** Leaves the open segment as it is: a crash would, too. */
  begin(): void {
    this.#segment = undefined;
  }

  /** Ends the open segment, if there is one. */
  async end(): Promise<Piece | undefined> {
    return this.#segment && this.#last(this.#segment, Buffer.alloc(0), true);
  }

  async #last(segment: Segment, bytes: Buffer, continues: boolean): Promise<Piece> {
    const body = Buffer.concat([bytes, await segment.end()]);
    if (this.#segment === segment) this.#segment = undefined;
    const at = (size: number) => {
      const place = size + body.length;
      const offset = place - segment.bytes;
      this.#trailers = this.#trailers.filter((trailer) => trailer < offset);
      const previous = this.#trailers.at(-1);
      this.#trailers = [...this.#trailers, place].slice(-2);
      return Buffer.concat([
        body,
        trailerOf({ ...segment.entry(), offset, ...(previous !== undefined && { previous }) }),
      ]);
    };
    return { length: body.length + TRAILER_BYTES, continues, at };
  }
}

/** One gzip member that grows. */
class Segment {
  readonly #encoder: SegmentEncoder;
  readonly #gzip: Gzip = createGzip();
  readonly #pieces: Buffer[] = [];
  #failure: Error | undefined;
  #crc = 0;
  #fromMs: number | undefined;
  #toMs: number | undefined;
  #firstBytes = 0;
  samples = 0;
  bytes = 0;

  constructor(number: number) {
    this.#encoder = new SegmentEncoder(number);
    this.#gzip.on('data', (piece: Buffer) => this.#pieces.push(piece));
    this.#gzip.on('error', (error) => {
      this.#failure = error;
    });
  }

  async add(sample: Sample): Promise<Buffer> {
    this.samples++;
    const { timeMs } = sample;
    // The clock may be set back between two samples.
    if (timeMs !== undefined) {
      this.#fromMs = Math.min(this.#fromMs ?? timeMs, timeMs);
      this.#toMs = Math.max(this.#toMs ?? timeMs, timeMs);
    }
    this.#gzip.write(this.#encoder.encode(sample));
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    const piece = this.#take();
    if (this.samples === 1) this.#firstBytes = piece.length;
    return piece;
  }

  get isLongEnough(): boolean {
    return this.samples >= (this.bytes >= 2 * this.#firstBytes ? USUAL_SAMPLES : MAX_SAMPLES);
  }

  /** The rest of it. */
  async end(): Promise<Buffer> {
    await new Promise<void>((resolve) => this.#gzip.on('end', resolve).end());
    return this.#take();
  }

  entry(): Omit<SegmentEntry, 'offset'> {
    return {
      bytes: this.bytes,
      ...(this.#fromMs !== undefined && { fromMs: this.#fromMs }),
      ...(this.#toMs !== undefined && { toMs: this.#toMs }),
      samples: this.samples,
      crc: this.#crc,
    };
  }

  #take(): Buffer {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.concat(this.#pieces.splice(0));
    this.#crc = crc32(bytes, this.#crc);
    this.bytes += bytes.length;
    return bytes;
  }
}

import { constants, crc32, createGzip, type Gzip } from 'node:zlib';
import type { Sample } from '../model/sample.ts';
import { SegmentEncoder } from './encode.ts';
import { trailerOf } from './trailer.ts';

/** Bounds what is lost with a damaged segment, and what is read before a sample in the middle. */
const MAX_SAMPLES = 60;
const MAX_BYTES = 16 << 20;

/**
 * A recording, in pieces. After each sample all of it is given out, so that a crash costs the sample that is being
 * written at the most.
 * @param start where in its file the recording goes on, and the number of the next segment
 */
export async function* recordingPieces(
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  start: RecordingEnd = { offset: 0, segment: 0 },
): AsyncGenerator<Uint8Array> {
  let end = start;
  let segment: Segment | undefined;
  for await (const sample of samples) {
    segment ??= new Segment(end.segment);
    yield await segment.add(sample);
    if (segment.samples < MAX_SAMPLES && segment.bytes < MAX_BYTES) continue;
    const last = await segment.end(end);
    segment = undefined;
    end = last.end;
    yield last.bytes;
  }
  if (segment !== undefined) yield (await segment.end(end)).bytes;
}

/** Where the next segment goes. */
export interface RecordingEnd {
  readonly offset: number;
  readonly segment: number;
  /** The place of the last trailer. */
  readonly trailer?: number;
}

/** One gzip member that grows. */
class Segment {
  readonly #encoder: SegmentEncoder;
  readonly #gzip: Gzip = createGzip();
  readonly #pieces: Buffer[] = [];
  readonly #number: number;
  #failure: Error | undefined;
  #crc = 0;
  #fromMs: number | undefined;
  #toMs: number | undefined;
  samples = 0;
  bytes = 0;

  constructor(number: number) {
    this.#number = number;
    this.#encoder = new SegmentEncoder(number);
    this.#gzip.on('data', (piece: Buffer) => this.#pieces.push(piece));
    this.#gzip.on('error', (error) => {
      this.#failure = error;
    });
  }

  async add(sample: Sample): Promise<Uint8Array> {
    this.samples++;
    this.#fromMs ??= sample.timeMs;
    this.#toMs = sample.timeMs ?? this.#toMs;
    this.#gzip.write(this.#encoder.encode(sample));
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    return this.#take();
  }

  /** The rest of the segment, and its trailer. */
  async end({ offset, trailer: previous }: RecordingEnd): Promise<{ bytes: Uint8Array; end: RecordingEnd }> {
    await new Promise<void>((resolve) => this.#gzip.on('end', resolve).end());
    const rest = this.#take();
    const trailer = trailerOf({
      offset,
      bytes: this.bytes,
      ...(this.#fromMs !== undefined && { fromMs: this.#fromMs }),
      ...(this.#toMs !== undefined && { toMs: this.#toMs }),
      samples: this.samples,
      crc: this.#crc,
      ...(previous !== undefined && { previous }),
    });
    const at = offset + this.bytes;
    const end = { offset: at + trailer.length, segment: this.#number + 1, trailer: at };
    return { bytes: Buffer.concat([rest, trailer]), end };
  }

  #take(): Buffer {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.concat(this.#pieces.splice(0));
    this.#crc = crc32(bytes, this.#crc);
    this.bytes += bytes.length;
    return bytes;
  }
}

import { leaveOutIdle } from '../../analysis/leave-out-idle.ts';
import { RedactedStream, type Redactor } from '../../analysis/redact.ts';
import { beats } from '../../background/beats.ts';
import type { Selection } from '../../model/selection.ts';
import type { Clock } from '../../model/time.ts';
import { TRAILER_BYTES } from '../../recording/trailer.ts';
import { RecordingWriter } from '../../recording/write.ts';
import type { Sampler } from '../../sources/live/sampler.ts';

/** What the end of a segment takes beside its trailer. */
const END_BYTES = TRAILER_BYTES + 64;

export interface MemoryRecorderOptions {
  readonly sampler: Pick<Sampler, 'next'>;
  readonly selection: Selection;
  readonly clock: Clock;
  readonly durationMs: number;
  readonly intervalMs: number;
  readonly mostBytes: number;
  /** Undefined if everything is recorded as it is. */
  readonly redactor: Redactor | undefined;
  /** Ends it sooner. */
  readonly stop: AbortSignal;
}

/** A recording in memory, which is whole at any time. */
export class MemoryRecording {
  readonly #writer = new RecordingWriter();
  readonly #pieces: Buffer[] = [];
  readonly notes: string[] = [];
  #bytes = 0;
  samples = 0;

  /** Records until the time is up, it is stopped, or there is no more room. */
  async record({ sampler, selection, redactor, mostBytes, clock, ...options }: MemoryRecorderOptions): Promise<void> {
    const stream = redactor && new RedactedStream(redactor);
    const { durationMs, intervalMs, stop } = options;
    const took = { take: () => sampler.next(), clock, durationMs, stop, intervalMs: () => intervalMs };
    for await (const { taken } of beats(took)) {
      const selected = selection.blocked === true ? leaveOutIdle(taken) : taken;
      const piece = await this.#writer.add(stream?.next(selected) ?? selected);
      if (this.#bytes + piece.length + END_BYTES > mostBytes) {
        this.notes.push(`it ends after ${this.samples} samples: --max-size leaves no room for more`);
        // What the writer has begun is not part of it.
        this.#writer.begin();
        return;
      }
      this.#append(piece.at(this.#bytes));
      this.samples++;
    }
  }

  async bytes(): Promise<Buffer> {
    const end = await this.#writer.end();
    if (end !== undefined) this.#append(end.at(this.#bytes));
    return Buffer.concat(this.#pieces);
  }

  #append(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }
}

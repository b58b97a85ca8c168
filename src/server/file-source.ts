import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { jsonText } from '../model/json-text.ts';
import type { Sample } from '../model/sample.ts';
import { SegmentEncoder } from '../recording/encode.ts';
import { FindingWriter } from '../sinks/finding-writer.ts';
import type { StreamSource } from './source.ts';
import { END_EVENT, failedEvent, findingEvent, recordingEvent } from './stream-events.ts';

/** A segment tells its tasks anew. */
const SEGMENT_SAMPLES = 360;

/** A page that takes nothing for so long is given up. */
const STALLED_MS = 60_000;

/** The samples of files, read anew for each page. */
export class FileSource implements StreamSource {
  readonly kind = 'files';
  readonly #read: () => AsyncIterable<Sample>;
  readonly #stalledMs: number;

  constructor(read: () => AsyncIterable<Sample>, stalledMs = STALLED_MS) {
    this.#read = read;
    this.#stalledMs = stalledMs;
  }

  serve(response: ServerResponse): void {
    // Nothing was sent for so long. That may be for want of samples: files are searched for a selection.
    response.setTimeout(this.#stalledMs, () => {
      if (response.writableNeedDrain) response.destroy();
    });
    // A page that is closed early is no failure.
    pipeline(Readable.from(eventsOf(this.#read())), response).catch(() => response.destroy());
  }

  /** Streams end with their connections. */
  readonly closesMs = 0;

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function* eventsOf(samples: AsyncIterable<Sample>): AsyncGenerator<string> {
  const writer = new FindingWriter();
  let encoder = new SegmentEncoder(0);
  let count = 0;
  try {
    for await (const sample of samples) {
      if (count > 0 && count % SEGMENT_SAMPLES === 0) encoder = new SegmentEncoder(count / SEGMENT_SAMPLES);
      count++;
      for (const line of writer.linesFor(sample)) yield findingEvent(jsonText(line));
      yield recordingEvent(encoder.encode(sample));
    }
  } catch (error) {
    yield failedEvent(error instanceof Error ? error.message : String(error));
  }
  yield END_EVENT;
}

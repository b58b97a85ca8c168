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

/** The samples of files, read anew for each page. */
export class FileSource implements StreamSource {
  readonly kind = 'files';
  readonly #read: () => AsyncIterable<Sample>;

  constructor(read: () => AsyncIterable<Sample>) {
    this.#read = read;
  }

  serve(response: ServerResponse): void {
    // A page that is closed early is no failure.
    pipeline(Readable.from(eventsOf(this.#read())), response).catch(() => response.destroy());
  }

  close(): void {
    // Streams end with their connections.
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

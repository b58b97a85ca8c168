import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Fleet } from '../model/fleet.ts';
import { jsonText } from '../model/json-text.ts';
import type { Sample } from '../model/sample.ts';
import { SegmentEncoder } from '../recording/encode.ts';
import { FindingWriter } from '../sinks/finding-writer.ts';
import { PageSamples } from '../sinks/page-samples.ts';
import type { StreamSource } from './source.ts';
import { END_EVENT, failedEvent, findingEvent, fleetEvent, recordingEvent } from './stream-events.ts';

/** A segment tells its tasks anew. */
const SEGMENT_SAMPLES = 360;

/** A page that takes nothing for so long is given up. */
const STALLED_MS = 60_000;

/** What a page is sent of files or of a database. */
export interface FileContent {
  /** What several hosts say together. */
  readonly fleet: Fleet | undefined;
  readonly samples: AsyncIterable<Sample>;
}

/** The samples of files, read anew for each page. */
export class FileSource implements StreamSource {
  readonly kind = 'files';
  readonly #read: () => Promise<FileContent>;
  readonly #stalledMs: number;

  constructor(read: () => Promise<FileContent>, stalledMs = STALLED_MS) {
    this.#read = read;
    this.#stalledMs = stalledMs;
  }

  serve(response: ServerResponse): void {
    // Nothing was sent for so long. That may be for want of samples: files are searched for a selection.
    response.setTimeout(this.#stalledMs, () => {
      if (response.writableNeedDrain) response.destroy();
    });
    // A page that is closed early is no failure.
    pipeline(Readable.from(eventsOf(this.#read)), response).catch(() => response.destroy());
  }

  /** Streams end with their connections. */
  readonly closesMs = 0;

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function* eventsOf(read: () => Promise<FileContent>): AsyncGenerator<string> {
  const writer = new FindingWriter();
  const shown = new PageSamples();
  let encoder = new SegmentEncoder(0);
  let count = 0;
  try {
    const { fleet, samples } = await read();
    if (fleet !== undefined) yield fleetEvent(jsonText(fleet));
    for await (const whole of samples) {
      const sample = shown.next(whole);
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

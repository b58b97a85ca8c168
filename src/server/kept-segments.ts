import { jsonText } from '../model/json-text.ts';
import type { Sample } from '../model/sample.ts';
import { SegmentEncoder } from '../recording/encode.ts';
import { FindingWriter } from '../sinks/finding-writer.ts';
import { PageSamples } from '../sinks/page-samples.ts';
import { findingEvent, recordingEvent } from './stream-events.ts';

/** Samples that can be read without others, as the events of a stream. */
interface Segment {
  readonly number: number;
  readonly encoder: SegmentEncoder;
  readonly writer: FindingWriter;
  /** One for each sample. */
  readonly events: string[];
  bytes: number;
}

/** A place among the samples that are kept: the next one to read. */
export interface Cursor {
  segment: number;
  event: number;
}

const SEGMENT_SAMPLES = 60;

/**
 * The latest samples, written once for all who read them, as many as fit. Whoever reads slowly finds that the oldest
 * are gone, and goes on with those that are there.
 */
export class KeptSegments {
  readonly #mostBytes: number;
  readonly #shown = new PageSamples();
  readonly #segments: Segment[] = [];
  #bytes = 0;
  #next = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(whole: Sample): void {
    const sample = this.#shown.next(whole);
    let segment = this.#segments.at(-1);
    if (segment === undefined || segment.events.length >= SEGMENT_SAMPLES || segment.bytes > this.#mostBytes / 8) {
      segment = {
        number: this.#next,
        encoder: new SegmentEncoder(this.#next),
        writer: new FindingWriter(),
        events: [],
        bytes: 0,
      };
      this.#next++;
      this.#segments.push(segment);
    }
    const findings = segment.writer.linesFor(sample).map((line) => findingEvent(jsonText(line)));
    const event = `${findings.join('')}${recordingEvent(segment.encoder.encode(sample))}`;
    segment.events.push(event);
    segment.bytes += event.length;
    this.#bytes += event.length;
    while (this.#bytes > this.#mostBytes && this.#segments.length > 1)
      this.#bytes -= this.#segments.shift()?.bytes ?? 0;
  }

  /** A place before all that is kept. */
  begin(): Cursor {
    return { segment: this.#segments[0]?.number ?? this.#next, event: 0 };
  }

  /** The event at a place, which moves on; undefined if there is none yet. */
  read(cursor: Cursor): string | undefined {
    const first = this.#segments[0];
    if (first === undefined) return undefined;
    if (cursor.segment < first.number) Object.assign(cursor, this.begin());
    for (;;) {
      const segment = this.#segments[cursor.segment - first.number];
      const event = segment?.events[cursor.event];
      if (event !== undefined) {
        cursor.event++;
        return event;
      }
      if (segment === undefined || segment === this.#segments.at(-1)) return undefined;
      cursor.segment++;
      cursor.event = 0;
    }
  }
}

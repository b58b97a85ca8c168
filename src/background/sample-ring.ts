import { type Event, withoutExcess } from '../model/event.ts';
import type { Sample } from '../model/sample.ts';

/** What a sample takes in memory beside what it shares with the next one: 940 bytes a thread, measured with 8,200. */
const OBSERVATION_BYTES = 1000;
const SAMPLE_BYTES = 4096;
/** As many as a sample carries. */
const MOST_EVENTS = 200;

/** The latest samples, as many as fit. What happened meanwhile stays with the next sample that is kept or taken out. */
export class SampleRing {
  readonly #mostBytes: number;
  #samples: { readonly sample: Sample; readonly bytes: number }[] = [];
  #bytes = 0;
  /** Of samples that are gone. */
  #events: readonly Event[] = [];

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get length(): number {
    return this.#samples.length;
  }

  add(sample: Sample): void {
    const bytes = bytesOf(sample);
    this.#samples.push({ sample, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#mostBytes) this.#drop();
  }

  /** The samples, oldest first. The ring is empty then. */
  take(): Sample[] {
    const samples = this.#samples.map(({ sample }) => sample);
    this.#samples = [];
    this.#bytes = 0;
    const [first, ...others] = samples;
    return first === undefined ? [] : [this.withEvents(first), ...others];
  }

  /** Forgets the samples, but for the latest `kept`, and not what happened. */
  clear(kept = 0): void {
    while (this.#samples.length > kept) this.#drop();
  }

  /** The sample with what happened since the one before it that was not forgotten. */
  withEvents(sample: Sample): Sample {
    if (this.#events.length === 0) return sample;
    const events = withoutExcess([...this.#events, ...(sample.events ?? [])], MOST_EVENTS);
    this.#events = [];
    return { ...sample, events };
  }

  #drop(): void {
    const oldest = this.#samples.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    const { events = [] } = oldest.sample;
    if (events.length > 0) this.#events = withoutExcess([...this.#events, ...events], MOST_EVENTS);
  }
}

function bytesOf({ observations, holders, unread, edges = [], resources = [] }: Sample): number {
  const parts = [observations, holders, unread, edges, resources];
  return SAMPLE_BYTES + OBSERVATION_BYTES * parts.reduce((sum, { length }) => sum + length, 0);
}

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecorderState } from '../model/recorder-state.ts';
import type { Sample } from '../model/sample.ts';
import { type Clock, nextDueMs } from '../model/time.ts';
import type { Sampler } from '../sources/live/sampler.ts';
import type { DirectoryRecorder } from './directory-recorder.ts';
import { type Cursor, KeptSegments } from './kept-segments.ts';
import type { PageRecorder, StreamSource } from './source.ts';
import { failedEvent, recorderEvent } from './stream-events.ts';

const MOST_KEPT_BYTES = 64 * 2 ** 20;
/** A page that takes nothing for so long is given up. */
const STALLED_MS = 60_000;
/** After a sampler that failed. */
const AGAIN_MS = 5000;

export interface LiveOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Opens a sampler in a process of its own. */
  open(): Promise<Sampler>;
  /** What is shown of a sample. */
  shown(sample: Sample): Sample;
  /** Called with why there are no samples. */
  tell(text: string): void;
  /** Absent if a page must not record. */
  readonly recorder?: DirectoryRecorder | undefined;
}

/**
 * Samples of this host, which are taken only while a page is open or a recording runs. No page and no disk can hold them
 * up.
 */
export class LiveSource implements StreamSource {
  readonly kind = 'live';
  readonly #options: LiveOptions;
  readonly #kept = new KeptSegments(MOST_KEPT_BYTES);
  readonly #viewers = new Set<Viewer>();
  #stop: AbortController | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    options.recorder?.follow(() => {
      for (const viewer of this.#viewers) viewer.send();
      this.#runIfWanted();
    });
  }

  get recorder(): PageRecorder | undefined {
    return this.#options.recorder;
  }

  get closesMs(): number {
    const { recorder } = this.#options;
    return recorder?.state.sinceMs === undefined ? 0 : recorder.endsMs;
  }

  serve(response: ServerResponse): void {
    const viewer = new Viewer(response, this.#kept, this.#options.recorder);
    this.#viewers.add(viewer);
    response.once('close', () => {
      viewer.close();
      this.#viewers.delete(viewer);
      this.#runIfWanted();
    });
    viewer.send();
    this.#runIfWanted();
  }

  async close(): Promise<void> {
    await this.#options.recorder?.stop();
    this.#stop?.abort();
    this.#stop = undefined;
  }

  #runIfWanted(): void {
    const isWanted = this.#viewers.size > 0 || this.#options.recorder?.state.sinceMs !== undefined;
    if (isWanted === (this.#stop !== undefined)) return;
    this.#stop?.abort();
    this.#stop = isWanted ? new AbortController() : undefined;
    if (this.#stop !== undefined) void this.#run(this.#stop.signal);
  }

  /** Samples until nobody looks. A sampler that fails is opened again. */
  async #run(stop: AbortSignal): Promise<void> {
    const { open, tell } = this.#options;
    while (!stop.aborted) {
      let sampler: Sampler | undefined;
      try {
        sampler = await open();
        const opened = sampler;
        // What is being taken ends with its process.
        stop.addEventListener('abort', () => opened.close(), { once: true });
        await this.#sample(sampler, stop);
      } catch (error) {
        if (stop.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        tell(why);
        for (const viewer of this.#viewers) viewer.fail(why);
      } finally {
        sampler?.close();
      }
      await pause(AGAIN_MS, stop);
    }
  }

  async #sample(sampler: Sampler, stop: AbortSignal): Promise<void> {
    const { intervalMs, clock, shown, recorder } = this.#options;
    for (let dueMs = clock.monotonicMs(); !stop.aborted; ) {
      const taken = await sampler.next();
      if (stop.aborted) return;
      const sample = shown(taken);
      this.#kept.add(sample);
      recorder?.take(sample);
      for (const viewer of this.#viewers) viewer.send();
      const nowMs = clock.monotonicMs();
      dueMs = nextDueMs(dueMs, nowMs, intervalMs);
      await pause(dueMs - nowMs, stop);
    }
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A page that is open. It is sent one event after the other, each when the one before is on its way. */
class Viewer {
  readonly #response: ServerResponse;
  readonly #kept: KeptSegments;
  readonly #cursor: Cursor;
  readonly #recorder: DirectoryRecorder | undefined;
  #told: RecorderState | undefined;
  #stalled: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, kept: KeptSegments, recorder: DirectoryRecorder | undefined) {
    this.#response = response;
    this.#kept = kept;
    this.#recorder = recorder;
    this.#cursor = kept.begin();
  }

  send(): void {
    while (this.#stalled === undefined) {
      const event = this.#recorderEvent() ?? this.#kept.read(this.#cursor);
      if (event === undefined) return;
      if (this.#response.write(event)) continue;
      this.#stalled = setTimeout(() => this.#response.destroy(), STALLED_MS);
      this.#response.once('drain', () => {
        this.close();
        this.send();
      });
    }
  }

  /** If it changed since it was told last. */
  #recorderEvent(): string | undefined {
    const state = this.#recorder?.state;
    if (state === undefined || state === this.#told) return undefined;
    this.#told = state;
    return recorderEvent(state);
  }

  fail(why: string): void {
    if (!this.#response.writableNeedDrain) this.#response.write(failedEvent(why));
  }

  close(): void {
    clearTimeout(this.#stalled);
    this.#stalled = undefined;
  }
}

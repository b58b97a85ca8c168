import { type RecorderOptions, runRecorder } from '../background/recorder.ts';
import type { LogBounds } from '../background/rotating-log.ts';
import type { RecorderState } from '../model/recorder-state.ts';
import type { Sample } from '../model/sample.ts';
import { EVERYTHING } from '../model/selection.ts';
import type { Clock } from '../model/time.ts';
import type { PageRecorder } from './source.ts';

export interface DirectoryRecorderOptions extends Pick<RecorderOptions, 'root' | 'source' | 'intervalMs'> {
  readonly directory: string;
  readonly bounds: LogBounds;
  readonly clock: Clock;
  tell(text: string): void;
  /** What a page is told of what is wrong. */
  shown(text: string): string;
}

/** Samples that wait for the recorder. It has a queue of its own for a disk that hangs. */
const MOST_WAITING = 8;
/** As long as a run that ends goes on to write. */
const ENDS_MS = 12_000;

/**
 * Records the samples that pages see into a directory, as `kstack record -d` does: within bounds, locked, and without
 * waiting for the disk.
 */
export class DirectoryRecorder implements PageRecorder {
  readonly #options: DirectoryRecorderOptions;
  readonly endsMs = ENDS_MS;
  #state: RecorderState = { samples: 0 };
  #changed: () => void = () => undefined;
  #run: { readonly stop: AbortController; readonly feed: Feed; readonly end: Promise<void> } | undefined;

  constructor(options: DirectoryRecorderOptions) {
    this.#options = options;
  }

  /** @param changed called when the state has changed */
  follow(changed: () => void): void {
    this.#changed = changed;
  }

  /** A new object for each change. */
  get state(): RecorderState {
    return this.#state;
  }

  start(): void {
    if (this.#run !== undefined) return;
    const [stop, feed] = [new AbortController(), new Feed()];
    this.#set({ sinceMs: this.#options.clock.nowMs(), samples: 0 });
    this.#run = { stop, feed, end: this.#record(stop.signal, feed) };
  }

  async stop(): Promise<void> {
    if (this.#run === undefined) return;
    const { stop, feed, end } = this.#run;
    stop.abort();
    feed.close();
    await end;
  }

  /** A sample that pages see. */
  take(sample: Sample): void {
    this.#run?.feed.put(sample);
  }

  async #record(stop: AbortSignal, feed: Feed): Promise<void> {
    const { directory, bounds, root, source, intervalMs, clock, tell, shown } = this.#options;
    let trouble: string | undefined;
    const complain = (text: string) => {
      trouble = shown(text);
      tell(text);
    };
    try {
      await runRecorder(
        {
          // The samples come as they were selected.
          selection: EVERYTHING,
          root,
          source,
          target: { directory, bounds },
          intervalMs,
          durationMs: undefined,
          triggering: undefined,
        },
        {
          clock,
          stop,
          open: () => Promise.resolve(feed),
          tell: (level, text) => {
            if (level === 'ERROR') complain(text);
          },
          progress: ({ samples }) => {
            const { sinceMs } = this.#state;
            this.#set({
              samples,
              ...(sinceMs !== undefined && { sinceMs }),
              ...(trouble !== undefined && { trouble }),
            });
          },
        },
      );
    } catch (error) {
      complain(`cannot record: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#run = undefined;
      const { samples } = this.#state;
      this.#set({ samples, ...(trouble !== undefined && { trouble }) });
    }
  }

  #set(state: RecorderState): void {
    this.#state = state;
    this.#changed();
  }
}

/** Hands samples from the source to the recorder. When it is not taken, the oldest goes. */
class Feed {
  readonly #waiting: Sample[] = [];
  #taker: { resolve(sample: Sample): void; reject(error: Error): void } | undefined;

  put(sample: Sample): void {
    const taker = this.#taker;
    this.#taker = undefined;
    if (taker === undefined) this.#waiting.push(sample);
    else taker.resolve(sample);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
  }

  next(): Promise<Sample> {
    const sample = this.#waiting.shift();
    if (sample !== undefined) return Promise.resolve(sample);
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject };
    });
  }

  /** Ends the wait for a sample. */
  close(): void {
    this.#taker?.reject(new Error('the recording ends'));
    this.#taker = undefined;
  }
}

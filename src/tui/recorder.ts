import type { Sample } from '../model/sample.ts';

/** A recording that samples are added to. Errors say what cannot be recorded to, and why. */
export interface OpenRecording {
  readonly name: string;
  readonly samples: number;
  add(sample: Sample): Promise<void>;
  end(): Promise<void>;
}

/** Begins and ends recordings at a key. What goes wrong is told, and ends the recording only. */
export class Recorder {
  readonly #open: () => Promise<OpenRecording>;
  readonly #say: (text: string) => void;
  #recording: OpenRecording | undefined;
  #isOpening = false;

  constructor(open: () => Promise<OpenRecording>, say: (text: string) => void) {
    this.#open = open;
    this.#say = say;
  }

  /** How many samples are recorded; undefined if there is no recording. */
  get samples(): number | undefined {
    return this.#recording?.samples;
  }

  /** @param latest what a new recording begins with, if anything was seen yet */
  async toggle(latest: Sample | undefined): Promise<void> {
    if (this.#recording !== undefined) return this.stop();
    if (this.#isOpening) return;
    this.#isOpening = true;
    await this.#try(async () => {
      const recording = await this.#open();
      if (latest !== undefined) await recording.add(latest);
      this.#recording = recording;
      this.#say(`recording to ${this.#recording.name}; r stops`);
    });
    this.#isOpening = false;
  }

  async add(sample: Sample): Promise<void> {
    const recording = this.#recording;
    if (recording === undefined) return;
    const isAdded = await this.#try(() => recording.add(sample));
    if (!isAdded && this.#recording === recording) this.#recording = undefined;
  }

  async stop(): Promise<void> {
    const recording = this.#recording;
    this.#recording = undefined;
    if (recording === undefined) return;
    await this.#try(async () => {
      await recording.end();
      this.#say(`${recording.name}: ${recording.samples} samples`);
    });
  }

  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

import { isFull } from '../native/write.ts';
import { writeAtOnce } from '../native/write-at-once.ts';
import { neverWaitFor, OutputError } from './output.ts';

const STDOUT = 1;
const STDERR = 2;
/** How often output that is full is tried again. */
const FULL_MS = 20;

/** See neverWaitFor. */
export function neverWaitForStderr(): void {
  neverWaitFor(writeAtOnce(STDERR));
}

/**
 * Standard output of a command that ends on a signal by itself. While it takes nothing, as a pipe that nobody reads,
 * signals are handled all the same.
 */
export class SignalledOutput {
  readonly #write = writeAtOnce(STDOUT);
  readonly #stop: AbortSignal;

  constructor(stop: AbortSignal) {
    this.#stop = stop;
  }

  /**
   * Returns when all is written, or on the signal.
   * @throws OutputError
   */
  async write(piece: string | Uint8Array): Promise<void> {
    let rest: Uint8Array = Buffer.from(piece);
    while (rest.length > 0 && !this.#stop.aborted) {
      try {
        rest = rest.subarray(this.#write(rest));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (!isFull(error)) throw new OutputError(error);
        await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      }
    }
  }
}

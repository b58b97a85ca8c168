import type { Reading } from '../../../model/reading.ts';
import type { Stack, StackTable } from '../../../model/stack.ts';
import { decodeBytes } from '../../../native/decode.ts';

/** The stacks of one sample. Thousands of tasks share a few, and a lookup costs less than decoding. */
export class StackReadings {
  readonly #stacks: StackTable;
  readonly #byText = new Map<string, Reading<Stack>>();
  readonly #byBytes = new Map<string, Reading<Stack>>();

  constructor(stacks: StackTable) {
    this.#stacks = stacks;
  }

  ofText(text: string): Reading<Stack> {
    let reading = this.#byText.get(text);
    if (reading === undefined) {
      reading = { value: this.#stacks.intern(text) };
      this.#byText.set(text, reading);
    }
    return reading;
  }

  /** `bytes` is the content of /proc/PID/stack. */
  ofBytes(bytes: Buffer): Reading<Stack> {
    const key = bytes.toString('latin1');
    let reading = this.#byBytes.get(key);
    if (reading === undefined) {
      reading = { value: this.#stacks.intern(decodeBytes(bytes).trim()) };
      this.#byBytes.set(key, reading);
    }
    return reading;
  }
}

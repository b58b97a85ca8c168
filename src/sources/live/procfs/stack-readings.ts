import type { Reading } from '../../../model/reading.ts';
import type { Stack, StackTable } from '../../../model/stack.ts';
import { decodeBytes } from '../../../native/decode.ts';

/** The stacks of one sample: of thousands of tasks most share a few, and looking one up costs less than decoding it. */
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

  /** Of what /proc/PID/stack printed. */
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

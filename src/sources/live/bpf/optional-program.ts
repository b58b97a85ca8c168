import type { BpfObject } from '../../../native/bpf-loader.ts';
import { IteratorProgram } from './iterator-program.ts';

/** A program that takes no requests and writes records of one size. */
export interface RecordFormat<T> {
  readonly object: BpfObject;
  /** The name of the program in the object. */
  readonly program: string;
  /** What is not known without it, for `-v`. */
  readonly what: string;
  readonly recordBytes: number;
  at(bytes: Buffer, offset: number): T;
}

/** A program that is loaded when somebody first asks, and stays until this is closed. It fails alone. */
export class OptionalProgram<T> {
  readonly #format: RecordFormat<T>;
  #program: IteratorProgram | 'unavailable' | undefined;

  /** @param usesBpf whether it may be tried */
  constructor(format: RecordFormat<T>, usesBpf: boolean) {
    this.#format = format;
    if (!usesBpf) this.#program = 'unavailable';
  }

  /** What two passes over all tasks found; undefined if there is no such program here, which is told once. */
  readTwice(tell: (text: string) => void): readonly [first: readonly T[], second: readonly T[]] | undefined {
    if (this.#program === 'unavailable') return undefined;
    const { object, program, what } = this.#format;
    try {
      this.#program ??= new IteratorProgram(object, program);
      return [this.#read(this.#program), this.#read(this.#program)];
    } catch (error) {
      this.close();
      this.#program = 'unavailable';
      tell(`bpf: ${what} is not known: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  close(): void {
    if (typeof this.#program === 'object') this.#program.close();
    this.#program = 'unavailable';
  }

  #read(program: IteratorProgram): T[] {
    const { recordBytes, at } = this.#format;
    const records: T[] = [];
    for (const bytes of program.read())
      for (let offset = 0; offset + recordBytes <= bytes.length; offset += recordBytes) records.push(at(bytes, offset));
    return records;
  }
}

import { decodeBytes } from '../../../native/decode.ts';
import { readSmall } from './files.ts';

/** The names of processes in one sample of threads. */
export class ProcessNames {
  readonly #root: string;
  readonly #names = new Map<number, string | undefined>();

  constructor(root: string) {
    this.#root = root;
  }

  /** That of the main thread: `main` where it is in the sample, else its comm, which takes no lock. */
  of(pid: number, main: string | undefined): string | undefined {
    if (main !== undefined || this.#names.has(pid)) return main ?? this.#names.get(pid);
    const read = readSmall(`${this.#root}/${pid}/comm`);
    const name = 'value' in read ? decodeBytes(read.value).replace(/\n$/, '') : undefined;
    this.#names.set(pid, name);
    return name;
  }
}

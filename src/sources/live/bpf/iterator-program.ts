import { closeSync } from 'node:fs';
import {
  attachIterator,
  descriptorOf,
  type LoadedBpf,
  readIterator,
  tryIterator,
  unloadBpf,
} from '../../../native/bpf.ts';
import { type BpfObject, loadObject } from '../../../native/bpf-loader.ts';

/** A loaded BPF object whose program is an iterator. */
export class IteratorProgram {
  readonly #loaded: LoadedBpf;
  readonly #iterator: number;

  /** @throws Error naming why the kernel refuses the program */
  constructor(object: BpfObject, program: string) {
    this.#loaded = loadObject(object);
    try {
      this.#iterator = attachIterator(descriptorOf(this.#loaded.programs, program));
    } catch (error) {
      unloadBpf(this.#loaded);
      throw error;
    }
  }

  /** @throws BpfError where the kernel does not let the iterator begin, though it let it be attached */
  tryOut(): void {
    tryIterator(this.#iterator);
  }

  /** The file descriptor of one of its maps. */
  map(name: string): number {
    return descriptorOf(this.#loaded.maps, name);
  }

  /** One pass, as {@link readIterator}. @throws BpfError */
  read(): Generator<Buffer, void> {
    return readIterator(this.#iterator);
  }

  close(): void {
    closeSync(this.#iterator);
    unloadBpf(this.#loaded);
  }
}

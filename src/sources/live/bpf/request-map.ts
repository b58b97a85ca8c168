import { deleteElement, updateElement } from '../../../native/bpf.ts';

/** A BPF hash map that tells a program what it is asked for, a byte for each key; and a copy of what is in it. */
export class RequestMap<Key> {
  readonly #fd: number;
  readonly #bytesOf: (key: Key) => Buffer;
  readonly #held = new Map<Key, number>();

  constructor(mapFd: number, bytesOf: (key: Key) => Buffer) {
    this.#fd = mapFd;
    this.#bytesOf = bytesOf;
  }

  /**
   * Makes the map hold these and nothing else. One element at a time, so that the copy stays right when an update fails
   * (ENOMEM).
   * @throws BpfError
   */
  set(wanted: ReadonlyMap<Key, number>): void {
    for (const key of [...this.#held.keys()]) {
      if (wanted.has(key)) continue;
      deleteElement(this.#fd, this.#bytesOf(key));
      this.#held.delete(key);
    }
    for (const [key, what] of wanted) {
      if (this.#held.get(key) === what) continue;
      updateElement(this.#fd, this.#bytesOf(key), Buffer.of(what));
      this.#held.set(key, what);
    }
  }
}

/** A key of 4 bytes. */
export function numberKey(number: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(number);
  return key;
}

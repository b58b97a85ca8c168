import { BpfDescriptors } from '../bpf/descriptors.ts';
import { findByLinks } from '../procfs/descriptors.ts';
import type { FoundFiles, SearchContext, SharedFile } from './open-file.ts';

/**
 * Finds who has pipes and sockets open: by a BPF program, which takes some 0.2 microseconds per descriptor of the host,
 * else by the links in /proc. The program is loaded when somebody first asks, and stays until this is closed.
 */
export class OpenFiles {
  #bpf: BpfDescriptors | 'unavailable' | undefined;

  /** @param usesBpf whether the BPF program may be tried */
  constructor(usesBpf: boolean) {
    if (!usesBpf) this.#bpf = 'unavailable';
  }

  /** All descriptors of these files. */
  async find(wanted: readonly SharedFile[], context: SearchContext): Promise<FoundFiles> {
    const known = wanted.filter(({ target, fifo }) => !target.startsWith('/') || fifo !== undefined);
    const byBpf = known.length === 0 ? undefined : this.#findByBpf(known, context);
    if (byBpf === undefined) return findByLinks(wanted, context);
    const rest = wanted.filter((file) => !known.includes(file));
    if (rest.length === 0) return byBpf;
    const byLinks = await findByLinks(rest, context);
    return { ...byBpf, files: new Map([...byBpf.files, ...byLinks.files]), missing: byBpf.missing ?? byLinks.missing };
  }

  close(): void {
    if (typeof this.#bpf === 'object') this.#bpf.close();
  }

  #findByBpf(wanted: readonly SharedFile[], { tell, clock, untilMs }: SearchContext): FoundFiles | undefined {
    if (this.#bpf === 'unavailable') return undefined;
    try {
      this.#bpf ??= new BpfDescriptors();
      return this.#bpf.find(wanted, () => clock.monotonicMs() < untilMs);
    } catch (error) {
      if (typeof this.#bpf === 'object') this.#bpf.close();
      this.#bpf = 'unavailable';
      const reason = error instanceof Error ? error.message : String(error);
      tell(`bpf: who has a pipe or socket open: ${reason}; reading the links in /proc/PID/fd instead`);
      return undefined;
    }
  }
}

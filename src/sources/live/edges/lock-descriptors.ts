import { RemoteFiles } from '../../../native/reader/remote-files.ts';
import { listPids } from '../procfs/files.ts';
import type { EdgeContext } from './edge-source.ts';
import { type FileLock, parseLocksOfDescriptor } from './file-lock-table.ts';
import { inSlices } from './thread-numbers.ts';

/** Locks come before what makes an fdinfo long. */
const FDINFO_BYTES = 4096;
const MOST_DESCRIPTORS = 4000;
/** For looking at all processes of the host. */
const DEADLINE_MS = 500;
const PROCESSES_AT_ONCE = 64;

/** A descriptor that has a lock. */
export interface LockDescriptor {
  readonly pid: number;
  /** `/proc/PID/fdinfo/FD` */
  readonly place: string;
}

/** Finds the processes that have the locks of file descriptions: these may have been inherited, or sent elsewhere. */
export class LockDescriptors {
  readonly #context: EdgeContext;
  readonly #files: RemoteFiles;

  constructor(context: EdgeContext) {
    this.#context = context;
    this.#files = new RemoteFiles(context.reader, DEADLINE_MS, (path) => new Error(`${path} does not answer`));
  }

  /**
   * Who has each of these locks. Looks at the process that took it first, and at all others only if that one does not
   * have it (any more): `near` are those that are likeliest.
   */
  async find(wanted: readonly FileLock[], near: readonly number[]): Promise<ReadonlyMap<FileLock, LockDescriptor[]>> {
    const found = new Map<FileLock, LockDescriptor[]>();
    await this.#findIn([...new Set(wanted.flatMap(({ pid }) => (pid > 0 ? pid : [])))], wanted, found, Infinity);
    const rest = wanted.filter((lock) => !found.has(lock));
    if (rest.length === 0) return found;
    const { clock, root, untilMs, tell } = this.#context;
    const untilOfAllMs = Math.min(untilMs, clock.monotonicMs() + DEADLINE_MS);
    // Those who share a descriptor often are children or siblings.
    const [next = 0] = near;
    const others = listPids(root).sort((a, b) => Math.abs(a - next) - Math.abs(b - next));
    const pids = [...new Set([...near, ...others])];
    const looked = await this.#findIn(pids, rest, found, untilOfAllMs);
    if (looked < pids.length)
      tell(`who holds file locks: the descriptors of ${looked} of ${pids.length} processes were looked at`);
    return found;
  }

  async #findIn(
    pids: readonly number[],
    wanted: readonly FileLock[],
    found: Map<FileLock, LockDescriptor[]>,
    untilMs: number,
  ): Promise<number> {
    let looked = 0;
    for (; looked < pids.length && this.#context.clock.monotonicMs() < untilMs; looked += PROCESSES_AT_ONCE)
      await Promise.all(
        pids.slice(looked, looked + PROCESSES_AT_ONCE).map(async (pid) => {
          for (const [lock, place] of await this.#locksOf(pid, wanted))
            found.set(lock, [...(found.get(lock) ?? []), { pid, place }]);
        }),
      );
    return looked;
  }

  /** Those of the wanted locks that a process has, each once, and the descriptor that has it. */
  async #locksOf(pid: number, wanted: readonly FileLock[]): Promise<ReadonlyMap<FileLock, string>> {
    const folder = `${this.#context.root}/${pid}/fdinfo`;
    const has = new Map<FileLock, string>();
    const descriptors = await this.#list(folder);
    if (descriptors.length > MOST_DESCRIPTORS)
      this.#context.tell(`who holds file locks: only ${MOST_DESCRIPTORS} descriptors of process ${pid} were looked at`);
    await inSlices(descriptors.slice(0, MOST_DESCRIPTORS), async (name) => {
      const read = await this.#context.files.bytes(`${folder}/${name}`, 0n, FDINFO_BYTES);
      if (!('value' in read)) return;
      for (const { text } of parseLocksOfDescriptor(read.value.toString('latin1')))
        for (const lock of wanted) if (lock.text === text) has.set(lock, `${folder}/${name}`);
    });
    return has;
  }

  /** Empty for a process that is gone or hidden. */
  async #list(folder: string): Promise<string[]> {
    try {
      const fd = await this.#files.open(undefined, folder, 0);
      try {
        return await this.#files.list(fd);
      } finally {
        await this.#files.close(fd);
      }
    } catch {
      return [];
    }
  }
}

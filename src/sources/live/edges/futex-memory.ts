import type { TaskDetails } from '../procfs/task-details.ts';
import {
  BYTES_AFTER,
  BYTES_BEFORE,
  type Claim,
  claimOf,
  type Memory,
  threadBytes,
  tidOfThread,
} from './futex-owner.ts';
import { type FutexArray, type FutexWait, parseFutexArray, sizeOf } from './futex-wait.ts';
import type { FutexWaiter, FutexWord } from './futex-words.ts';

/** Reads what stands around futexes. */
export class FutexMemory {
  readonly #details: Pick<TaskDetails, 'memory'>;

  constructor(details: Pick<TaskDetails, 'memory'>) {
    this.#details = details;
  }

  /** Who a futex says holds it, or is the thread to end. Undefined if nobody, or if the memory is not present. */
  async claimOf({ wait, waiters: [waiter] }: FutexWord): Promise<Claim | undefined> {
    if (waiter === undefined) return undefined;
    const claim = claimOf(wait, await this.#around(waiter, wait.address), process.arch);
    if (claim?.thread === undefined) return claim;
    const { thread } = claim;
    const bytes = await this.#read(waiter, thread, threadBytes(process.arch));
    const tid = tidOfThread(thread, memoryOf([{ address: thread, bytes }]), process.arch);
    return tid === undefined || (claim.tid !== undefined && claim.tid !== tid) ? undefined : { ...claim, tid };
  }

  /** The futexes of futex_waitv(2). */
  async arrayOf(waiter: FutexWaiter, array: FutexArray): Promise<readonly FutexWait[]> {
    return parseFutexArray(await this.#read(waiter, array.address, sizeOf(array)), array) ?? [];
  }

  async #around(waiter: FutexWaiter, address: bigint): Promise<Memory> {
    const from = address > BYTES_BEFORE ? address - BigInt(BYTES_BEFORE) : 0n;
    const all = await this.#read(waiter, from, BYTES_BEFORE + BYTES_AFTER);
    // The page before may not be there.
    const isEnough = all.length > BYTES_BEFORE;
    const after = isEnough ? [] : [{ address, bytes: await this.#read(waiter, address, BYTES_AFTER) }];
    return memoryOf([{ address: from, bytes: all }, ...after]);
  }

  async #read(waiter: FutexWaiter, address: bigint, bytes: number): Promise<Buffer> {
    const read = await this.#details.memory(waiter, address, bytes);
    return read === undefined ? Buffer.alloc(0) : Buffer.from(read.buffer, read.byteOffset, read.byteLength);
  }
}

function memoryOf(pieces: readonly { readonly address: bigint; readonly bytes: Buffer }[]): Memory {
  const find = (address: bigint, size: number) => {
    for (const { address: from, bytes } of pieces) {
      const at = Number(address - from);
      if (at >= 0 && at + size <= bytes.length) return { bytes, at };
    }
    return undefined;
  };
  return {
    u32(address) {
      const found = find(address, 4);
      return found?.bytes.readUInt32LE(found.at);
    },
    u64(address) {
      const found = find(address, 8);
      return found?.bytes.readBigUInt64LE(found.at);
    },
  };
}

import { closeSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { errnoName, lastErrno } from './errno.ts';
import { O_CLOEXEC } from './files.ts';
import { findLibcFunction, libcFunction } from './libc.ts';
import { allocate, makeCollectorThreads } from './memory.ts';

/**
 * struct aiocb on 64-bit systems, byte offsets, the same in glibc and musl (aio.h).
 * The rest is the library's own and stays zero.
 */
export const AIOCB = { fd: 0, opcode: 4, buffer: 16, length: 24, notify: 44, offset: 128, size: 168 } as const;

const LIO_READ = 0;
const LIO_NOWAIT = 1;
const SIGEV_NONE = 1;
const AIO_CANCELED = 0;
const F_DUPFD_CLOEXEC = 1030;

/** One read under way or about to be: its control block and its buffer, both outside of the JavaScript heap. */
export interface Slot {
  readonly address: bigint;
  readonly buffer: Buffer;
  readonly index: number;
}

export interface AsyncReadsOptions {
  /** Reads at most under way or begun at a time. */
  readonly slots: number;
  /** Bytes that one read takes at most. */
  readonly slotBytes: number;
  /** Threads that read. Few: they hold each other up on the C library's lock. */
  readonly workers: number;
  /** Threads that can be called up when workers hang. */
  readonly reserve: number;
}

/**
 * Reads files on threads of the C library (POSIX aio(7)), so that a read the kernel never finishes costs one small thread and nothing else:
 * not the caller, who stops waiting, and not the process's end, since no C library waits for these threads. (Node.js waits at exit for
 * its own: worker threads, and the pool behind fs.)
 */
export class AsyncReads {
  readonly #free: Slot[] = [];
  readonly #int32: Int32Array;
  readonly #int64: BigInt64Array;
  readonly #list: BigUint64Array;
  readonly #listAddress: bigint;
  readonly #timeout: BigInt64Array;
  readonly #timeoutAddress: bigint;
  readonly #listio = libcFunction('int lio_listio(int mode, void *list, int count, void *event)');
  readonly #error = libcFunction('int aio_error(void *block)');
  readonly #return = libcFunction('long aio_return(void *block)');
  readonly #suspend = libcFunction('int aio_suspend(void *list, int count, void *timeout)');
  readonly #cancel = libcFunction('int aio_cancel(int fd, void *block)');
  readonly #workers: number;
  /** How many threads are to be made; 0 when they have been. */
  #unmade = 0;
  #parked = 0;
  #gate = -1;

  constructor({ slots, slotBytes, workers, reserve }: AsyncReadsOptions) {
    const all = slots + workers + reserve;
    this.#workers = workers;
    const blocks = allocate(all * AIOCB.size);
    const buffers = allocate(all * slotBytes, false);
    const list = allocate(all * 8);
    const timeout = allocate(16);
    this.#int32 = new Int32Array(blocks.bytes);
    this.#int64 = new BigInt64Array(blocks.bytes);
    this.#list = new BigUint64Array(list.bytes);
    this.#listAddress = list.address;
    this.#timeout = new BigInt64Array(timeout.bytes);
    this.#timeoutAddress = timeout.address;
    for (let index = all - 1; index >= 0; index--) {
      const at = index * AIOCB.size;
      this.#int32[(at + AIOCB.opcode) / 4] = LIO_READ;
      this.#int32[(at + AIOCB.notify) / 4] = SIGEV_NONE;
      this.#int64[(at + AIOCB.buffer) / 8] = buffers.address + BigInt(index * slotBytes);
      this.#int64[(at + AIOCB.length) / 8] = BigInt(slotBytes);
      const buffer = Buffer.from(buffers.bytes, index * slotBytes, slotBytes);
      this.#free.push({ address: blocks.address + BigInt(at), buffer, index });
    }
    // struct aioinit (glibc's aio.h) begins with the most threads and the most requests.
    const initialize = findLibcFunction('void aio_init(void *limits)');
    // musl has no such call, nor a limit: it makes a thread for every file.
    if (initialize === undefined) return;
    initialize(Int32Array.of(workers + reserve, all, ...Array(14).fill(0)));
    this.#unmade = workers + reserve;
  }

  /** A slot to read with, undefined when all are in use. */
  take(): Slot | undefined {
    return this.#free.pop();
  }

  /** Gives a slot back. Only for one whose read has ended: the kernel writes into the others. */
  release(slot: Slot): void {
    this.#free.push(slot);
  }

  /** Says what the slot is to read next. */
  prepare(slot: Slot, fd: number, offset: number): void {
    const at = slot.index * AIOCB.size;
    this.#int32[(at + AIOCB.fd) / 4] = fd;
    // In two halves: a number of 64 bits would be an object each time.
    this.#int32[(at + AIOCB.offset) / 4] = offset;
    this.#int32[(at + AIOCB.offset) / 4 + 1] = offset / 2 ** 32;
  }

  /**
   * Starts the reads, all with one call: one by one, each wakes a thread of its own, at twice the cost. False when some could not be started, which is when not one thread
   * can be had for them.
   */
  submit(slots: readonly Slot[]): boolean {
    this.#fillList(slots);
    return this.#listio(LIO_NOWAIT, this.#listAddress, slots.length, null) === 0;
  }

  /** Bytes read, the errno's name, or undefined while the read has not ended. */
  result(slot: Slot): number | string | undefined {
    const error = this.#error(slot.address);
    if (error === constants.errno.EINPROGRESS) return undefined;
    return error === 0 ? Number(this.#return(slot.address)) : errnoName(error);
  }

  /** Waits until one of the reads has ended, at most so long; false when none has. A signal may cut the wait short, with true. */
  wait(slots: readonly Slot[], milliseconds: number): boolean {
    this.#fillList(slots);
    this.#timeout[0] = BigInt(Math.floor(milliseconds / 1000));
    this.#timeout[1] = BigInt(Math.floor((milliseconds % 1000) * 1e6));
    return this.#suspend(this.#listAddress, slots.length, this.#timeoutAddress) === 0 || lastErrno() !== constants.errno.EAGAIN;
  }

  /** True when the read had not begun and now never will; false when a thread is in it. */
  cancel(slot: Slot): boolean {
    const fd = this.#int32[(slot.index * AIOCB.size + AIOCB.fd) / 4] ?? -1;
    return this.#cancel(fd, slot.address) === AIO_CANCELED;
  }

  /**
   * To be called before more than a few reads are begun at once, and before files are opened for them. It takes some milliseconds; until then the C library starts a thread
   * for each read that finds none.
   */
  makeThreads(): void {
    if (this.#unmade === 0) return;
    if (!this.#park(this.#unmade)) return;
    this.#unmade = 0;
    this.callUp(this.#workers);
  }

  /** Makes workers of parked threads, as far as there are any. */
  callUp(threads: number): void {
    const count = Math.min(threads, this.#parked);
    if (count <= 0) return;
    this.#parked -= count;
    writeSync(this.#gate, Buffer.alloc(count));
  }

  /**
   * Makes all threads at once and parks them: they wait at a pipe, a byte of which lets one go. The C library itself would start as many as it may at the first full
   * batch. False where there are not even descriptors for the pipe: another time
   * there may be. Where descriptors or threads are scarce there are fewer, and half of the descriptors are left for what is to be read.
   */
  #park(threads: number): boolean {
    makeCollectorThreads();
    const ends = new Int32Array(2);
    if (libcFunction('int pipe2(int *ends, int flags)')(ends, O_CLOEXEC) !== 0) return false;
    const [readEnd = -1, writeEnd = -1] = ends;
    const duplicate = libcFunction('int fcntl(int fd, int command, int least)');
    // One descriptor each: reads of the same one stand in line for a single thread.
    const descriptors: number[] = [];
    while (descriptors.length < threads) {
      const fd: number = duplicate(readEnd, F_DUPFD_CLOEXEC, 0);
      if (fd >= 0) descriptors.push(fd);
      else {
        for (const spare of descriptors.splice(Math.ceil(descriptors.length / 2))) closeSync(spare);
        break;
      }
    }
    const waiting: { slot: Slot; fd: number }[] = [];
    for (const fd of descriptors) {
      const slot = this.take();
      if (slot === undefined) break;
      this.prepare(slot, fd, 0);
      this.#int64[(slot.index * AIOCB.size + AIOCB.length) / 8] = 1n;
      waiting.push({ slot, fd });
    }
    const started = this.submit(waiting.map(({ slot }) => slot));
    this.#gate = writeEnd;
    for (const { slot, fd } of waiting) {
      // A read that can still be taken back got no thread, as there are no more to be had.
      if (started && !this.cancel(slot)) this.#parked++;
      else closeSync(fd);
    }
    return true;
  }

  #fillList(slots: readonly Slot[]): void {
    let i = 0;
    for (const { address } of slots) this.#list[i++] = address;
  }
}

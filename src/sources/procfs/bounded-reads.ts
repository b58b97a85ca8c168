import { closeSync, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Reading, unreadableFrom } from '../../model/reading.ts';
import { AsyncReads, type Slot } from '../../native/aio.ts';
import { errnoOf } from './files.ts';

/** How long nothing at all may come back before the reads under way count as hanging. */
const DEADLINE_MS = 1000;
/** How many reads can be in the kernel at once. More threads hold each other up on the C library's lock. */
const THREADS = 16;
/** Threads that reads known to be at risk may never take, so that the next sample still gets its stacks. */
const RESERVED_THREADS = 4;
const BATCH = 128;
/** Two batches, the reads at risk, and what hangs or lags behind its batch. */
const SLOTS = 2 * BATCH + 3 * THREADS;
const SLOT_BYTES = 16 * 1024;
/** How long a batch waits for its last reads before it leaves them behind, to be asked for again later. */
const PATIENCE_MS = 20;

export interface ReadRequest {
  readonly path: string;
  /** What is read, the same for the same thing in every sample: while an earlier read of it hangs, it is not begun again. */
  readonly key: string;
  /** Bytes to take at most; what is longer is delivered cut. */
  readonly limitBytes: number;
  /** Called once, with bytes that are valid only during the call. */
  deliver(result: Reading<Buffer>): void;
}

interface Pending {
  readonly request: ReadRequest;
  readonly slot: Slot;
  readonly fd: number;
  /** What was read before this slot's read, of a file longer than a slot. */
  readonly parts: Buffer[];
  length: number;
}

/**
 * Reads small files of which any read may hang for good, in batches, on threads of their own. Nothing here ever waits longer than DEADLINE_MS
 * for the first sign of life of all reads under way; what did not come back by then is delivered as `timeout`, and its thread is left behind.
 * With all threads left behind, the rest is delivered as `skipped`.
 *
 * One object serves the whole process, as the C library has one set of threads for it.
 */
export class BoundedReads {
  readonly #aio = new AsyncReads(THREADS, SLOTS, SLOT_BYTES);
  #filling: Pending[] = [];
  #flying: Pending[] = [];
  /** Begun, and left behind by their batch. */
  #lagging: Pending[] = [];
  /** Delivered as timeout, their thread still in the kernel. */
  #hanging: Pending[] = [];
  #atRisk: ReadRequest[] = [];
  #lastReturnMs = 0;
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Reads that were given up and still occupy a thread. */
  get hanging(): number {
    if (this.#hanging.length === 0) return 0;
    this.#hanging = this.#hanging.filter((pending) => !this.#recover(pending));
    return this.#hanging.length;
  }

  /** Asks for a file. `atRisk` puts it behind all others, a few at a time. */
  add(request: ReadRequest, atRisk = false): void {
    if (atRisk) {
      this.#atRisk.push(request);
      return;
    }
    this.#begin(request);
    if (this.#filling.length >= BATCH) this.#turn();
  }

  /** Resolves when everything asked for has been delivered. */
  async finish(): Promise<void> {
    this.#turn();
    this.#turn();
    for (;;) {
      this.#beginAtRisk();
      if (this.#lagging.length === 0) return;
      this.#settleLagging();
      await nextTurn();
    }
  }

  #beginAtRisk(): void {
    while (this.#atRisk.length > 0) {
      const room = THREADS - RESERVED_THREADS - this.hanging - this.#lagging.length;
      if (room > 0) {
        for (const request of this.#atRisk.splice(0, room)) this.#begin(request);
        this.#turn();
        this.#turn();
      } else if (this.#lagging.length > 0) return;
      else for (const request of this.#atRisk.splice(0)) request.deliver({ unread: 'skipped' });
    }
  }

  #begin(request: ReadRequest): void {
    if (this.hanging > 0) {
      const again = this.#hanging.some((pending) => pending.request.key === request.key);
      if (again || this.#hanging.length >= THREADS) {
        request.deliver({ unread: again ? 'timeout' : 'skipped' });
        return;
      }
    }
    let fd: number;
    try {
      fd = openSync(request.path, 'r');
    } catch (error) {
      request.deliver({ unread: unreadableFrom(errnoOf(error)) });
      return;
    }
    const slot = this.#takeSlot();
    this.#aio.prepare(slot, fd, 0);
    this.#filling.push({ request, slot, fd, parts: [], length: 0 });
  }

  /** Starts the batch being filled, then collects the one before, which had all the time of the filling. */
  #turn(): void {
    const ready = this.#flying;
    this.#flying = this.#filling;
    this.#filling = [];
    if (this.#flying.length > 0) {
      this.#aio.submit(this.#flying.map((pending) => pending.slot));
      this.#lastReturnMs = this.#monotonicMs();
    }
    const last = ready.at(-1);
    if (last !== undefined) this.#aio.wait([last.slot], PATIENCE_MS);
    let patience = PATIENCE_MS;
    for (const pending of ready) {
      if (this.#settle(pending)) continue;
      if (patience > 0) this.#aio.wait([pending.slot], patience);
      if (this.#settle(pending)) continue;
      patience = 0;
      this.#lagging.push(pending);
    }
  }

  #takeSlot(): Slot {
    for (;;) {
      const slot = this.#aio.take();
      if (slot !== undefined) return slot;
      if (this.#lagging.length === 0) this.#turn();
      else this.#settleLagging();
    }
  }

  /** Collects what has come back of the reads left behind; gives all of them up when nothing has for too long. */
  #settleLagging(): void {
    this.#aio.wait(
      this.#lagging.map((pending) => pending.slot),
      PATIENCE_MS,
    );
    this.#lagging = this.#lagging.filter((pending) => !this.#settle(pending));
    if (this.#monotonicMs() - this.#lastReturnMs < DEADLINE_MS) return;
    for (const pending of this.#lagging) this.#giveUp(pending);
    this.#lagging = [];
  }

  #giveUp(pending: Pending): void {
    if (this.#aio.cancel(pending.slot)) {
      this.#close(pending);
      pending.request.deliver({ unread: 'skipped' });
    } else if (!this.#settle(pending)) {
      this.#hanging.push(pending);
      pending.request.deliver({ unread: 'timeout' });
    }
  }

  /** Delivers a read that has ended; false while it has not. */
  #settle(pending: Pending): boolean {
    const result = this.#aio.result(pending.slot);
    if (result === undefined) return false;
    this.#lastReturnMs = this.#monotonicMs();
    const { request, slot, parts } = pending;
    if (typeof result === 'string') {
      this.#close(pending);
      request.deliver({ unread: unreadableFrom(result) });
      return true;
    }
    const bytes = slot.buffer.subarray(0, result);
    pending.length += result;
    if (result === SLOT_BYTES && pending.length <= request.limitBytes) {
      parts.push(Buffer.from(bytes));
      this.#aio.prepare(slot, pending.fd, pending.length);
      this.#aio.submit([slot]);
      return false;
    }
    const whole = parts.length === 0 ? bytes : Buffer.concat([...parts, bytes]);
    if (whole.length <= request.limitBytes) request.deliver({ value: whole });
    else request.deliver({ value: whole.subarray(0, request.limitBytes), cut: true });
    this.#close(pending);
    return true;
  }

  /** True when a read that was given up has ended after all: its thread is free again. */
  #recover(pending: Pending): boolean {
    if (this.#aio.result(pending.slot) === undefined) return false;
    this.#close(pending);
    return true;
  }

  #close(pending: Pending): void {
    closeSync(pending.fd);
    this.#aio.release(pending.slot);
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Unreadable, unreadableFrom } from '../../model/reading.ts';
import { AsyncReads, type Slot } from '../../native/aio.ts';
import { createDirectFiles } from '../../native/files.ts';
import type { ReadKind } from './read-kind.ts';

/** How long nothing at all may come back before the reads under way count as hanging. */
const DEADLINE_MS = 1000;
/** How long nothing may come back before only reads that hang seem to be left. */
const LULL_MS = 200;
/** How long a batch waits for its last reads before it leaves them behind, to be asked for again later. */
const PATIENCE_MS = 20;

/** Measured, with the size of a batch: with the main thread it keeps two CPUs busy, and more would hold each other up on the C library's lock. */
const WORKERS = 1;
/** How many reads may hang before those that are left are not even tried. */
const RESERVE = 46;
/** Of them, what reads known to be at risk may never take, so that the next sample still gets its stacks. */
const KEPT_BACK = 8;
/** How many reads at risk are tried first, to see whether the host is sick, and then at once. */
const PROBE = 3;
const AT_RISK_AT_ONCE = 16;

const BATCH = 64;
/** So many reads at once are none that threads must be made for. */
const FEW = 16;
/** Two batches, and what hangs or lags behind its batch. */
const SLOTS = 2 * BATCH + 2 * (WORKERS + RESERVE);
const SLOT_BYTES = 16 * 1024;

interface Request<Context> {
  readonly kind: ReadKind<Context>;
  readonly context: Context;
  /** Descriptor of the directory below which the file is. */
  readonly directory: number;
  readonly path: string;
}

interface Pending<Context> extends Request<Context> {
  readonly slot: Slot;
  readonly fd: number;
  /** What was read before this slot's read, of a file longer than a slot. */
  parts: Buffer[] | undefined;
  length: number;
  /** Who asked for the same file while this read was under way. */
  alsoFor: { readonly kind: ReadKind<Context>; readonly context: Context }[] | undefined;
}

/**
 * Reads small files of which any read may hang for good, in batches, on threads of their own. When nothing at all comes back for DEADLINE_MS,
 * the reads under way are delivered as `timeout` and their threads left behind. While one of them hangs, the same file is not read again. When
 * too many do, the rest is delivered as `skipped`.
 *
 * A process must have one such object only: its threads are the C library's, of which a process has one set.
 */
export class BoundedReads<Context> {
  readonly #aio = new AsyncReads({ slots: SLOTS, slotBytes: SLOT_BYTES, workers: WORKERS, reserve: RESERVE });
  readonly #files = createDirectFiles();
  readonly #monotonicMs: () => number;
  #filling: Pending<Context>[] = [];
  #flying: Pending<Context>[] = [];
  /** Begun, and left behind by their batch. */
  #lagging: Pending<Context>[] = [];
  /** Delivered as timeout, their thread still in the kernel. */
  #hanging: Pending<Context>[] = [];
  #atRisk: Request<Context>[] = [];
  #lastReturnMs = 0;
  #threads = WORKERS;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Makes the threads that many reads want, or reads that hang: else they are made with the first that do, when there may be none left to be had. */
  makeThreads(): void {
    this.#aio.makeThreads();
  }

  /** Asks for a file. Those at risk come behind all others, a few at a time. */
  add(kind: ReadKind<Context>, context: Context, directory: number, path: string): void {
    if (kind.looksStuck !== undefined) {
      this.#atRisk.push({ kind, context, directory, path });
      return;
    }
    this.#begin(kind, context, directory, path);
    if (this.#filling.length >= BATCH) this.#turn();
  }

  /** Delivers what has been asked for, but for the reads at risk and those that take long. */
  flush(): void {
    this.#turn();
    this.#turn();
  }

  /** How many reads hang, or may. */
  get stuck(): number {
    return this.#countHanging() + this.#lagging.length;
  }

  /** Delivers what has been asked for, but for the reads at risk, until nothing has come back for a while. */
  async settle(): Promise<void> {
    this.flush();
    while (this.#lagging.length > 0 && this.#monotonicMs() - this.#lastReturnMs < LULL_MS) {
      this.#settleLagging();
      await nextTurn();
    }
  }

  /** Resolves when everything asked for has been delivered. */
  async finish(): Promise<void> {
    this.flush();
    for (;;) {
      this.#beginAtRisk();
      if (this.#lagging.length === 0) return;
      this.#settleLagging();
      await nextTurn();
    }
  }

  /** Begins as many of the reads at risk as may hang at once; once one does, those first that don't look as if they would. */
  #beginAtRisk(): void {
    let atOnce = PROBE;
    let sorted = false;
    while (this.#atRisk.length > 0) {
      const stuck = this.#countHanging() + this.#lagging.length;
      if (stuck > 0 && !sorted) {
        const rest = this.#atRisk.map((request) => ({ request, last: request.kind.looksStuck?.(request.context) === true }));
        this.#atRisk = rest.sort((a, b) => Number(a.last) - Number(b.last)).map(({ request }) => request);
        sorted = true;
      }
      const room = Math.min(atOnce, WORKERS + RESERVE - KEPT_BACK - stuck);
      if (room > 0) {
        for (const { kind, context, directory, path } of this.#atRisk.splice(0, room)) this.#begin(kind, context, directory, path);
        this.flush();
        atOnce = AT_RISK_AT_ONCE;
      } else if (this.#lagging.length > 0) return;
      else for (const { kind, context } of this.#atRisk.splice(0)) kind.miss(context, 'skipped');
    }
  }

  #begin(kind: ReadKind<Context>, context: Context, directory: number, path: string): void {
    if (this.#hanging.length + this.#lagging.length > 0 && this.stuck > 0) {
      const same = (pending: Pending<Context>) => pending.path === path && pending.directory === directory;
      const lagging = this.#lagging.find(same);
      if (lagging !== undefined) {
        lagging.alsoFor ??= [];
        lagging.alsoFor.push({ kind, context });
        return;
      }
      const again = this.#hanging.some(same);
      if (again || this.#hanging.length >= WORKERS + RESERVE) {
        kind.miss(context, again ? 'timeout' : 'skipped');
        return;
      }
    }
    if (this.#filling.length === FEW) this.#aio.makeThreads();
    let fd = this.#files.openAt(directory, path);
    while ((fd === 'EMFILE' || fd === 'ENFILE') && this.#makeRoom()) fd = this.#files.openAt(directory, path);
    if (typeof fd === 'string') {
      kind.miss(context, unreadableFrom(fd));
      return;
    }
    const slot = this.#takeSlot();
    this.#aio.prepare(slot, fd, 0);
    this.#filling.push({ kind, context, directory, path, slot, fd, parts: undefined, length: 0, alsoFor: undefined });
  }

  /** Starts reads. Where not even one thread can be had, those that did not begin are delivered as EAGAIN. */
  #submit(batch: readonly Pending<Context>[]): void {
    if (this.#aio.submit(batch.map((pending) => pending.slot))) return;
    this.#flying = batch.filter((pending) => this.#aio.result(pending.slot) === undefined);
    for (const pending of batch) {
      if (this.#flying.includes(pending)) continue;
      this.#miss(pending, 'EAGAIN');
      this.#close(pending);
    }
  }

  /** Ends some of the reads under way, where there are any, so that their descriptors and slots are free. */
  #makeRoom(): boolean {
    if (this.#filling.length > 0 || this.#flying.length > 0) this.#turn();
    else if (this.#lagging.length > 0) this.#settleLagging();
    else return false;
    return true;
  }

  /** Starts the batch being filled, then collects the one before, which had all the time of the filling. */
  #turn(): void {
    const ready = this.#flying;
    this.#flying = this.#filling;
    this.#filling = [];
    if (this.#flying.length > 0) {
      this.#submit(this.#flying);
      this.#lastReturnMs = this.#monotonicMs();
    }
    const last = ready.at(-1);
    if (last !== undefined) this.#aio.wait([last.slot], PATIENCE_MS);
    const before = this.#lagging.length;
    let late = false;
    for (const pending of ready) {
      while (!this.#settle(pending)) {
        late ||= !this.#aio.wait([pending.slot], PATIENCE_MS);
        if (!late) continue;
        this.#lagging.push(pending);
        break;
      }
    }
    if (late) this.#callUp();
    if (ready.length > this.#lagging.length - before) this.#lastReturnMs = this.#monotonicMs();
  }

  /** Sees to it that there are workers beside those that may be stuck. */
  #callUp(): void {
    const wanted = Math.min(WORKERS + RESERVE, WORKERS + this.#hanging.length + this.#lagging.length);
    if (wanted <= this.#threads) return;
    this.#aio.callUp(wanted - this.#threads);
    this.#threads = wanted;
  }

  #takeSlot(): Slot {
    for (;;) {
      const slot = this.#aio.take();
      if (slot !== undefined) return slot;
      this.#makeRoom();
    }
  }

  /** Collects what has come back of the reads left behind; gives all of them up when nothing has for too long. */
  #settleLagging(): void {
    this.#aio.wait(
      this.#lagging.map((pending) => pending.slot),
      PATIENCE_MS,
    );
    const before = this.#lagging.length;
    this.#lagging = this.#lagging.filter((pending) => !this.#settle(pending));
    if (this.#lagging.length < before) this.#lastReturnMs = this.#monotonicMs();
    if (this.#monotonicMs() - this.#lastReturnMs < DEADLINE_MS) return;
    for (const pending of this.#lagging) this.#giveUp(pending);
    this.#lagging = [];
  }

  #giveUp(pending: Pending<Context>): void {
    if (this.#aio.cancel(pending.slot)) {
      this.#miss(pending, 'skipped');
      this.#close(pending);
    } else if (!this.#settle(pending)) {
      this.#miss(pending, 'timeout');
      this.#hanging.push(pending);
    }
  }

  /** Delivers a read that has ended; false while it has not. */
  #settle(pending: Pending<Context>): boolean {
    const result = this.#aio.result(pending.slot);
    if (result === undefined) return false;
    const { kind, context, slot, parts } = pending;
    if (typeof result === 'string') {
      this.#miss(pending, unreadableFrom(result));
      this.#close(pending);
      return true;
    }
    const bytes = slot.buffer.subarray(0, result);
    pending.length += result;
    const limitBytes = kind.limitBytes();
    if (result === SLOT_BYTES && pending.length <= limitBytes) {
      pending.parts ??= [];
      pending.parts.push(Buffer.from(bytes));
      this.#aio.prepare(slot, pending.fd, pending.length);
      this.#lastReturnMs = this.#monotonicMs();
      if (this.#aio.submit([slot])) return false;
      this.#miss(pending, 'EAGAIN');
      this.#close(pending);
      return true;
    }
    const whole = parts === undefined ? bytes : Buffer.concat([...parts, bytes]);
    const cut = whole.length > limitBytes;
    const taken = cut ? whole.subarray(0, limitBytes) : whole;
    kind.deliver(context, taken, cut);
    for (const also of pending.alsoFor ?? []) also.kind.deliver(also.context, taken, cut);
    this.#close(pending);
    return true;
  }

  #miss({ kind, context, alsoFor }: Pending<Context>, why: Unreadable): void {
    kind.miss(context, why);
    for (const also of alsoFor ?? []) also.kind.miss(also.context, why);
  }

  /** Reads that were given up and still occupy a thread; closes those that have ended after all. */
  #countHanging(): number {
    if (this.#hanging.length === 0) return 0;
    this.#hanging = this.#hanging.filter((pending) => {
      if (this.#aio.result(pending.slot) === undefined) return true;
      this.#close(pending);
      return false;
    });
    return this.#hanging.length;
  }

  #close(pending: Pending<Context>): void {
    this.#files.close(pending.fd);
    this.#aio.release(pending.slot);
  }
}

import { Readable } from 'node:stream';
import type { Connection } from '../clickhouse/connection.ts';
import { ClickHouseFailure } from '../clickhouse/failure.ts';
import type { Clock } from '../model/time.ts';
import { Pauses } from './pauses.ts';
import type { Batch } from './row-batches.ts';

export interface SenderOptions {
  /** @throws ClickHouseFailure; what else it throws ends the sending */
  connect(): Promise<Pick<Connection, 'insert' | 'close'>>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** Bytes per second of what is inserted, compressed. */
  readonly maxRate: number | undefined;
  /** Aborted to end at once. */
  readonly stop: AbortSignal;
  /** Aborted to wait no longer until the next try. */
  readonly hurry: AbortSignal;
  /** After so many tries an insert fails; infinite if whatever is wrong shall be waited for. */
  mostTries(): number;
  /** Tells of a try that failed, and when it works again. */
  tell(text: string): void;
}

/** Of a second: so that a bound on the rate holds within it, too. */
const PIECES_PER_SECOND = 10;

/** The sending was ended. */
export class Stopped extends Error {}

/** Inserts batches, and tries again when that fails. */
export class Sender {
  readonly #options: SenderOptions;
  #connection: Pick<Connection, 'insert' | 'close'> | undefined;
  /** When the next byte may be sent. */
  #freeMs = 0;
  rows = 0;
  /** Compressed, without what was sent in vain. */
  bytes = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Inserts a batch.
   * @throws ClickHouseFailure after the last try; Stopped
   */
  async send(batch: Batch): Promise<void> {
    const { mostTries, tell, stop } = this.#options;
    const pauses = new Pauses();
    let told: string | undefined;
    for (let tries = 1; ; tries++) {
      const failure = await this.#try(batch);
      if (stop.aborted) throw new Stopped();
      if (failure === undefined) break;
      const most = mostTries();
      // What has never worked is more likely wrong than away.
      if (most !== Number.POSITIVE_INFINITY && (tries >= most || !failure.passes || this.rows === 0)) throw failure;
      if (told !== failure.message) tell(`${failure.message}. It is tried again`);
      told = failure.message;
      await this.#pause(pauses.next());
    }
    if (told !== undefined) tell('sending again');
    this.rows += batch.rows;
    this.bytes += batch.bytes.length;
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  async #try({ table, bytes }: Batch): Promise<ClickHouseFailure | undefined> {
    const { connect, stop } = this.#options;
    try {
      this.#connection ??= await connect();
      await this.#connection.insert(table, Readable.from(this.#paced(bytes)), stop);
      return undefined;
    } catch (error) {
      await this.close();
      if (error instanceof ClickHouseFailure) return error;
      throw error;
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    const { clock, stop, hurry } = this.#options;
    await clock.sleep(milliseconds, AbortSignal.any([stop, hurry]));
    if (stop.aborted) throw new Stopped();
  }

  async *#paced(bytes: Buffer): AsyncGenerator<Buffer> {
    const { maxRate, clock, stop } = this.#options;
    if (maxRate === undefined) return yield bytes;
    const pieceBytes = Math.max(1, Math.floor(maxRate / PIECES_PER_SECOND));
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const waitMs = this.#freeMs - clock.monotonicMs();
      if (waitMs > 0) await clock.sleep(waitMs, stop);
      const piece = bytes.subarray(at, at + pieceBytes);
      this.#freeMs = Math.max(this.#freeMs, clock.monotonicMs()) + (1000 * piece.length) / maxRate;
      yield piece;
    }
  }
}

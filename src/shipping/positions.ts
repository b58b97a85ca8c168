import { createHash } from 'node:crypto';
import type { LogDirectory } from '../background/log-directory.ts';
import { codeOf } from '../files/files.ts';
import { reasonOf } from '../native/reason.ts';
import { SlotFile } from './slot-file.ts';

/** Up to where a recording was sent. */
export interface Position {
  /** What tells the host that its name has. */
  readonly host: string;
  /** How many positions had been written before. */
  readonly order: number;
  /** The number of the last segment that was sent; -1 if it has none. */
  readonly segment: number;
  /** Where what was sent last begins and ends. */
  readonly from: number;
  readonly end: number;
  /** What tells the recording, whatever it is called by now: the bytes before `end`. */
  readonly check: string;
  /** Of the file when it was sent: where to look first. */
  readonly inode: string;
}

const FORMAT = 'kstack-positions';
const VERSION = 1;
/** A trailer has as many. */
export const CHECKED_BYTES = 70;

/** What tells bytes apart. A trailer has the sum, the times and the place of a segment: no two are the same. */
export function checkOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

export interface PositionsOptions {
  readonly directory: LogDirectory;
  /** The URL of the database. */
  readonly target: string;
  tell(text: string): void;
}

/** A directory or its positions cannot be used for this. */
export class PositionsError extends Error {}

/** The file of a directory that tells what of its recordings was sent to a target. Its lock keeps out other shippers. */
export class Positions {
  readonly #slots: SlotFile;
  readonly #options: PositionsOptions;
  #isFailing = false;

  private constructor(slots: SlotFile, options: PositionsOptions) {
    this.#slots = slots;
    this.#options = options;
  }

  /**
   * @throws PositionsError if another process sends the directory there; LogError if the file is a link
   */
  static async open(options: PositionsOptions): Promise<Positions> {
    const { directory, target } = options;
    const name = `.kstack_ship_${createHash('sha256').update(target).digest('hex').slice(0, 12)}`;
    const slots = await SlotFile.open(directory, name);
    if (slots === undefined) throw new PositionsError(sentByAnother(options));
    const positions = new Positions(slots, options);
    const [head] = slots.values;
    if (isHead(head)) {
      if (head.version > VERSION)
        throw new PositionsError(
          `${directory.name}/${name} was written by a newer kstack: use that, or remove the file`,
        );
      return positions;
    }
    // Nothing, or nothing of ours: whatever it has would count as sent.
    for (const slot of slots.values.keys()) if (slot > 0) await positions.#write(slot, undefined);
    await positions.#write(0, { format: FORMAT, version: VERSION, target });
    return positions;
  }

  get files(): readonly Position[] {
    return this.#slots.values.filter(isPosition);
  }

  /** What was sent last of a host, which may be gone. */
  lastOf(host: string): Position | undefined {
    return this.files.filter((position) => position.host === host).sort((a, b) => b.order - a.order)[0];
  }

  /**
   * Sets the position of a file.
   * @param replaced the one that it had
   * @throws PositionsError if another process has taken the lock
   */
  async put(position: Omit<Position, 'order'>, replaced: Position | undefined): Promise<Position> {
    const order = 1 + this.files.reduce((most, each) => Math.max(most, each.order), 0);
    const written = { ...position, order };
    const slot = replaced === undefined ? this.#slots.free() : this.#slots.values.indexOf(replaced);
    await this.#write(slot, written);
    return written;
  }

  /** Forgets files that are gone, but for what was last of each host. @throws PositionsError as put() does */
  async keepOnly(found: ReadonlySet<Position>): Promise<void> {
    for (const position of this.files)
      if (!found.has(position) && this.lastOf(position.host) !== position)
        await this.#write(this.#slots.values.indexOf(position), undefined);
  }

  close(): Promise<void> {
    return this.#slots.close();
  }

  /** One that cannot be written counts for this process, and costs no more than that some is sent again after it. */
  async #write(slot: number, value: object | undefined): Promise<void> {
    const { directory, tell } = this.#options;
    try {
      await this.#slots.write(slot, value);
      if (this.#isFailing) tell(`positions are written in ${directory.name} again`);
      this.#isFailing = false;
    } catch (error) {
      if (codeOf(error) === 'EBUSY') throw new PositionsError(sentByAnother(this.#options), { cause: error });
      if (codeOf(error) === undefined) throw error;
      if (!this.#isFailing)
        tell(
          `cannot write positions in ${directory.name}: ${reasonOf(error)}. After a restart some samples are sent again, which adds nothing`,
        );
      this.#isFailing = true;
    }
  }
}

function sentByAnother({ directory, target }: PositionsOptions): string {
  return `another kstack sends ${directory.name} to ${target} already`;
}

const TEXTS = ['host', 'check', 'inode'];

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function isHead(value: unknown): value is { readonly version: number } {
  const { format, version } = fieldsOf(value);
  return format === FORMAT && Number.isSafeInteger(version);
}

function isPosition(value: unknown): value is Position {
  const fields = fieldsOf(value);
  const { order, segment, from, end } = fields;
  return (
    TEXTS.every((name) => typeof fields[name] === 'string') &&
    isAtLeast(order, 0) &&
    isAtLeast(segment, -1) &&
    isAtLeast(from, 0) &&
    isAtLeast(end, from)
  );
}

function isAtLeast(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

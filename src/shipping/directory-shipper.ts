import { TableRows } from '../analysis/tables/rows.ts';
import type { LogDirectory } from '../background/log-directory.ts';
import { findRun } from '../background/run-directory.ts';
import { withFiles } from '../files/remote.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { linesOf } from '../recording/lines.ts';
import { unpackedSegments } from '../recording/members.ts';
import { HEAD, recordedSamples } from '../recording/read.ts';
import { checkOf, type Position, type Positions } from './positions.ts';
import { RowBatches } from './row-batches.ts';
import type { Sender } from './sender.ts';
import { bytesOf, grown, type Part, partAt, placeBehind, positionOf, type SpoolFile, withSpool } from './spool.ts';

export interface ShipperOptions {
  readonly directory: LogDirectory;
  readonly positions: Positions;
  readonly sender: Pick<Sender, 'send'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  tell(text: string): void;
}

/** A part, and the file that has it. */
interface ReadPart {
  readonly file: SpoolFile;
  readonly part: Part;
}

/** A file that has not grown for so long is perhaps written to no more. */
const STILL_MS = 60_000;

/** Sends what a directory of recordings has that was not sent yet, segment by segment. */
export class DirectoryShipper {
  readonly #options: ShipperOptions;
  readonly #rows = new TableRows();
  readonly #batches = new RowBatches();
  /** Files that do not end with a whole segment, by inode. */
  readonly #unfinished = new Map<string, { readonly size: number; readonly sinceMs: number }>();
  /** The part of each host that was read last: the time of its next sample counts from there. */
  readonly #latest = new Map<string, string>();
  /** How many samples were sent. */
  samples = 0;
  /** How many recordings there were last. */
  recordings = 0;
  isDamaged = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /**
   * Sends all finished segments, and what is behind the last one if nobody writes to the file any more.
   * @param isPatient whether that may be found out later
   * @throws what the sender throws; LogError if the directory was replaced, or another process sends it
   */
  async ship(isPatient: boolean): Promise<void> {
    const { directory, positions } = this.#options;
    await directory.check();
    await withSpool(directory, async (files) => {
      const found = new Set<Position>();
      this.recordings = files.length;
      let before: ReadPart | undefined;
      for (const file of files) {
        const position = await positionOf(directory, file, positions.files);
        if (position !== undefined) {
          found.add(position);
          if (position.end === file.size) this.#unfinished.delete(file.inode);
          before = { file, part: { ...position, isTail: false } };
        }
        for await (const [part, behind] of this.#shipFile(file, position, before, isPatient)) {
          before = { file, part };
          found.add(behind);
        }
      }
      await positions.keepOnly(found);
    });
  }

  /** Sends the parts of a file that were not sent. */
  async *#shipFile(
    opened: SpoolFile,
    sent: Position | undefined,
    before: ReadPart | undefined,
    isPatient: boolean,
  ): AsyncGenerator<readonly [Part, Position]> {
    const { directory, positions } = this.#options;
    let [file, position] = [opened, sent];
    const waits = this.#unfinished.get(file.inode);
    if (isPatient && waits?.size === file.size && !this.#isStill(waits)) return;
    for (let latest = before; ; ) {
      let part = await partAt(directory, file, position?.end ?? 0);
      if (part?.isTail === true) {
        if (await this.#mayGrow(file, isPatient)) return;
        // Its end may have been written since it was opened.
        file = await grown(directory, file);
        part = await partAt(directory, file, part.from);
      }
      if (part === undefined) return;
      if (latest?.file.host === file.host) await this.#recall(latest);
      const segment = await this.#shipPart(file, part, positions.lastOf(checkOf(file.host)));
      const place = { ...(await placeBehind(directory, file, part)), host: checkOf(file.host), segment };
      position = await positions.put(place, position);
      latest = { file, part };
      yield [part, position];
    }
  }

  #isStill({ sinceMs }: { readonly sinceMs: number }): boolean {
    return this.#options.clock.monotonicMs() - sinceMs >= STILL_MS;
  }

  /** Whether a file without a whole segment at its end is still written to. */
  async #mayGrow({ host, inode, size, seconds }: SpoolFile, isPatient: boolean): Promise<boolean> {
    if (seconds !== undefined) return false;
    const waits = this.#unfinished.get(inode);
    this.#unfinished.set(inode, { size, sinceMs: this.#options.clock.monotonicMs() });
    if (isPatient && (waits === undefined || waits.size !== size || !this.#isStill(waits))) return true;
    // With a reader of its own, since it opens files and leaves them to that.
    return withFiles(async (files) => (await findRun(files, this.#options.directory.name, host)).active !== 'no');
  }

  /** Reads the part before without sending it, if that was not done: what follows counts from it. */
  async #recall({ file, part }: ReadPart): Promise<void> {
    if (this.#latest.get(file.host) === placeOf(file, part)) return;
    for await (const sample of this.#samplesIn(file, part, { damaged: () => undefined })) this.#rows.of(sample).next();
  }

  /** Returns the number of its last segment. */
  async #shipPart(file: SpoolFile, part: Part, last: Position | undefined): Promise<number> {
    const { sender, tell } = this.#options;
    let segment = last?.segment ?? -1;
    const begun = (number: number) => {
      // Each run begins with 0. What was before the first one that was ever sent is not known.
      const lost = last === undefined && segment === -1 ? 0 : number > segment ? number - segment - 1 : number;
      segment = number;
      if (lost === 0) return;
      const are = lost === 1 ? 'segment is' : 'segments are';
      tell(`at least ${lost} ${are} missing before ${file.name}: removed before they were sent, or never written`);
    };
    const damaged = (text: string) => {
      this.isDamaged = true;
      tell(`${file.name}: ${text}`);
    };
    // Each segment is complete in itself, here as there.
    this.#rows.forget();
    let samples = 0;
    for await (const sample of this.#samplesIn(file, part, { begun, damaged })) {
      for (const row of this.#rows.of(sample)) this.#batches.add(row);
      samples++;
      if (this.#batches.isFull) for await (const batch of this.#batches.take()) await sender.send(batch);
    }
    for await (const batch of this.#batches.take()) await sender.send(batch);
    this.samples += samples;
    this.#latest.set(file.host, placeOf(file, part));
    return segment;
  }

  async *#samplesIn(
    file: SpoolFile,
    part: Part,
    { begun, damaged }: { begun?(segment: number): void; damaged(text: string): void },
  ): AsyncGenerator<Sample> {
    const { directory } = this.#options;
    const chunks = async function* () {
      for await (const { bytes } of bytesOf(directory, file, part)) yield bytes;
    };
    const lost = (offset: number) => damaged(`the segment at byte ${part.from + offset} is damaged: the rest is lost`);
    const wrong = (line: number, why: string) => damaged(`line ${line} of the segment at byte ${part.from}: ${why}`);
    yield* recordedSamples(withHeads(linesOf(unpackedSegments(chunks(), lost)), begun), wrong);
  }
}

function placeOf({ inode }: SpoolFile, { from }: Part): string {
  return `${inode} ${from}`;
}

const HEAD_LINE = new RegExp(`^${HEAD},"version":\\d+,"segment":(\\d{1,15})}`);
const HEAD_BYTES = 128;
const LINE_FEED = 10;

/** Passes on pieces of whole lines, and tells the numbers of segments that begin in them. */
async function* withHeads(
  pieces: AsyncIterable<Uint8Array>,
  begun: ((segment: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (begun !== undefined) {
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      for (let at = bytes.indexOf(HEAD); at !== -1; at = bytes.indexOf(HEAD, at + 1)) {
        if (at > 0 && bytes[at - 1] !== LINE_FEED) continue;
        const [, number] = HEAD_LINE.exec(bytes.toString('latin1', at, at + HEAD_BYTES)) ?? [];
        if (number !== undefined) begun(Number(number));
      }
    }
    yield piece;
  }
}

import { constants } from 'node:fs';
import { absolutePath } from '../files/absolute-path.ts';
import type { Owner } from '../files/output-file.ts';
import { filesOf } from '../files/remote.ts';
import type { Sample } from '../model/sample.ts';
import { Reader } from '../native/reader/reader.ts';
import { reasonOf } from '../native/reason.ts';
import { type Piece, RecordingWriter } from '../recording/write.ts';

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND | constants.O_NOFOLLOW;
/** Command lines may hold secrets. */
const MODE = 0o600;

/** A new file that samples are recorded into. Its file system may hang; then this fails, and nothing waits. */
export class RecordingFile {
  readonly name: string;
  readonly #reader: Reader;
  readonly #files: ReturnType<typeof filesOf>;
  readonly #writer = new RecordingWriter();
  readonly #fd: number;
  /** Each write waits for the one before. */
  #last: Promise<void> = Promise.resolve();
  #size = 0;
  samples = 0;

  private constructor(name: string, reader: Reader, files: ReturnType<typeof filesOf>, fd: number) {
    this.name = name;
    this.#reader = reader;
    this.#files = files;
    this.#fd = fd;
  }

  /** @throws Error naming the file if it cannot be made, or is there already */
  static async create(name: string, owner: Owner | undefined): Promise<RecordingFile> {
    const reader = new Reader('/proc');
    const files = filesOf(reader);
    try {
      const fd = await files.open(undefined, absolutePath(name), FLAGS, MODE);
      if (owner !== undefined) await files.changeOwner(fd, owner.uid, owner.gid);
      return new RecordingFile(name, reader, files, fd);
    } catch (error) {
      reader.close();
      throw new Error(`cannot record to ${name}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** @throws Error naming the file if it cannot be written */
  add(sample: Sample): Promise<void> {
    return this.#next(async () => {
      await this.#append(await this.#writer.add(sample));
      this.samples++;
    });
  }

  /** @throws Error naming the file if its end cannot be written */
  async end(): Promise<void> {
    try {
      await this.#next(async () => {
        const piece = await this.#writer.end();
        if (piece !== undefined) await this.#append(piece);
        await this.#files.close(this.#fd);
      });
    } finally {
      this.#reader.close();
    }
  }

  #next(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work).catch((error: unknown) => {
      throw new Error(`cannot record to ${this.name}: ${reasonOf(error)}`, { cause: error });
    });
    return this.#last;
  }

  async #append(piece: Piece): Promise<void> {
    await this.#files.append(this.#fd, piece.at(this.#size));
    this.#size += piece.length;
  }
}

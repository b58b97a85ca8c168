import { closeSync, constants, fstatSync, lstatSync, readSync, writeSync } from 'node:fs';
import { hostInFileName, type LogDirectory, LogError } from './log-directory.ts';
import type { Append } from './rotating-log.ts';

/** What a background run tells others, and the run after it, of itself. */
export interface RunState {
  readonly pid: number;
  /** Unix milliseconds. */
  readonly startedMs: number;
  readonly endsMs: number;
  readonly samples: number;
  /** Why nothing is written at the moment. */
  readonly paused?: string | undefined;
  /** The last lines of what the run had to say, which may have had no other reader. */
  readonly messages: readonly string[];
  /** What was appended last, or was about to be when the run was killed. */
  readonly append?: Append;
}

/** The file keeps this size, so that writing it needs no space on a file system that has filled up. */
const BYTES = 4096;

/** The file `.kstack_HOST.run` of a log directory: its lock says that a background run is active, its content what that run is doing. */
export class RunFile {
  readonly fd: number;
  readonly #directory: LogDirectory;
  readonly #name: string;

  private constructor(directory: LogDirectory, name: string, flags: number) {
    this.#directory = directory;
    this.#name = name;
    this.fd = directory.open(name, flags);
  }

  /** Opens the file for a run, and makes it where it is missing. */
  static make(directory: LogDirectory, host: string): RunFile {
    return new RunFile(directory, nameFor(host), constants.O_RDWR | constants.O_CREAT);
  }

  /** Opens the file to look at it; undefined where there is none. */
  static find(directory: LogDirectory, host: string): RunFile | undefined {
    return directory.list().includes(nameFor(host)) ? new RunFile(directory, nameFor(host), constants.O_RDONLY) : undefined;
  }

  /** @throws LogError when the file or its directory was removed or replaced: another run would take no notice of this one's lock. */
  check(): void {
    this.#directory.check();
    const found = lstatSync(this.#directory.path(this.#name), { throwIfNoEntry: false });
    if (found?.ino !== fstatSync(this.fd).ino) throw new LogError(`${this.#directory.name}/${this.#name} was removed or replaced`);
  }

  /** Undefined where nothing was written yet, or what stands there is not of kstack's making. */
  read(): RunState | undefined {
    const bytes = Buffer.alloc(BYTES);
    const text = bytes.toString('utf8', 0, readSync(this.fd, bytes, 0, BYTES, 0));
    try {
      const state: unknown = JSON.parse(text);
      return isRunState(state) ? state : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Replaces the content with one write of one page, which a kill does not interrupt. */
  write(state: RunState): void {
    const page = Buffer.alloc(BYTES, ' ');
    const paused = state.paused?.slice(0, BYTES / 8);
    for (let from = 0; ; from++) {
      const text = Buffer.from(JSON.stringify({ ...state, paused, messages: state.messages.slice(from) }));
      if (text.length > BYTES && from < state.messages.length) continue;
      text.copy(page);
      break;
    }
    writeSync(this.fd, page, 0, BYTES, 0);
  }

  /** For who only looked. Whoever has the lock loses it with this. */
  close(): void {
    closeSync(this.fd);
  }
}

function nameFor(host: string): string {
  return `.kstack_${hostInFileName(host)}.run`;
}

function isRunState(value: unknown): value is RunState {
  if (typeof value !== 'object' || value === null) return false;
  const numbers = ['pid', 'startedMs', 'endsMs', 'samples'];
  const fields = new Map(Object.entries(value));
  const append: unknown = fields.get('append') ?? {};
  const messages: unknown = fields.get('messages');
  return (
    numbers.every((field) => Number.isSafeInteger(fields.get(field))) &&
    ['string', 'undefined'].includes(typeof fields.get('paused')) &&
    Array.isArray(messages) &&
    messages.every((message) => typeof message === 'string') &&
    typeof append === 'object' &&
    append !== null &&
    Object.values(append).every(Number.isSafeInteger)
  );
}

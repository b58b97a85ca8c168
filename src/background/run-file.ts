import { constants } from 'node:fs';
import { codeOf, type FileStatus } from '../files/files.ts';
import { hostInFileName, type LogDirectory, LogError } from './log-directory.ts';
import type { Append } from './log-file.ts';
import type { LogNames } from './log-names.ts';

/** What a background run publishes, for `status`, `stop` and the next run. */
export interface RunState {
  readonly pid: number;
  /** When the process started, in clock ticks since boot. Identifies it together with the PID. */
  readonly startTicks: number;
  /** What the host was called when it began: its files are called so, too. */
  readonly host?: string | undefined;
  /** What it writes; undefined in the state of an earlier version, which wrote text. */
  readonly holds?: LogNames['holds'] | undefined;
  /** Unix milliseconds. */
  readonly startedMs: number;
  /** Undefined for until it is stopped. */
  readonly endsMs?: number | undefined;
  readonly writtenMs: number;
  /** Set when the run ends by itself or is stopped; a run that was killed leaves none. */
  readonly endedMs?: number | undefined;
  readonly samples: number;
  /** Why writing is paused, and since when (Unix milliseconds). */
  readonly paused?: string | undefined;
  readonly pausedMs?: number | undefined;
  /** How many samples are queued in memory, and how many were dropped because the queue was full. */
  readonly kept?: number | undefined;
  readonly leftOut?: number | undefined;
  /** The run's last messages, which may have had no other reader. */
  readonly messages: readonly string[];
  /** The last append, or the one during which the run was killed. */
  readonly append?: Append | undefined;
}

/** The file keeps this size, so that it can be rewritten on a full file system. */
const BYTES = 4096;

/** The file `.kstack_HOST.run` in a log directory. A background run holds its lock and writes its state to it. */
export class RunFile {
  readonly directory: LogDirectory;
  readonly #name: string;
  readonly #fd: number;
  readonly #identity: FileStatus;

  private constructor(directory: LogDirectory, name: string, { fd, status }: { fd: number; status: FileStatus }) {
    this.directory = directory;
    this.#name = name;
    this.#fd = fd;
    this.#identity = status;
  }

  /** Opens the file for a run, and creates it if it is missing. */
  static async make(directory: LogDirectory, host: string): Promise<RunFile> {
    const name = nameFor(host);
    return new RunFile(directory, name, await directory.open(name, constants.O_RDWR | constants.O_CREAT));
  }

  /** Opens the file for reading; undefined if it is missing. */
  static async find(directory: LogDirectory, host: string): Promise<RunFile | undefined> {
    const name = nameFor(host);
    if ((await directory.status(name)) === undefined) return undefined;
    return new RunFile(directory, name, await directory.open(name, constants.O_RDONLY));
  }

  /** @throws LogError if the file or its directory was removed or replaced: other runs would not see this one's lock */
  async check(): Promise<void> {
    const { name, files } = this.directory;
    // By its full path: that checks the directory too.
    const found = await files.status(undefined, `${name}/${this.#name}`);
    if (found?.inode === this.#identity.inode && found.device === this.#identity.device) return;
    await this.directory.check();
    throw new LogError(`${name}/${this.#name} was removed or replaced`);
  }

  /** Takes the lock; false if another run holds it. */
  lock(): Promise<boolean> {
    return this.directory.files.lock(this.#fd);
  }

  unlock(): Promise<void> {
    return this.directory.files.unlock(this.#fd);
  }

  isLocked(): Promise<boolean> {
    return this.directory.files.isLocked(this.#fd);
  }

  /** Undefined if nothing was written yet, or if the content is not kstack's. */
  async read(): Promise<RunState | undefined> {
    return parseRunState((await this.directory.files.read(this.#fd, 0, BYTES)).toString());
  }

  /**
   * Replaces the content with one write of one page, which even SIGKILL cannot tear.
   * @throws LogError if the process that held the lock was killed, and another run has taken it since
   */
  async write(state: RunState): Promise<void> {
    try {
      await this.directory.files.write(this.#fd, formatRunState(state), 0);
    } catch (error) {
      if (codeOf(error) !== 'EBUSY') throw error;
      throw new LogError(`another run has taken ${this.directory.name}`);
    }
  }
}

/** A page of JSON. If the messages do not fit, the oldest are dropped. */
export function formatRunState(state: RunState): Buffer {
  const page = Buffer.alloc(BYTES, ' ');
  const paused = state.paused?.slice(0, BYTES / 8);
  for (let from = 0; ; from++) {
    const text = Buffer.from(JSON.stringify({ ...state, paused, messages: state.messages.slice(from) }));
    if (text.length > BYTES && from < state.messages.length) continue;
    text.copy(page);
    return page;
  }
}

export function parseRunState(text: string): RunState | undefined {
  try {
    const state: unknown = JSON.parse(text);
    return isRunState(state) ? state : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function nameFor(host: string): string {
  return `.kstack_${hostInFileName(host)}.run`;
}

const NUMBERS = ['pid', 'startTicks', 'startedMs', 'writtenMs', 'samples'];
const NUMBERS_OR_NONE = ['endsMs', 'pausedMs', 'kept', 'leftOut'];

function isRunState(value: unknown): value is RunState {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map(Object.entries(value));
  const messages: unknown = fields.get('messages');
  const isNumber = (field: string) => Number.isSafeInteger(fields.get(field));
  return (
    NUMBERS.every(isNumber) &&
    NUMBERS_OR_NONE.every((field) => !fields.has(field) || isNumber(field)) &&
    ['string', 'undefined'].includes(typeof fields.get('paused')) &&
    ['string', 'undefined'].includes(typeof fields.get('host')) &&
    ['text', 'recording', undefined].some((kind) => kind === fields.get('holds')) &&
    Array.isArray(messages) &&
    messages.every((message) => typeof message === 'string') &&
    isAppend(fields.get('append'))
  );
}

function isAppend(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  const { inode, ...numbers } = Object.fromEntries(Object.entries(value));
  return typeof inode === 'string' && Object.values(numbers).every(Number.isSafeInteger);
}

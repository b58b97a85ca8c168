import { errnoName, errnoText } from '../errno.ts';
import { describeFileSizeLimit } from '../file-size-limit.ts';
import type { CallArgument } from './protocol.ts';
import { type Reader, ReaderEnded } from './reader.ts';
import { numberOf, type SystemCall } from './system-calls.ts';

/** The system calls that files need. */
type FileCall = Exclude<SystemCall, 'read' | 'socket'>;

/** A call's result, and the bytes it wrote. */
export interface Answer {
  readonly result: number;
  readonly bytes: Buffer;
  /** The number of the reader that gave it. */
  readonly reader: number;
}

/** Makes the error of a call that missed the deadline; the caller knows the words for it. */
export type NoAnswerOf = (path: string) => Error;

/** System calls on files, made by a reader. If somebody kills that, the next call starts another one. */
export class FileCalls {
  /** How long to wait for a call. A late call goes on, and its result is discarded. */
  deadlineMs: number;
  /** Called with how the reader ended when another one was started. */
  renewed: (end: string) => void = () => undefined;
  readonly #reader: Pick<Reader, 'call' | 'end' | 'restart'>;
  readonly #noAnswer: NoAnswerOf;
  readonly #pending = new Set<{ readonly sinceMs: number }>();
  #number = 0;

  constructor(reader: Pick<Reader, 'call' | 'end' | 'restart'>, deadlineMs: number, noAnswer: NoAnswerOf) {
    this.#reader = reader;
    this.deadlineMs = deadlineMs;
    this.#noAnswer = noAnswer;
  }

  /** The age of the oldest pending call; 0 if there is none. */
  get waitsMs(): number {
    const [oldest] = this.#pending;
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }

  /**
   * How many readers there have been before this one, whose descriptors are closed. Starts another one if it was killed.
   * @throws Error with the code ECHILD if it cannot be started
   */
  readerNumber(): number {
    const { end } = this.#reader;
    try {
      if (end === undefined || !this.#reader.restart()) return this.#number;
    } catch (error) {
      throw withCode('ECHILD', error instanceof Error ? error.message : String(error));
    }
    this.#number++;
    this.renewed(end);
    return this.#number;
  }

  /**
   * Makes a call of the present reader. `late` gets the answer of one that returns after the deadline.
   * @throws Error whose code is the errno's name, EPIPE if the reader ended meanwhile; that of {@link NoAnswerOf}
   */
  async make(
    call: FileCall,
    args: readonly CallArgument[],
    path: string,
    late?: (answer: Answer) => void,
  ): Promise<Answer> {
    const reader = this.#number;
    const started = { sinceMs: performance.now() };
    this.#pending.add(started);
    let answer: Answer = { result: 0, bytes: Buffer.alloc(0), reader };
    let isLate = false;
    const done = this.#reader
      .call(numberOf(call), args, ({ result, bytes }) => {
        answer = { result, bytes: Buffer.from(bytes), reader };
      })
      .catch((error: Error) => {
        if (!(error instanceof ReaderEnded)) throw error;
        throw withCode('EPIPE', `${VERBS[call]} ${path}: ${error.message}`, error);
      })
      .finally(() => {
        this.#pending.delete(started);
        if (isLate && answer.result >= 0) late?.(answer);
      });
    let timer: NodeJS.Timeout | undefined;
    if (Number.isFinite(this.deadlineMs)) {
      const expired = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isLate = true;
          reject(this.#noAnswer(path));
        }, this.deadlineMs);
      });
      await Promise.race([done, expired]).finally(() => clearTimeout(timer));
    } else await done;
    if (answer.result >= 0) return answer;
    const code = errnoName(-answer.result);
    const limit = code === 'EFBIG' ? describeFileSizeLimit() : undefined;
    const reason = limit ?? errnoText(-answer.result);
    throw Object.assign(withCode(code, `${VERBS[call]} ${path}: ${reason}`), { reason });
  }
}

/** Whether the reader ended while a call was made. */
export function isEnded(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof ReaderEnded;
}

export function withCode(code: string, text: string, cause?: unknown): Error {
  return Object.assign(new Error(text, { cause }), { code });
}

const VERBS: Readonly<Record<FileCall, string>> = {
  close: 'cannot close',
  pread64: 'cannot read',
  pwrite64: 'cannot write',
  write: 'cannot write',
  fcntl: 'cannot lock',
  fsync: 'cannot sync',
  ftruncate: 'cannot truncate',
  fchmod: 'cannot change the mode of',
  fchown: 'cannot change the owner of',
  statfs: 'cannot get the file system of',
  fstatfs: 'cannot get the file system of',
  getdents64: 'cannot list',
  openat: 'cannot open',
  mkdirat: 'cannot create',
  unlinkat: 'cannot remove',
  linkat: 'cannot link',
  readlinkat: 'cannot read the link',
  renameat2: 'cannot rename',
  statx: 'cannot stat',
};

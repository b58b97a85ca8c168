import { closeSync, readSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { errnoName } from '../errno.ts';
import { libcFunction } from '../libc.ts';
import { takeEarlyReader } from './early.ts';
import {
  type CallArgument,
  encodeCall,
  encodeGet,
  encodePaths,
  encodeScan,
  FLAG,
  type GetOptions,
  KIND,
  type PathRead,
  RECORD,
  type Scan,
  WHAT,
} from './protocol.ts';
import { type Spawned, spawnReader } from './spawn.ts';
import { howItEnded, isStopped, waitBriefly, waitStatus } from './wait.ts';

/** Receives a job's records. The bytes are valid only during the call. `result` is a length or a negative errno. */
export type RecordTaker = (record: {
  readonly pid: number;
  readonly tid: number;
  readonly what: number;
  readonly flags: number;
  readonly result: number;
  readonly bytes: Buffer;
}) => void;

interface Job {
  /** Whether the reader itself ends it in time. A system call may take as long as it likes. */
  readonly isTimed: boolean;
  readonly take: RecordTaker;
  resolve(): void;
  reject(error: Error): void;
}

interface AskedPath extends Omit<Job, 'isTimed'> {
  readonly read: PathRead;
}

/** Job 0, which nobody waits for. */
const GREETING: Job = { isTimed: false, take: () => undefined, resolve: () => undefined, reject: () => undefined };

const BUFFER_BYTES = 1 << 19;
/** How long to block for a record before the event loop runs again. */
const WAIT_MS = 2;
/** On a busy host the reader waits for a CPU now and then. After so many polls without a record, something hangs. */
const POLLS_BEFORE_PAUSE = 50;
const POLLS_MS = POLLS_BEFORE_PAUSE * WAIT_MS;
const LONGEST_PAUSE_MS = 20;
/**
 * The reader gives up each read in time. It counts as hanging after this time without a record: longer than its
 * rounds, and not counting what this process spends waiting for a CPU.
 */
const SILENCE_MS = 2500;
const POLLIN = 1;
/** Tasks per request. */
const AT_ONCE = 4000;

/** The reader was killed or stopped, or ended by itself. */
export class ReaderEnded extends Error {
  readonly how: string;

  constructor(how: string) {
    super(`the reader process ended: ${how}`);
    this.how = how;
  }
}

/**
 * A separate process that reads files of /proc and makes system calls. Any of these may hang, some for good; kstack
 * itself goes on and can always exit. See reader/reader.c. Whoever opens one closes it.
 */
export class Reader {
  readonly #root: string;
  #process: Spawned;
  #buffer = Buffer.alloc(BUFFER_BYTES);
  #words = new Uint32Array(this.#buffer.buffer, this.#buffer.byteOffset, BUFFER_BYTES / 4);
  readonly #jobs = new Map<number, Job>();
  /** Asked for in this turn of the event loop. */
  #paths: AskedPath[] = [];
  readonly #poll = libcFunction('int poll(void *descriptors, unsigned long count, int milliseconds)');
  #descriptors: Int32Array;
  #filled = 0;
  #lastJob = 0;
  #pumping = false;
  #unsent: Buffer[] = [];
  #nextIsRound = false;
  /** The request that the reader was sent before the runtime started, until it is known whether it was right. */
  #early: Buffer | undefined;
  #isAhead = false;

  /** @throws Error if the process cannot be started, see {@link spawnReader} */
  constructor(root: string) {
    this.#root = root;
    const early = takeEarlyReader(root);
    this.#early = early?.request;
    this.#isAhead = early !== undefined;
    this.#process = early?.process ?? spawnReader(root);
    this.#descriptors = Int32Array.of(this.#process.output, POLLIN);
    this.#jobs.set(0, GREETING);
  }

  /** How the process ended, if it did so by itself, or was killed or stopped; undefined if it runs. */
  get end(): string | undefined {
    this.#look();
    return this.#end;
  }

  /**
   * Starts the process again if it has ended; false if not. What it had opened is closed.
   * @throws Error if the process cannot be started
   */
  restart(): boolean {
    if (this.end === undefined) return false;
    this.#process = spawnReader(this.#root);
    this.#descriptors = Int32Array.of(this.#process.output, POLLIN);
    this.#jobs.set(0, GREETING);
    this.#filled = 0;
    this.#early = undefined;
    this.#isAhead = false;
    this.#closed = false;
    this.#end = undefined;
    return true;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Whether the first request was sent before the runtime started, as long as no other one was wanted instead. */
  get isAhead(): boolean {
    return this.#isAhead;
  }

  /** Marks the start of a new sample: reads that hung in the previous one are tried last, and only briefly. */
  beginRound(): void {
    this.#nextIsRound = true;
  }

  /** Reads all tasks. Resolves after `take` has had the last record. */
  scan(scan: Scan, take: RecordTaker): Promise<void> {
    return this.#request(KIND.scan, encodeScan(scan), take);
  }

  /** Reads files of the given tasks. `files` returns a bit set for the task at an index. */
  async get(
    tasks: readonly { readonly pid: number; readonly tid: number }[],
    files: (at: number) => number,
    options: GetOptions,
    take: RecordTaker,
  ): Promise<void> {
    const jobs: Promise<void>[] = [];
    for (let from = 0; from < tasks.length; from += AT_ONCE) {
      const some = tasks.slice(from, from + AT_ONCE);
      jobs.push(
        this.#request(
          KIND.get,
          encodeGet(some, (at) => files(from + at), options),
          take,
        ),
      );
    }
    await Promise.all(jobs);
  }

  /**
   * Reads from one file, or reads one symbolic link. Those that are asked for in one turn of the event loop become one
   * request, and each of them resolves by itself.
   */
  path(read: PathRead, take: RecordTaker): Promise<void> {
    // The pump sends them as soon as nothing more is asked for; it may be pausing.
    if (this.#paths.length === 0) setImmediate(() => this.#sendPaths());
    return new Promise<void>((resolve, reject) => this.#paths.push({ read, take, resolve, reject }));
  }

  /** Reads all of these in one request; each record has the index of its read in the place of the TID. */
  async paths(reads: readonly PathRead[], take: RecordTaker): Promise<void> {
    if (reads.length > 0) await this.#request(KIND.paths, encodePaths(reads), take);
  }

  call(number: number, callArguments: readonly CallArgument[], take: RecordTaker): Promise<void> {
    return this.#request(KIND.calls, encodeCall(number, callArguments), take);
  }

  /** Ends the reader and its workers. Workers that cannot be killed are left behind and hold no resource of kstack. */
  close(): void {
    this.#end = undefined;
    this.#fail(new Error('the reader was closed'));
    waitBriefly(this.#process.pid);
  }

  #sendPaths(): void {
    const asked = this.#paths;
    if (asked.length === 0) return;
    this.#paths = [];
    const take: RecordTaker = (record) => {
      const one = asked[record.tid];
      one?.take(record);
      if ((record.flags & FLAG.more) === 0) one?.resolve();
    };
    this.#request(KIND.paths, encodePaths(asked.map(({ read }) => read)), take).catch((error: Error) => {
      for (const { reject } of asked) reject(error);
    });
  }

  #request(kind: number, body: Buffer, take: RecordTaker): Promise<void> {
    if (this.#closed)
      return Promise.reject(this.#end === undefined ? new Error('the reader was closed') : new ReaderEnded(this.#end));
    this.#lastJob = (this.#lastJob % 0x7fffffff) + 1;
    const job = this.#lastJob;
    const header = Buffer.alloc(16);
    header.writeUInt32LE(body.length, 0);
    header.writeUInt32LE(job, 4);
    header.writeUInt32LE(kind, 8);
    header.writeUInt32LE(Number(this.#nextIsRound), 12);
    this.#nextIsRound = false;
    // If the early request is another, nobody takes its records.
    const request = Buffer.concat([header, body]);
    const isSent = this.#early?.equals(request) === true;
    if (this.#early !== undefined) this.#isAhead = isSent;
    this.#early = undefined;
    if (!isSent) this.#unsent.push(request);
    const isTimed = kind !== KIND.calls;
    const done = new Promise<void>((resolve, reject) => this.#jobs.set(job, { isTimed, take, resolve, reject }));
    this.#send();
    void this.#pump();
    return done;
  }

  /** Sends as much as the pipe takes. */
  #send(): void {
    while (this.#unsent.length > 0) {
      const bytes = this.#unsent[0] ?? Buffer.alloc(0);
      try {
        const sent = writeSync(this.#process.input, bytes);
        if (sent === bytes.length) this.#unsent.shift();
        else this.#unsent[0] = bytes.subarray(sent);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'EAGAIN') return;
        if (code === 'EPIPE') this.#failEnded(waitBriefly(this.#process.pid));
        else this.#fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  /** Takes records while jobs are pending. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    let pauseMs = 0;
    let idlePolls = 0;
    let silentMs = 0;
    // Job 0 is the greeting, which nobody waits for.
    while (this.#paths.length > 0 || this.#jobs.size > (this.#jobs.has(0) ? 1 : 0)) {
      this.#sendPaths();
      if (this.#unsent.length > 0) this.#send();
      if (this.#turn(pauseMs === 0 ? WAIT_MS : 0)) {
        pauseMs = 0;
        idlePolls = 0;
        silentMs = 0;
        await nextTurn();
      } else if (++idlePolls < POLLS_BEFORE_PAUSE) {
        await nextTurn();
      } else {
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2 || 1);
        await sleep(pauseMs);
        silentMs = this.#isTimed() ? silentMs + pauseMs : 0;
        this.#look();
        if (silentMs >= SILENCE_MS) this.#kill(`no answer within ${(SILENCE_MS + POLLS_MS) / 1000} s`);
      }
    }
    this.#pumping = false;
  }

  /** Takes the records that have arrived; false if none arrive within `waitMs`. */
  #turn(waitMs: number): boolean {
    if (this.#closed) return false;
    this.#descriptors[1] = POLLIN;
    if (this.#poll(this.#descriptors, 1, waitMs) <= 0) return false;
    const got = readSync(this.#process.output, this.#buffer, this.#filled, this.#buffer.length - this.#filled, null);
    if (got === 0) {
      this.#failEnded(waitBriefly(this.#process.pid));
      return false;
    }
    this.#filled += got;
    this.#takeRecords();
    return true;
  }

  #takeRecords(): void {
    const words = this.#words;
    let at = 0;
    for (;;) {
      const word = at >> 2;
      if (this.#filled - at < RECORD.words * 4) break;
      const length = words[word + RECORD.bytes] ?? 0;
      if (this.#filled - at < length) {
        this.#makeRoom(length);
        break;
      }
      const number = words[word + RECORD.job] ?? 0;
      const job = this.#jobs.get(number);
      const what = words[word + RECORD.what] ?? 0;
      const result = (words[word + RECORD.result] ?? 0) + ((words[word + RECORD.result + 1] ?? 0) | 0) * 2 ** 32;
      if (what === WHAT.end) {
        this.#jobs.delete(number);
        if (number === 0 && result < 0) this.#fail(new Error(`cannot open the procfs: ${errnoName(-result)}`));
        job?.resolve();
      } else if (job !== undefined) {
        const from = at + RECORD.words * 4;
        const end = what === WHAT.call ? at + length : from + Math.max(0, result);
        job.take({
          pid: words[word + RECORD.pid] ?? 0,
          tid: words[word + RECORD.tid] ?? 0,
          what,
          flags: words[word + RECORD.flags] ?? 0,
          result,
          bytes: this.#buffer.subarray(from, end),
        });
      }
      at += length;
    }
    this.#buffer.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }

  /** A command line may exceed the buffer. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.alloc(bytes + BUFFER_BYTES);
    this.#buffer.copy(larger);
    this.#buffer = larger;
    this.#words = new Uint32Array(larger.buffer, larger.byteOffset, larger.length >> 2);
  }

  #isTimed(): boolean {
    for (const { isTimed } of this.#jobs.values()) if (isTimed) return true;
    return false;
  }

  /** Notices that somebody has killed or stopped the process. A stopped one is killed: it would answer nobody. */
  #look(): void {
    if (this.#closed) return;
    const status = waitStatus(this.#process.pid);
    if (status === undefined) return;
    if (isStopped(status)) this.#kill(howItEnded(status));
    else this.#failEnded(status);
  }

  #kill(why: string): void {
    process.kill(this.#process.pid, 'SIGKILL');
    waitBriefly(this.#process.pid);
    this.#failBy(why);
  }

  #failEnded(status: number | undefined): void {
    this.#failBy(howItEnded(status));
  }

  #failBy(why: string): void {
    this.#end = why;
    this.#fail(new ReaderEnded(why));
  }

  #closed = false;
  #end: string | undefined;

  #fail(error: Error): void {
    if (!this.#closed) {
      this.#closed = true;
      closeSync(this.#process.input);
      closeSync(this.#process.output);
    }
    for (const job of [...this.#jobs.values(), ...this.#paths]) job.reject(error);
    this.#jobs.clear();
    this.#paths = [];
    this.#unsent = [];
  }
}

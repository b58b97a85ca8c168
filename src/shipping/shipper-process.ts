import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';

/** Set in the environment of a process that a recorder has started: it ends as soon as standard input does. */
export const SHIPPER = 'KSTACK_SHIPPER';

export interface ShipperProcessOptions {
  /** The command that sends the directory that is recorded to. */
  readonly file: string;
  readonly args: readonly string[];
  /** Passes on what it says, a line at a time. */
  tell(text: string): void;
}

const FIRST_PAUSE_MS = 1000;
const MOST_PAUSE_MS = 60_000;
/** It ends by itself in less. */
const ENDS_MS = 15_000;

/**
 * The process that sends a recording to a database while it is written: the recorder neither waits for it nor shares
 * its memory. If it ends, another one is started.
 */
export class ShipperProcess {
  readonly #options: ShipperProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(options: ShipperProcessOptions) {
    this.#options = options;
    this.#start();
  }

  /** Has it send what is there, and waits for that, but not for long. */
  async end(): Promise<void> {
    clearTimeout(this.#again);
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.stdin?.end();
    const late = setTimeout(() => child.kill('SIGKILL'), ENDS_MS);
    await this.#ended;
    clearTimeout(late);
  }

  #start(): void {
    const { file, args, tell } = this.#options;
    const child = spawn(file, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, [SHIPPER]: '1' },
    });
    this.#child = child;
    // Its end is told below.
    child.stdin.on('error', () => undefined);
    if (child.pid !== undefined) yieldTo(child.pid);
    createInterface({ input: child.stderr }).on('line', (line) => tell(line.replace(/^kstack: /, '')));
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#restart(child, error.message);
        resolve();
      });
      child.once('close', (code, signal) => {
        this.#restart(child, signal === null ? `exit code ${code}` : `it was killed by ${signal}`);
        resolve();
      });
    });
  }

  #restart(child: ChildProcess, why: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#options.tell(`the process that sends the recording ended (${why}); another one is started`);
    this.#again = setTimeout(() => this.#start(), this.#pauseMs);
    this.#again.unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, MOST_PAUSE_MS);
  }
}

/** Samples are more urgent than what becomes of them. */
function yieldTo(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    // It has ended already.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

import { constants, openSync, writeSync } from 'node:fs';
import { type Key, KeyDecoder } from './keys.ts';
import type { Size } from './screen.ts';

const STDOUT = 1;
/** The other screen (1049), no cursor (25): xterm's control sequences. */
const ENTER = '\x1b[?1049h\x1b[?25l';
/** The mouse (1000) in SGR form (1006). */
const MOUSE = { on: '\x1b[?1000h\x1b[?1006h', off: '\x1b[?1006l\x1b[?1000l' } as const;
/** First of all, what ends a sequence of which only a part was sent, and a frame that was begun. */
const LEAVE = `\x18\x1b[?2026l\x1b[0m${MOUSE.off}\x1b[?25h\x1b[?1049l`;
/** Of an escape that nothing follows for so long, it is known that it was the key. */
const ESCAPE_MS = 50;
const RETRY_MS = 20;
/** A terminal that was stopped by Ctrl-S takes nothing. */
const MOST_TRIES = 25;
const SMALLEST: Size = { rows: 1, columns: 1 };
const USUAL: Size = { rows: 24, columns: 80 };

export interface SessionHandlers {
  pressed(keys: readonly Key[]): void;
  /** All has to be drawn again. */
  lost(): void;
  /** There is room to draw again. */
  drained(): void;
}

/** A terminal as long as it is in use: keys come in one by one, and what it takes late delays nobody. */
export class TerminalSession {
  readonly #handlers: SessionHandlers;
  readonly #fd = openOutput();
  readonly #decoder = new KeyDecoder();
  #isEntered = false;
  /** A signal may still be on its way to its handler. */
  #isClosed = false;
  #hasMouse = true;
  #escape: NodeJS.Timeout | undefined;
  #pending: Uint8Array = new Uint8Array(0);
  #retry: NodeJS.Timeout | undefined;
  #return: NodeJS.Timeout | undefined;
  readonly #restore = () => this.#leave();
  readonly #resume = () => this.#enter();
  readonly #suspend = () => this.suspend();

  constructor(handlers: SessionHandlers) {
    this.#handlers = handlers;
  }

  open(): void {
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (piece: string) => this.#take(piece));
    process.stdout.on('resize', this.#handlers.lost);
    process.on('SIGCONT', this.#resume);
    process.on('exit', this.#restore);
    this.#enter();
  }

  get size(): Size {
    const { rows, columns } = process.stdout;
    // 0 is what a serial console says.
    return {
      rows: Math.max(SMALLEST.rows, rows || USUAL.rows),
      columns: Math.max(SMALLEST.columns, columns || USUAL.columns),
    };
  }

  /** Whether the terminal is another's, or has not yet taken what was written before. */
  get isBusy(): boolean {
    return !this.#isEntered || this.#pending.length > 0;
  }

  /** Only while it is not busy. */
  write(text: string): void {
    this.#pending = Buffer.concat([this.#pending, Buffer.from(text)]);
    this.#send();
  }

  /** Leaves the mouse to the terminal, which then selects text, or takes it back. Returns whether it has it. */
  toggleMouse(): boolean {
    this.#hasMouse = !this.#hasMouse;
    this.write(this.#hasMouse ? MOUSE.on : MOUSE.off);
    return this.#hasMouse;
  }

  /** Stops this process and all others of the command, as Ctrl-Z does, until it is continued. */
  suspend(): void {
    this.#leave();
    process.kill(0, 'SIGTSTP');
    // It goes on here when it is continued, or at once where nothing could continue it: there is no SIGCONT then.
    this.#return = setTimeout(() => {
      if (!this.#isEntered) this.#enter();
    }, RETRY_MS);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    clearTimeout(this.#escape);
    clearTimeout(this.#return);
    process.off('SIGCONT', this.#resume);
    process.off('exit', this.#restore);
    process.stdout.off('resize', this.#handlers.lost);
    this.#leave();
    this.#isClosed = true;
    process.stdin.pause();
    process.stdin.unref();
  }

  #enter(): void {
    if (this.#isClosed) return;
    process.stdin.setRawMode(true);
    process.stdin.resume();
    if (!this.#isEntered) process.on('SIGTSTP', this.#suspend);
    this.#isEntered = true;
    this.write(`${ENTER}${this.#hasMouse ? MOUSE.on : ''}`);
    this.#handlers.lost();
  }

  #leave(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    process.off('SIGTSTP', this.#suspend);
    clearTimeout(this.#retry);
    this.#pending = Buffer.from(LEAVE);
    for (let tries = 0; this.#pending.length > 0 && tries < MOST_TRIES; tries++)
      if (!this.#sendSome()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    this.#pending = new Uint8Array(0);
    process.stdin.setRawMode(false);
  }

  #send(): void {
    clearTimeout(this.#retry);
    while (this.#pending.length > 0)
      if (!this.#sendSome()) {
        this.#retry = setTimeout(() => {
          this.#send();
          if (!this.isBusy) this.#handlers.drained();
        }, RETRY_MS);
        return;
      }
  }

  /** False if the terminal takes nothing now. */
  #sendSome(): boolean {
    try {
      this.#pending = this.#pending.subarray(writeSync(this.#fd, this.#pending));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code === 'EAGAIN') return false;
      // The terminal is gone: SIGHUP ends kstack.
      this.#pending = new Uint8Array(0);
    }
    return true;
  }

  #take(piece: string): void {
    clearTimeout(this.#escape);
    const keys = this.#decoder.push(piece);
    if (keys.length > 0) this.#handlers.pressed(keys);
    if (this.#decoder.isPending)
      this.#escape = setTimeout(() => this.#handlers.pressed(this.#decoder.flush()), ESCAPE_MS);
  }
}

/** Opened again, because the flag would affect every process that shares the descriptor. */
function openOutput(): number {
  try {
    return openSync(`/proc/self/fd/${STDOUT}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    // The terminal belongs to another user, as after su(1).
    if (!(error instanceof Error && 'code' in error)) throw error;
    return STDOUT;
  }
}

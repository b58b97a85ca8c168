import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Event } from '../../../model/event.ts';
import { unreadableFrom } from '../../../model/reading.ts';
import { seekToEnd } from '../../../native/files.ts';
import { errnoOf } from '../procfs/files.ts';
import { KernelLines, type ReadAt } from './kernel-lines.ts';

/** CONSOLE_EXT_LOG_MAX of kernel/printk/internal.h is 8 KiB. */
const RECORD_BYTES = 16 * 1024;
/** Of one sample. Further records wait for the next one. */
const MOST_RECORDS = 2000;

/**
 * The kernel log from the moment on when it is opened. Never waits: a read of /dev/kmsg takes no lock but its own
 * (kernel/printk/printk.c, devkmsg_read).
 */
export class KernelLog {
  readonly #lines: KernelLines;
  readonly #buffer = Buffer.alloc(RECORD_BYTES);
  #fd: number | undefined;
  #why: string | undefined;

  /** @param nowMs Unix milliseconds */
  constructor(path: string, nowMs: number) {
    this.#lines = new KernelLines(nowMs);
    try {
      this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      seekToEnd(this.#fd);
    } catch (error) {
      this.#give(`the kernel log is missing: ${path} cannot be read (${unreadableFrom(errnoOf(error))})`);
    }
  }

  /** What the kernel has said since the last call. Events of the kind `lost` tell what is missing. */
  read(at: ReadAt): Event[] {
    for (let records = 0; records < MOST_RECORDS && this.#fd !== undefined; records++)
      if (!this.#takeNext(this.#fd)) break;
    const events = this.#lines.events(at);
    if (this.#why === undefined) return events;
    const lost: Event = { timeMs: at.nowMs, kind: 'lost', text: this.#why };
    this.#why = undefined;
    return [...events, lost];
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** False at the end. */
  #takeNext(fd: number): boolean {
    try {
      const length = readSync(fd, this.#buffer);
      this.#lines.take(this.#buffer.subarray(0, length));
      return length > 0;
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EAGAIN') return false;
      // EINVAL: the record does not fit into the buffer.
      if (code === 'EPIPE' || code === 'EINVAL') this.#lines.lose();
      else this.#give(`the kernel log is missing from here on: it cannot be read (${unreadableFrom(code)})`);
      return true;
    }
  }

  #give(why: string): void {
    this.close();
    this.#why = why;
  }
}

import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Redactor } from '../../analysis/redact.ts';
import { codeOf } from '../../files/files.ts';
import { reasonOf } from '../../native/reason.ts';
import { type KmsgRecord, parseKmsg } from '../../sources/live/host/kmsg.ts';
import { escapeUnsafe } from '../../terminal/escape.ts';
import { isKnownLine } from './known-lines.ts';

export const KMSG = '/dev/kmsg';

/** A record is at most 8 KiB (CONSOLE_EXT_LOG_MAX of kernel/printk/internal.h). */
const RECORD_BYTES = 16 << 10;
/** Whoever writes to the log faster than it is read must not keep kstack. */
const MOST_RECORDS = 500_000;
const FACILITIES_FROM = 8;

export interface KernelLogText {
  readonly text: string;
  /** What is missing. */
  readonly notes: readonly string[];
}

/**
 * The log of this boot, as far as the kernel still has it, in the form of `dmesg -r`; of a long one, the last lines. It
 * never waits: a read of /dev/kmsg takes no lock but its own (kernel/printk/printk.c, devkmsg_read).
 * @param redactor if given, only lines of known forms are kept, and what they quote is replaced
 * @throws Error with an errno's name as `code` if it cannot be read
 */
export function readKernelLog(path: string, mostBytes: number, redactor: Redactor | undefined): KernelLogText {
  const lines = new LastLines(mostBytes);
  const left = { overwritten: 0, unknown: 0 };
  let next: number | undefined;
  for (const record of recordsIn(path)) {
    left.overwritten += record.sequence - (next ?? 0);
    next = record.sequence + 1;
    const shown = redactor === undefined ? record.text : redactedText(record, redactor);
    if (shown === undefined) left.unknown++;
    else lines.add(lineOf(record, shown));
  }
  const note = (count: number, why: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? 'line is' : 'lines are'} missing: ${why}`];
  return {
    text: lines.text(),
    notes: [
      ...note(left.overwritten, 'the kernel had overwritten them'),
      ...note(lines.dropped, 'the older ones, for which there was no room'),
      ...note(left.unknown, 'redacted, as their form is not one that is known to tell of tasks, stacks and locks'),
    ],
  };
}

/** Why the log cannot be read, and who may read it (kernel/printk/printk.c, check_syslog_permissions). */
export function whyNoLog(error: unknown): string {
  const isDenied = ['EPERM', 'EACCES'].includes(codeOf(error) ?? '');
  return isDenied ? `${reasonOf(error)}: root reads it, or CAP_SYSLOG with the permission of ${KMSG}` : reasonOf(error);
}

function* recordsIn(path: string): Generator<KmsgRecord> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(RECORD_BYTES);
  try {
    for (let records = 0; records < MOST_RECORDS; records++) {
      let length: number;
      try {
        length = readSync(fd, buffer);
      } catch (error) {
        const code = codeOf(error);
        if (code === 'EAGAIN') return;
        // EPIPE: overwritten before it was read. EINVAL: it does not fit into the buffer. The next read has the next one.
        if (code === 'EPIPE' || code === 'EINVAL') continue;
        throw error;
      }
      if (length === 0) return;
      const record = parseKmsg(buffer.subarray(0, length));
      if (record !== undefined) yield record;
    }
  } finally {
    closeSync(fd);
  }
}

/** Undefined for what any program may have written, and for lines that are of no known form. */
function redactedText({ priority, text }: KmsgRecord, redactor: Redactor): string | undefined {
  return priority < FACILITIES_FROM && isKnownLine(text) ? redactor.kernelLine(text) : undefined;
}

function lineOf({ priority, uptimeSeconds }: KmsgRecord, text: string): string {
  return `<${priority}>[${uptimeSeconds.toFixed(6).padStart(12)}] ${escapeUnsafe(text)}\n`;
}

/** Of many lines the last ones, which together have at most so many bytes. */
class LastLines {
  readonly #mostBytes: number;
  readonly #lines: Buffer[] = [];
  #bytes = 0;
  dropped = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(text: string): void {
    const line = Buffer.from(text);
    this.#lines.push(line);
    this.#bytes += line.length;
    for (; this.#bytes > this.#mostBytes; this.dropped++) {
      this.#bytes -= this.#lines[this.dropped]?.length ?? 0;
      this.#lines[this.dropped] = EMPTY;
    }
  }

  text(): string {
    return Buffer.concat(this.#lines).toString();
  }
}

const EMPTY = Buffer.alloc(0);

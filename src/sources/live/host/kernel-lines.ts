import type { Event } from '../../../model/event.ts';
import { kernelEventKind } from '../../kernel-event.ts';
import { parseKmsg } from './kmsg.ts';

/** Of one sample. */
const MOST_EVENTS = 100;
const LONGEST_TEXT = 400;

/** When the log is read: Unix milliseconds, and the kernel's time since boot, if that is known. */
export interface ReadAt {
  readonly nowMs: number;
  readonly uptimeSeconds: number | undefined;
}

/** Makes events of the records of /dev/kmsg. What is left out is counted in events of the kind `lost`. */
export class KernelLines {
  #lastMs: number;
  /** Of the next record. */
  #sequence: number | undefined;
  #overwritten = 0;
  #found: { readonly uptimeSeconds: number; readonly kind: Event['kind']; readonly text: string }[] = [];
  #left = 0;

  /** @param nowMs Unix milliseconds at which the first of these records may have been written */
  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  take(bytes: Buffer): void {
    const record = parseKmsg(bytes);
    if (record === undefined) return;
    const { sequence, uptimeSeconds, text } = record;
    this.#overwritten += Math.max(0, sequence - (this.#sequence ?? sequence));
    this.#sequence = sequence + 1;
    const kind = kernelEventKind(text);
    if (kind === undefined) return;
    if (this.#found.length < MOST_EVENTS) this.#found.push({ uptimeSeconds, kind, text: cut(text) });
    else this.#left++;
  }

  /** The next record is not there any more. How many are not is known from the number of the one behind them. */
  lose(): void {
    if (this.#sequence === undefined) this.#overwritten++;
  }

  /** What was taken since the last call. */
  events(at: ReadAt): Event[] {
    const { nowMs } = at;
    const lost = (timeMs: number, count: number, what: string): Event[] =>
      count === 0
        ? []
        : [{ timeMs, kind: 'lost', text: `${count} line${count === 1 ? '' : 's'} of the kernel log ${what}` }];
    const events = [
      ...lost(this.#lastMs, this.#overwritten, 'overwritten before being read'),
      ...this.#found.map((event) => ({ timeMs: this.#timeOf(event.uptimeSeconds, at), ...event })),
      ...lost(nowMs, this.#left, 'left out: too many at once'),
    ];
    this.#lastMs = nowMs;
    this.#overwritten = 0;
    this.#found = [];
    this.#left = 0;
    return events;
  }

  /** The kernel's clock drifts, stands still in suspend, and may be hidden from a container; the order is certain. */
  #timeOf(uptimeSeconds: number, { nowMs, uptimeSeconds: now }: ReadAt): number {
    const timeMs = now === undefined ? nowMs : Math.round(nowMs - 1000 * (now - uptimeSeconds));
    return Math.min(nowMs, Math.max(this.#lastMs, timeMs));
  }
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text;
}

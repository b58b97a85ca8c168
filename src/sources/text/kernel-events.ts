import type { EventKind } from '../../model/event.ts';
import { kernelEventKind, mayBeKernelEvent } from '../kernel-event.ts';
import { isSameMoment, type Stamp, Stamps } from './stamps.ts';
import { cleaned } from './wrapping/clean.ts';
import { bodyOf } from './wrapping/prefix.ts';

/** Of one moment. */
const MOST_EVENTS = 100;
const LONGEST_TEXT = 400;
/** A disk that fails has a log of nothing else. */
export const MOST_MOMENTS = 200;

/** What the kernel said at one moment. */
export interface KernelMoment {
  readonly stamp: Stamp;
  readonly events: { readonly stamp: Stamp; readonly kind: EventKind; readonly text: string }[];
  /** How many lines were too many. */
  left: number;
}

/** The lines of a text in which the kernel says that something happened. */
export class KernelEvents {
  readonly #stamps = new Stamps();
  /** In the order of the text. Whoever uses some takes them out. */
  moments: KernelMoment[] = [];

  take(line: string): void {
    if (!mayBeKernelEvent(line)) return;
    const clean = cleaned(line, false);
    const { text } = bodyOf(clean);
    const kind = kernelEventKind(text);
    if (kind === undefined || !isKernels(clean.slice(0, clean.length - text.length))) return;
    // Each line has a time of its own, or none.
    this.#stamps.now = { told: {}, begun: 0 };
    this.#stamps.take(clean);
    const stamp = this.#stamps.now;
    const last = this.moments.at(-1);
    const moment = last !== undefined && isSameMoment(last.stamp, stamp) ? last : { stamp, events: [], left: 0 };
    if (moment !== last) this.moments.push(moment);
    if (moment.events.length < MOST_EVENTS) moment.events.push({ stamp, kind, text: cut(text.trim()) });
    else moment.left++;
  }
}

const QUOTES = /[>|│┃║]/g;

/** Whether the kernel wrote this line, by what stands before its text: a daemon may say the same. */
function isKernels(prefix: string): boolean {
  return (
    prefix.includes('kernel') ||
    prefix.endsWith('output: ') ||
    /[[;<]/.test(prefix) ||
    !prefix.replace(QUOTES, '').trim().includes(' ')
  );
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text;
}

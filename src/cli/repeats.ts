import { changesBetween } from '../model/changes.ts';
import type { Observation, Sample } from '../model/sample.ts';

/** Bounds memory: a hundred days of a sample every ten seconds. */
const MOST_TIMES = 1_000_000;
/** So many of the innermost frames tell stacks apart. */
const FRAMES = 3;

/** What stands for the content of each sample of one stream, in time that follows what changes. */
export class Fingerprints {
  readonly #hosts = new Map<string | undefined, { readonly last: Sample; readonly tasks: number }>();

  of(sample: Sample): number {
    const { host, monotonicMs = 0, uptimeSeconds = 0, events = [] } = sample;
    const known = this.#hosts.get(host);
    const { gone, come } = changesBetween(known?.last, sample);
    let tasks = known?.tasks ?? 0;
    // The order of the tasks does not count, so what goes can be taken away.
    for (const observation of gone) tasks = (tasks - numberOf(observation)) | 0;
    for (const observation of come) tasks = (tasks + numberOf(observation)) | 0;
    this.#hosts.set(host, { last: sample, tasks });
    const told = events.reduce((number, { text }) => mixed(number, text.length), events.length);
    return mixed(mixed(tasks, told), monotonicMs + uptimeSeconds);
  }
}

function mixed(number: number, more: number): number {
  return Math.imul(number ^ more, 0x01000193) ^ (number >>> 15);
}

function numberOf({ task, state, stack }: Observation): number {
  let number = mixed(task.id.tid ?? -1, state?.charCodeAt(0) ?? 0);
  if ('unread' in stack) return number;
  const { frames } = stack.value;
  number = mixed(number, frames.length);
  for (let at = 0; at < FRAMES && at < frames.length; at++) {
    const { symbol = '', offset = 0, size = 0 } = frames[at] ?? {};
    number = mixed(mixed(number, symbol.length + 256 * size), offset);
  }
  return number;
}

/** Finds samples that were there already, in this file or in another one. */
export class Repeats {
  readonly #known = new Map<string | undefined, Map<number, number | number[]>>();
  #count = 0;

  /** @param fingerprint of the sample */
  has({ host, timeMs }: Sample, fingerprint: number): boolean {
    if (timeMs === undefined) return false;
    const times = this.#known.get(host) ?? new Map<number, number | number[]>();
    const known = times.get(timeMs);
    const all = known === undefined ? [] : [known].flat();
    if (all.includes(fingerprint)) return true;
    if (this.#count >= MOST_TIMES) {
      this.#known.clear();
      this.#count = 0;
    }
    this.#count++;
    // Nearly all times have one sample.
    times.set(timeMs, known === undefined ? fingerprint : [...all, fingerprint]);
    this.#known.set(host, times);
    return false;
  }
}

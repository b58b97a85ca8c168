import { bootOf, type Sample, sharesBoot } from '../model/sample.ts';
import { taskKey } from '../model/task.ts';

/** What a file, or several of which each begins where another one ends, tell as one. */
interface Slot {
  readonly number: number;
  last: Sample;
  /** Whether the file is over, so that another one may go on. */
  isFree: boolean;
}

/** One file while it is read. */
export interface Numbered {
  slot?: Slot;
}

/**
 * Numbers what is read at a time: that a task is not in one of two recordings that overlap does not say that it is gone.
 * A rotated file goes on with the number of the one before it.
 */
export class Streams {
  readonly #slots: Slot[] = [];
  readonly #hosts = new Map<string, number>();

  /** The number of the stream that a sample of the file belongs to. */
  numberOf(file: Numbered, sample: Sample): number {
    // A log of events tells of some tasks only, as do all others of its host.
    if (sample.source.partial === true) return 0;
    file.slot ??= this.#freeFor(sample) ?? this.#added(sample);
    file.slot.last = sample;
    return file.slot.number;
  }

  /** The number of all that a database tells of a host. */
  numberOfHost({ host = '' }: Sample): number {
    const number = this.#hosts.get(host) ?? this.#hosts.size;
    this.#hosts.set(host, number);
    return number;
  }

  end({ slot }: Numbered): void {
    if (slot === undefined) return;
    slot.isFree = true;
    // The latest one is found first.
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    this.#slots.unshift(slot);
  }

  #freeFor(sample: Sample): Slot | undefined {
    const free = this.#slots.filter(({ isFree, last }) => isFree && isOfOneHost(last, sample));
    const slot = free.find(({ last }) => isTakenAlike(last, sample)) ?? free[0];
    if (slot !== undefined) slot.isFree = false;
    return slot;
  }

  #added(last: Sample): Slot {
    const slot = { number: this.#slots.length, last, isFree: false };
    this.#slots.push(slot);
    return slot;
  }
}

/** It may have been renamed between two files: a task that is in both tells that, and no container shares one. */
function isOfOneHost(a: Sample, b: Sample): boolean {
  if (a.host === b.host) return true;
  if (bootOf(a) === undefined || !sharesBoot(a, b)) return false;
  const known = new Set(a.observations.map(({ task }) => taskKey(task.id)));
  return b.observations.some(({ task: { id } }) => id.startTicks !== undefined && known.has(taskKey(id)));
}

function isTakenAlike(a: Sample, b: Sample): boolean {
  return a.threads === b.threads && a.intervalMs === b.intervalMs && a.source.name === b.source.name;
}

import type { Event } from '../../model/event.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { HeldLocks } from './held-locks.ts';
import { KernelEvents, type KernelMoment, MOST_MOMENTS } from './kernel-events.ts';
import { observationsOf } from './observations.ts';
import type { StackFinder } from './stacks/stacks.ts';
import type { LeftOut } from './stacks/text-stack.ts';
import { isSameMoment, type Stamp } from './stamps.ts';

const NO_STAMP: Stamp = { told: {}, begun: 0 };
/** A moment with more tasks makes several samples, so that memory is bounded. */
const MOST_OBSERVATIONS = 50_000;

/** See ReaderOptions. */
export interface BuilderOptions {
  readonly assumeTimeMs: ((clockMs: number) => number) | undefined;
  readonly place?: () => string | undefined;
}

/**
 * Collects the stacks and the events that are found in a text into samples, one for each moment. A moment with events
 * only is a sample without tasks.
 */
export class SampleBuilder {
  readonly #finder: StackFinder;
  readonly #found: Sample[];
  readonly #assumeTimeMs: BuilderOptions['assumeTimeMs'];
  readonly #place: BuilderOptions['place'];
  #observations: Observation[] = [];
  #stamp: Stamp | undefined;
  #guesses = 0;
  #cut = 0;
  #mixed = 0;
  #isOfProcesses = false;
  readonly #kernel = new KernelEvents();
  readonly #locks = new HeldLocks();

  /** `found` gets the samples that are complete. */
  constructor(finder: StackFinder, found: Sample[], { assumeTimeMs, place }: BuilderOptions) {
    this.#assumeTimeMs = assumeTimeMs;
    this.#place = place;
    this.#finder = finder;
    this.#found = found;
  }

  /** Takes a line, in which the kernel may say that something happened. */
  note(line: string): void {
    this.#kernel.take(line);
    this.#locks.take(line);
    if (this.#kernel.moments.length < MOST_MOMENTS) return;
    this.#end();
    for (const moment of this.#kernel.moments.splice(0)) this.#addMoment(moment);
  }

  /** Takes the stacks that the finder has found. */
  advance(): void {
    if (this.#finder.found.length === 0) return;
    for (const found of this.#finder.found.splice(0)) {
      if (this.#stamp !== undefined && !isSameMoment(this.#stamp, found.stamp)) this.#end();
      if (this.#observations.length === 0) this.#stamp = found.stamp;
      this.#leaveOut(found.leftOut);
      const isOfProcesses = found.tasks.some(({ isProcess }) => isProcess === true);
      for (const observation of observationsOf(found)) {
        if (this.#observations.length >= MOST_OBSERVATIONS) this.#end();
        this.#isOfProcesses ||= isOfProcesses;
        this.#observations.push(observation);
      }
    }
  }

  /** No more lines follow: what was left out behind the last stack is of the last sample. */
  finish(): void {
    this.#finder.end();
    this.advance();
    this.#leaveOut(this.#finder.leftOut);
    this.#end();
    for (const moment of this.#kernel.moments.splice(0)) this.#addMoment(moment);
  }

  #leaveOut({ guesses, cut, mixed }: LeftOut): void {
    this.#guesses += guesses;
    this.#cut += cut;
    this.#mixed += mixed;
  }

  #end(): void {
    const guesses = this.#guesses;
    const lines = this.#cut;
    const mixed = this.#mixed;
    if (this.#observations.length === 0 && guesses + lines + mixed === 0) return;
    const events = this.#eventsUntilNow();
    this.#observations = withoutToldTwice(this.#observations);
    const { edges, holders } = this.#locks.edgesAmong(this.#observations, this.#stamp);
    this.#found.push({
      ...this.#toldBy(this.#stamp ?? NO_STAMP),
      // Only a sample of kstack shows all tasks that were looked for.
      source: (this.#stamp?.begun ?? 0) > 0 ? { name: 'text' } : { name: 'text', partial: true },
      threads: !this.#isOfProcesses,
      fields: [],
      observations: this.#observations,
      holders,
      leftOut: {
        ...(guesses > 0 && { guessedFrames: guesses }),
        ...(lines > 0 && { lines }),
        ...(mixed > 0 && { mixed }),
      },
      unread: [],
      ...(edges.length > 0 && { edges }),
      ...(events.length > 0 && { events }),
    });
    this.#observations = [];
    this.#guesses = 0;
    this.#cut = 0;
    this.#mixed = 0;
    this.#isOfProcesses = false;
  }

  /** What happened at the moment of the sample. What happened before that becomes samples of its own. */
  #eventsUntilNow(): Event[] {
    const now = this.#stamp;
    const events: Event[] = [];
    const later: KernelMoment[] = [];
    for (const moment of this.#kernel.moments) {
      if (now === undefined || isSameMoment({ ...now, begun: 0 }, moment.stamp)) addTo(events, this.#eventsOf(moment));
      else if (isBefore(moment.stamp, now)) this.#addMoment(moment);
      else later.push(moment);
    }
    this.#kernel.moments = later;
    return events;
  }

  #addMoment(moment: KernelMoment): void {
    this.#found.push({
      ...this.#toldBy(moment.stamp),
      source: { name: 'text', partial: true },
      threads: true,
      fields: [],
      observations: [],
      holders: [],
      leftOut: {},
      unread: [],
      events: this.#eventsOf(moment),
    });
  }

  #eventsOf({ events, left }: KernelMoment): Event[] {
    const all = events.map(({ stamp, kind, text }): Event => {
      const { timeMs, uptimeSeconds } = this.#toldBy(stamp);
      const when = { ...(timeMs !== undefined && { timeMs }), ...(uptimeSeconds !== undefined && { uptimeSeconds }) };
      return { ...when, kind, text };
    });
    return left === 0 ? all : [...all, { kind: 'lost', text: `${left} more such lines` }];
  }

  #toldBy({ told, clockMs }: Stamp): Stamp['told'] {
    const place = this.#place?.();
    const there = place === undefined ? told : { host: place, ...told };
    if (told.timeMs !== undefined || clockMs === undefined || this.#assumeTimeMs === undefined) return there;
    return { timeMs: this.#assumeTimeMs(clockMs), ...there };
  }
}

/** Of a task whose stack is told, its wait channel tells nothing more. */
function withoutToldTwice(observations: Observation[]): Observation[] {
  const whole = new Map<number, Observation>();
  for (const observation of observations) {
    const { tid } = observation.task.id;
    if (tid !== undefined && observation.wchan === undefined) whole.set(tid, observation);
  }
  return observations.filter(({ task, wchan }) => {
    const { stack } = whole.get(task.id.tid ?? -1) ?? {};
    const isTold = stack !== undefined && 'value' in stack && stack.value.frames.some(({ symbol }) => symbol === wchan);
    return wchan === undefined || !isTold;
  });
}

function addTo(events: Event[], more: readonly Event[]): void {
  for (const event of more) events.push(event);
}

/** As far as both tell; else by their order in the text. */
function isBefore(a: Stamp, b: Stamp): boolean {
  const pairs = [
    [a.told.timeMs, b.told.timeMs],
    [a.told.uptimeSeconds, b.told.uptimeSeconds],
    [a.clockMs, b.clockMs],
  ] as const;
  for (const [one, other] of pairs) if (one !== undefined && other !== undefined) return one < other;
  return true;
}

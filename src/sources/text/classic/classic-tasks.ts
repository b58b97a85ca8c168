import { listedLater, noteChanges } from '../../../model/changes.ts';
import type { Reading } from '../../../model/reading.ts';
import type { Observation, Sample } from '../../../model/sample.ts';
import type { Stack } from '../../../model/stack.ts';
import type { InternedStacks } from '../interned.ts';
import type { Header } from '../line.ts';
import { observationsOf } from '../observations.ts';
import type { ClassicSample, ClassicWords } from './classic-told.ts';
import type { LocalStarts } from './local-starts.ts';

/** How the start of a task was printed first. */
type FirstStart = (tid: number, printed: string) => string;

/** Turns the numbers of a classic log into samples. */
export class ClassicTasks {
  readonly #stacks: InternedStacks;
  readonly #starts: LocalStarts;
  /** By number. */
  #readings: Reading<Stack>[] = [];
  #lines: Header[] = [];
  #observations: Observation[] = [];
  /** Whether each observation is of a line about a process. */
  #isProcess: boolean[] = [];
  /** What each line told last. */
  #latest: (Observation | undefined)[] = [];
  #last: Sample | undefined;

  /** Whether the lines are about threads, as with -L; as long as none has come, nobody knows. */
  #threads = true;

  constructor(stacks: InternedStacks, starts: LocalStarts) {
    this.#stacks = stacks;
    this.#starts = starts;
  }

  learn({ lines, stacks, isAnew }: ClassicWords): void {
    if (isAnew) {
      this.#readings = [];
      this.#lines = [];
      this.#observations = [];
      this.#isProcess = [];
      this.#latest = [];
    }
    for (const line of lines) this.#lines.push(line);
    for (const frames of stacks) this.#readings.push({ value: this.#stacks.intern(frames) });
  }

  sampleOf({ head, localMs, pairs, seen, changes, cut }: ClassicSample): Sample {
    const starts = this.#starts.of(head.host);
    const firstStart = (tid: number, printed: string) => starts.first(tid, printed, localMs);
    for (let at = 0; at + 1 < pairs.length; at += 2) this.#see(pairs[at] ?? -1, pairs[at + 1] ?? -1, firstStart);
    // What is learned anew stands in another list.
    const all = this.#observations;
    const told = {
      ...head,
      source: { name: 'text' as const },
      threads: this.#isOfThreads(seen),
      fields: [],
      holders: [],
      leftOut: cut > 0 ? { lines: cut } : {},
      unread: [],
    };
    const sample = listedLater(told, () => listed(all, seen));
    if (this.#last !== undefined && changes !== undefined)
      noteChanges(this.#last, sample, { gone: listed(all, changes.gone), come: listed(all, changes.come) });
    this.#last = sample;
    return sample;
  }

  #isOfThreads(seen: Int32Array): boolean {
    const first = seen.find((number) => number >= 0);
    if (first !== undefined) this.#threads = this.#isProcess[first] !== true;
    return this.#threads;
  }

  #see(line: number, stack: number, firstStart: FirstStart): void {
    const reading = this.#readings[stack];
    if (reading === undefined || !('value' in reading)) throw new Error('no stack has this number');
    const told = this.#latest[line] ?? this.#first(line, reading.value, firstStart);
    const observation = { ...told, stack: reading };
    this.#latest[line] = observation;
    this.#observations.push(observation);
    this.#isProcess.push(this.#lines[line]?.isProcess === true);
  }

  #first(line: number, stack: Stack, firstStart: FirstStart): Observation {
    const header = this.#lines[line];
    if (header === undefined) throw new Error('no line has this number');
    const { tid, startLocal } = header;
    const isStart = tid !== undefined && startLocal !== undefined;
    const settled = isStart ? { ...header, startLocal: firstStart(tid, startLocal) } : header;
    const told = { tasks: [settled], stack, stamp: { told: {}, begun: 1 }, leftOut: { guesses: 0, cut: 0, mixed: 0 } };
    const [observation] = observationsOf(told);
    if (observation === undefined) throw new Error('a task has one observation');
    return observation;
  }
}

/** What is none has a number below 0. */
function listed(all: readonly Observation[], numbers: Int32Array): Observation[] {
  const observations: Observation[] = [];
  for (const number of numbers) {
    const observation = all[number];
    if (observation !== undefined) observations.push(observation);
  }
  return observations;
}

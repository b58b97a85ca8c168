import { listedLater, noteChanges } from '../../model/changes.ts';
import type { Reading } from '../../model/reading.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { Stack } from '../../model/stack.ts';
import type { ClassicSample, ClassicWords } from './classic-told.ts';
import type { InternedStacks } from './interned.ts';
import type { Header } from './line.ts';
import { observationsOf } from './observations.ts';

/** Turns the numbers of a classic log into samples. */
export class ClassicTasks {
  readonly #stacks: InternedStacks;
  /** By number. */
  #readings: Reading<Stack>[] = [];
  #lines: Header[] = [];
  #observations: Observation[] = [];
  /** What each line told last. */
  #latest: (Observation | undefined)[] = [];
  #last: Sample | undefined;

  constructor(stacks: InternedStacks) {
    this.#stacks = stacks;
  }

  learn({ lines, stacks, isAnew }: ClassicWords): void {
    if (isAnew) {
      this.#readings = [];
      this.#lines = [];
      this.#observations = [];
      this.#latest = [];
    }
    for (const line of lines) this.#lines.push(line);
    for (const frames of stacks) this.#readings.push({ value: this.#stacks.intern(frames) });
  }

  sampleOf({ head, pairs, seen, changes, cut }: ClassicSample): Sample {
    for (let at = 0; at + 1 < pairs.length; at += 2) this.#see(pairs[at] ?? -1, pairs[at + 1] ?? -1);
    // What is learned anew stands in another list.
    const all = this.#observations;
    const told: Sample = {
      ...head,
      source: { name: 'text' },
      threads: true,
      fields: [],
      observations: [],
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

  #see(line: number, stack: number): void {
    const reading = this.#readings[stack];
    if (reading === undefined || !('value' in reading)) throw new Error('no stack has this number');
    const told = this.#latest[line] ?? this.#first(line, reading.value);
    const observation = { ...told, stack: reading };
    this.#latest[line] = observation;
    this.#observations.push(observation);
  }

  #first(line: number, stack: Stack): Observation {
    const header = this.#lines[line];
    if (header === undefined) throw new Error('no line has this number');
    const told = { tasks: [header], stack, stamp: { told: {}, begun: 1 }, leftOut: { guesses: 0, cut: 0, mixed: 0 } };
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

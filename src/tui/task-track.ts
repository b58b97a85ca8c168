import { explainObservation } from '../analysis/explain/explain-sample.ts';
import type { Finding } from '../model/finding.ts';
import { type Observation, type Sample, streamKey } from '../model/sample.ts';
import { taskKey } from '../model/task.ts';
import type { History } from './history.ts';

/** A task that was seen in the same way in one sample after another. */
export interface Stay {
  /** As it was seen last; undefined if it was not seen. */
  observation: Observation | undefined;
  finding: Finding | undefined;
  readonly fromMs: number | undefined;
  toMs: number | undefined;
  samples: number;
}

/** So far back it is looked for a task when somebody opens it. */
const MOST_SAMPLES = 600;
const MOST_STAYS = 1000;

/** What one task did in the samples that are kept, up to one of them. */
export class TaskTrack {
  readonly key: string;
  readonly #history: History;
  #next: number;
  #stays: Stay[] = [];
  /** What the latest sample with the task is of. */
  #stream: string | undefined;

  constructor(key: string, history: History) {
    this.key = key;
    this.#history = history;
    this.#next = Math.max(history.first, history.next - MOST_SAMPLES);
  }

  /** The newest first. */
  upTo(number: number): readonly Stay[] {
    if (number < this.#next - 1) {
      this.#next = Math.max(this.#history.first, number - MOST_SAMPLES);
      this.#stays = [];
    }
    for (; this.#next <= number; this.#next++) {
      const sample = this.#history.at(this.#next);
      if (sample !== undefined) this.#add(sample);
    }
    return this.#stays.toReversed();
  }

  #add(sample: Sample): void {
    const observation = observationOf(sample, this.key);
    const stream = streamKey(sample);
    // Another recording, which does not show the task, does not say that it is gone.
    if (observation === undefined && this.#stream !== undefined && stream !== this.#stream) return;
    if (observation !== undefined) this.#stream = stream;
    const finding = observation && explainObservation(observation);
    const last = this.#stays.at(-1);
    if (last !== undefined && isSame(last, observation, finding)) {
      last.toMs = sample.timeMs;
      last.samples++;
      last.observation = observation;
      return;
    }
    this.#stays.push({ observation, finding, fromMs: sample.timeMs, toMs: sample.timeMs, samples: 1 });
    if (this.#stays.length > MOST_STAYS) this.#stays.shift();
  }
}

function isSame(last: Stay, observation: Observation | undefined, finding: Finding | undefined): boolean {
  return (
    (last.observation === undefined) === (observation === undefined) &&
    last.observation?.state === observation?.state &&
    last.finding?.waitsFor === finding?.waitsFor &&
    last.finding?.within === finding?.within
  );
}

/** A task of a sample, also one that others wait for; undefined if it is not there. */
export function observationOf({ observations, holders }: Sample, key: string): Observation | undefined {
  const is = ({ task }: Observation) => taskKey(task.id) === key;
  return observations.find(is) ?? holders.find(is);
}

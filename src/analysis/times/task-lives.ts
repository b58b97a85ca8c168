import { type Changes, changesBetween } from '../../model/changes.ts';
import type { Finding } from '../../model/finding.ts';
import { type Observation, type Sample, streamKey } from '../../model/sample.ts';
import { type Task, taskKey } from '../../model/task.ts';
import { explainObservation } from '../explain/explain-sample.ts';
import { Pace } from './pace.ts';

/** What a task did from one sample to another. */
export interface Stretch {
  readonly observation: Observation;
  readonly finding: Finding;
  readonly fromMs: number;
  /** Until when: the next sample, or as long as the last one speaks. */
  toMs: number;
}

/** All that was seen of a task, in the order of the times. */
export interface TaskLife {
  readonly key: string;
  readonly host: string | undefined;
  /** As it was seen last. */
  task: Task;
  readonly stretches: Stretch[];
}

/**
 * What each task did when, in a stream of samples that come in the order of their times. The work follows what changes
 * from sample to sample, not the number of tasks.
 */
export class TaskLives {
  readonly #lives = new Map<string, TaskLife>();
  /** What several recordings of a host show at a time are lives of their own: each tells of some tasks only. */
  readonly #hosts = new Map<string, HostLives>();

  add(sample: Sample): void {
    if (sample.timeMs === undefined) return;
    const name = streamKey(sample);
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = new HostLives(name, sample.host, this.#lives);
      this.#hosts.set(name, host);
    }
    host.add(sample, sample.timeMs);
  }

  /** Those seen so far. What still lasts speaks until the end of the last sample. */
  all(): readonly TaskLife[] {
    for (const host of this.#hosts.values()) host.settle();
    return [...this.#lives.values()];
  }
}

class HostLives {
  readonly #stream: string;
  readonly #host: string | undefined;
  readonly #lives: Map<string, TaskLife>;
  readonly #open = new Map<string, Stretch>();
  readonly #pace: Pace;
  #last: Sample | undefined;
  #lastMs = 0;

  constructor(stream: string, host: string | undefined, lives: Map<string, TaskLife>) {
    this.#stream = stream;
    this.#host = host;
    this.#lives = lives;
    // Behind a gap, nothing goes on that was there before it.
    this.#pace = new Pace((fromMs) => this.#interrupt(fromMs + this.#pace.usualMs));
  }

  add(sample: Sample, timeMs: number): void {
    const opened = this.#open.size;
    this.#pace.arrive(timeMs, sample.intervalMs);
    const isInterrupted = opened > 0 && this.#open.size === 0;
    const changes: Changes =
      this.#last === undefined || isInterrupted
        ? { gone: [], come: sample.observations }
        : changesBetween(this.#last, sample);
    this.#last = sample;
    this.#lastMs = timeMs;
    for (const { task } of changes.gone) this.#end(this.#keyOf(task), timeMs);
    for (const observation of changes.come) this.#begin(observation, timeMs);
  }

  /** What is open lasts until the end of the last sample. */
  settle(): void {
    for (const stretch of this.#open.values()) stretch.toMs = this.#lastMs + this.#pace.usualMs;
  }

  #begin(observation: Observation, timeMs: number): void {
    const { task } = observation;
    const key = this.#keyOf(task);
    const finding = explainObservation(observation);
    let life = this.#lives.get(key);
    if (life === undefined) {
      life = { key, host: this.#host, task, stretches: [] };
      this.#lives.set(key, life);
    }
    life.task = task;
    const last = life.stretches.at(-1);
    // It ran, or another fact of it changed, and it is where it was.
    if (last !== undefined && last.toMs === timeMs && isSame(last, observation, finding)) {
      last.toMs = Number.POSITIVE_INFINITY;
      this.#open.set(key, last);
      return;
    }
    const stretch = { observation, finding, fromMs: timeMs, toMs: Number.POSITIVE_INFINITY };
    life.stretches.push(stretch);
    this.#open.set(key, stretch);
  }

  #end(key: string, timeMs: number): void {
    const stretch = this.#open.get(key);
    if (stretch === undefined) return;
    stretch.toMs = timeMs;
    this.#open.delete(key);
  }

  #interrupt(atMs: number): void {
    for (const key of [...this.#open.keys()]) this.#end(key, atMs);
  }

  #keyOf({ id, comm }: Task): string {
    return `${this.#stream}/${id.tid === undefined ? (comm ?? '') : taskKey(id)}`;
  }
}

function isSame(last: Stretch, { state, stack }: Observation, finding: Finding): boolean {
  const before = last.observation;
  const [now, then] = [stack, before.stack];
  const isSameStack =
    'value' in now && 'value' in then ? now.value === then.value : 'unread' in now === 'unread' in then;
  return before.state === state && last.finding === finding && isSameStack;
}

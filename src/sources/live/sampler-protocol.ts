import type { Reading } from '../../model/reading.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { Frame, Stack } from '../../model/stack.ts';
import type { Task } from '../../model/task.ts';
import type { SamplerOptions } from './sampler.ts';

// What a sampler in a process of its own and its owner say to each other: a line of JSON each.

/** The first line to the process; each empty line behind it asks for a sample. */
export interface SamplerOrder {
  readonly root: string;
  readonly options: Omit<SamplerOptions, 'tell'>;
}

export type SamplerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tell'; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'sample'; readonly sample: EncodedSample };

/** An observation whose task and stack were sent once, and stand there by their numbers. */
interface EncodedObservation extends Omit<Observation, 'task' | 'stack'> {
  readonly task: number;
  readonly stack: number | Reading<Stack>;
}

export interface EncodedSample extends Omit<Sample, 'observations' | 'holders'> {
  /** Numbers given before mean nothing any more. */
  readonly anew?: true;
  readonly tasks: readonly (readonly [number, Task])[];
  readonly stacks: readonly (readonly [number, readonly Frame[]])[];
  readonly observations: readonly EncodedObservation[];
  readonly holders: readonly EncodedObservation[];
}

/** Both sides begin anew when so many were sent, so that neither keeps what has ended. */
const MOST_SENT = 200_000;

/** Sends each task and each stack once, for as long as it stays the same object. */
export class SampleEncoder {
  #tasks = new Map<Task, number>();
  #stacks = new Map<Stack, number>();

  encode(sample: Sample): EncodedSample {
    const anew = this.#tasks.size + this.#stacks.size > MOST_SENT;
    if (anew) {
      this.#tasks = new Map();
      this.#stacks = new Map();
    }
    const tasks: [number, Task][] = [];
    const stacks: [number, readonly Frame[]][] = [];
    const encode = (observation: Observation): EncodedObservation => {
      const { task, stack, ...rest } = observation;
      return { ...rest, task: this.#taskNumber(task, tasks), stack: this.#stackNumber(stack, stacks) };
    };
    const observations = sample.observations.map(encode);
    const holders = sample.holders.map(encode);
    return { ...sample, ...(anew && { anew }), tasks, stacks, observations, holders };
  }

  #taskNumber(task: Task, sent: [number, Task][]): number {
    let number = this.#tasks.get(task);
    if (number === undefined) {
      number = this.#tasks.size;
      this.#tasks.set(task, number);
      sent.push([number, task]);
    }
    return number;
  }

  #stackNumber(reading: Reading<Stack>, sent: [number, readonly Frame[]][]): number | Reading<Stack> {
    if ('unread' in reading || reading.cut === true) return reading;
    let number = this.#stacks.get(reading.value);
    if (number === undefined) {
      number = this.#stacks.size;
      this.#stacks.set(reading.value, number);
      sent.push([number, reading.value.frames]);
    }
    return number;
  }
}

/** Makes of what was sent the same samples, in which what is the same is the same object. */
export class SampleDecoder {
  #tasks: Task[] = [];
  #stacks: Reading<Stack>[] = [];
  #nextStack = 0;

  /** @throws Error where a number was never sent */
  decode({ anew, tasks, stacks, observations, holders, ...sample }: EncodedSample): Sample {
    if (anew === true) {
      this.#tasks = [];
      this.#stacks = [];
    }
    for (const [number, task] of tasks) this.#tasks[number] = task;
    for (const [number, frames] of stacks) this.#stacks[number] = { value: { id: this.#nextStack++, frames } };
    const decode = ({ task, stack, ...rest }: EncodedObservation): Observation => ({
      ...rest,
      task: known(this.#tasks[task]),
      stack: typeof stack === 'number' ? known(this.#stacks[stack]) : stack,
    });
    return { ...sample, observations: observations.map(decode), holders: holders.map(decode) };
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the sampler speaks of what it never sent');
  return value;
}

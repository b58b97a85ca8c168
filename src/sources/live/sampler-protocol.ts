import type { Reading } from '../../model/reading.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import type { Frame, Stack } from '../../model/stack.ts';
import type { Task } from '../../model/task.ts';
import type { SamplerOptions } from './sampler.ts';

// The protocol between a sampler process and its owner: each message is a line of JSON.

/** The first line to the process. Each empty line after it requests a sample. */
export interface SamplerOrder {
  readonly root: string;
  readonly options: Omit<SamplerOptions, 'tell' | 'missed'>;
}

export type SamplerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tell'; readonly text: string }
  | { readonly kind: 'missed'; readonly text: string; readonly how?: 'cutShort' }
  | { readonly kind: 'failed'; readonly message: string }
  /** Some of the observations of the sample that follows. */
  | { readonly kind: 'part'; readonly part: EncodedPart }
  | { readonly kind: 'sample'; readonly sample: EncodedSample };

/** An observation that refers by number to a task and a stack that were sent before. */
interface EncodedObservation extends Omit<Observation, 'task' | 'stack'> {
  readonly task: number;
  readonly stack: number | Reading<Stack>;
}

interface EncodedPart {
  /** Earlier numbers are no longer valid. */
  readonly anew?: true;
  readonly tasks: readonly (readonly [number, Task])[];
  readonly stacks: readonly (readonly [number, readonly Frame[]])[];
  readonly observations: readonly EncodedObservation[];
}

/** Everything except the observations, which were sent before. The last `holders` of those are the holders. */
export interface EncodedSample extends Omit<Sample, 'observations' | 'holders'> {
  readonly holders: number;
}

/** The most observations in a line, so that parsing it takes only a few milliseconds. */
const PART = 500;
/** After this many tasks and stacks both sides start over, so that neither keeps what has ended. */
const MOST_SENT = 200_000;

/** Sends each task and stack only once, as long as it remains the same object. */
export class SampleEncoder {
  #tasks = new Map<Task, number>();
  #stacks = new Map<Stack, number>();

  *encode({ observations, holders, ...rest }: Sample): Generator<SamplerAnswer> {
    let anew = this.#tasks.size + this.#stacks.size > MOST_SENT;
    if (anew) {
      this.#tasks = new Map();
      this.#stacks = new Map();
    }
    const all = [...observations, ...holders];
    for (let from = 0; from < all.length || anew; from += PART) {
      const part = this.#part(all.slice(from, from + PART));
      yield { kind: 'part', part: anew ? { ...part, anew } : part };
      anew = false;
    }
    yield { kind: 'sample', sample: { ...rest, holders: holders.length } };
  }

  #part(some: readonly Observation[]): EncodedPart {
    const tasks: [number, Task][] = [];
    const stacks: [number, readonly Frame[]][] = [];
    const observations = some.map(({ task, stack, ...rest }) => {
      return { ...rest, task: this.#taskNumber(task, tasks), stack: this.#stackNumber(stack, stacks) };
    });
    return { tasks, stacks, observations };
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

/** Restores the samples. What was one object on the other side is one object here too. */
export class SampleDecoder {
  #tasks: Task[] = [];
  #stacks: Reading<Stack>[] = [];
  #nextStack = 0;
  #observations: Observation[] = [];

  /** @throws Error if it refers to a number that was never sent */
  take({ anew, tasks, stacks, observations }: EncodedPart): void {
    if (anew === true) {
      this.#tasks = [];
      this.#stacks = [];
    }
    for (const [number, task] of tasks) this.#tasks[number] = task;
    for (const [number, frames] of stacks) this.#stacks[number] = { value: { id: this.#nextStack++, frames } };
    for (const { task, stack, ...rest } of observations)
      this.#observations.push({
        ...rest,
        task: known(this.#tasks[task]),
        stack: typeof stack === 'number' ? known(this.#stacks[stack]) : stack,
      });
  }

  end({ holders, ...rest }: EncodedSample): Sample {
    const all = this.#observations;
    this.#observations = [];
    const held = all.splice(all.length - holders, holders);
    return { ...rest, observations: all, holders: held };
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the sampler referred to a task or stack that it never sent');
  return value;
}

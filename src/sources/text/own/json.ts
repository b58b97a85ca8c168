import { FIELD_NAMES } from '../../../model/fields.ts';
import type { LeftOut, Sample, Source } from '../../../model/sample.ts';
import type { Stack } from '../../../model/stack.ts';
import type { InternedStacks } from '../interned.ts';
import type { Members } from '../wrapping/json-text.ts';
import { edgeRecord, resourceRecord } from './edges.ts';
import { Fields, Malformed, tooLong } from './fields.ts';
import { MOST_TASKS, placeOf, RecordedSample } from './recorded-sample.ts';
import { eventRecord, pressureRecord, type TaskRecord, taskRecord, unreadRecord } from './task.ts';

const VERSION = 1;

/** Whether these are the first members of a document of `kstack -f json`. */
export function isSampleHead(head: Members): boolean {
  return head.get('format') === 'kstack-sample';
}

/** A document of `kstack -f json` (schema/kstack-sample-1.schema.json), read back element by element. */
export class SampleDocument {
  readonly #sample: RecordedSample;
  readonly #stacks = new Map<number, Stack>();
  /** Some programs sort the members of a document: then the tasks may come before their stacks. */
  readonly #tasks: {
    readonly record: TaskRecord;
    readonly stack: number | undefined;
    readonly to: 'tasks' | 'holders';
  }[] = [];
  #counts = { stacks: 0, tasks: 0, holders: 0, edges: 0, resources: 0, unread: 0, events: 0, pressure: 0 };

  constructor(stacks: InternedStacks, malformed: (why: string) => void) {
    this.#sample = new RecordedSample(stacks, malformed);
  }

  /** Takes an element of one of the document's lists. */
  element(name: string, value: unknown, head: Members): void {
    if (!isListName(name)) return;
    const path = `${name}[${this.#counts[name]++}]`;
    try {
      const fields = new Fields(value, path);
      if (name === 'stacks') this.#addStack(fields, path);
      else if (name === 'edges') this.#sample.addEdge(edgeRecord(fields));
      else if (name === 'resources') this.#sample.addResource(resourceRecord(fields));
      else if (name === 'unread') this.#sample.addUnread(unreadRecord(fields));
      else if (name === 'events') this.#sample.addEvent(eventRecord(fields));
      else if (name === 'pressure') this.#sample.addPressure(pressureRecord(fields));
      else this.#addTask(fields, name, head);
    } catch (error) {
      this.#malformed(error);
    }
  }

  /** An element, or a member of the document, was too long to be read. */
  leaveOut(name: string): void {
    this.#sample.addMalformed(tooLong(name));
  }

  /** The sample of the whole document, or of what there is of one. */
  end(head: Members): Sample {
    for (const { record, stack, to } of this.#tasks)
      this.#sample.add(record, stack === undefined ? undefined : this.#stackOf(stack), to);
    let told: ReturnType<typeof headOf> = NOTHING_TOLD;
    try {
      told = headOf(new Fields(Object.fromEntries(head), 'document'));
    } catch (error) {
      this.#malformed(error);
    }
    return this.#sample.finish(told);
  }

  #addStack(fields: Fields, path: string): void {
    const id = fields.count('id');
    const frames = fields.list('frames');
    if (id === undefined || frames === undefined) throw new Malformed(`${path}: a stack without its id or its frames`);
    if (this.#stacks.size < MOST_TASKS)
      this.#stacks.set(id, this.#sample.stackOf(frames, `${path}.frames`, fields.flag('mixed')));
    else this.#sample.leaveOut();
  }

  #addTask(fields: Fields, to: 'tasks' | 'holders', head: Members): void {
    const bootId = head.get('bootId');
    const record = taskRecord(fields, typeof bootId === 'string' ? bootId : undefined);
    const stack = fields.count('stack');
    if (this.#tasks.length < MOST_TASKS) this.#tasks.push({ record, stack, to });
    else this.#sample.leaveOut();
  }

  #stackOf(id: number): Stack | undefined {
    const stack = this.#stacks.get(id);
    if (stack === undefined) this.#sample.addMalformed(`tasks: there is no stack ${id}`);
    return stack;
  }

  #malformed(error: unknown): void {
    if (!(error instanceof Malformed)) throw error;
    this.#sample.addMalformed(error.message);
  }
}

const LISTS = ['stacks', 'tasks', 'holders', 'edges', 'resources', 'unread', 'events', 'pressure'] as const;

function isListName(name: string): name is (typeof LISTS)[number] {
  return LISTS.some((each) => each === name);
}

type Head = Omit<Sample, 'observations' | 'holders' | 'unread'>;

const NOTHING_TOLD: Head = { source: { name: 'text' }, threads: true, fields: [], leftOut: {} };

function headOf(fields: Fields): Head {
  const version = fields.count('version');
  if (version !== VERSION)
    throw new Malformed(`document.version: ${version} is not ${VERSION}, which this kstack reads`);
  const architecture = fields.text('architecture');
  const bootTimeMs = fields.time('bootTime');
  const ticksPerSecond = fields.count('ticksPerSecond', 1, 2 ** 32 - 1);
  return {
    ...placeOf(fields),
    ...(architecture !== undefined && { architecture }),
    ...(bootTimeMs !== undefined && { bootTimeSeconds: Math.floor(bootTimeMs / 1000) }),
    ...(ticksPerSecond !== undefined && { ticksPerSecond }),
    source: sourceOf(fields.object('source')),
    threads: fields.flag('threads') ?? true,
    fields: FIELD_NAMES.filter((name) => fields.list('fields')?.includes(name)),
    leftOut: leftOutOf(fields.object('leftOut')),
  };
}

function sourceOf(source: Fields | undefined): Source {
  const name = source?.oneOf('name', ['bpf', 'procfs', 'text']) ?? 'text';
  const why = source?.text('why');
  return why === undefined ? { name } : { name, why };
}

const LEFT_OUT = ['threads', 'blocked', 'idle', 'running', 'unexplained', 'guessedFrames', 'lines', 'mixed'] as const;

/** A 0 says no more than nothing. */
function leftOutOf(fields: Fields | undefined): LeftOut {
  const counts = LEFT_OUT.flatMap((name) => {
    const count = fields?.count(name, 0, 2 ** 32 - 1) ?? 0;
    return count === 0 ? [] : [[name, count] as const];
  });
  return Object.fromEntries(counts);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import type { Reading } from './reading.ts';
import {
  everythingUnread,
  type KernelFacts,
  type LeftOut,
  type LockWait,
  type Observation,
  type Sample,
  type Source,
  startTimeSeconds,
  type Unread,
} from './sample.ts';
import type { Frame } from './stack.ts';
import type { SystemCallState } from './system-call.ts';
import { STATES, type Task, type TaskId } from './task.ts';

/** Any text, half characters too: bytes that are not UTF-8 stand as such. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const number = fc.oneof(fc.nat(), fc.maxSafeNat());
const milliseconds = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const why = fc.constantFrom(
  'gone' as const,
  'timeout' as const,
  'notTold' as const,
  'malformed' as const,
  'EIO' as const,
);

/** One for every property that there is: whoever adds one finds out here whether it survives. */
type ModelOf<T> = { readonly [Key in keyof T]-?: fc.Arbitrary<unknown> };

const WHOLE = { noNullPrototype: true } as const;

function reading<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Reading<T>> {
  return fc.oneof(
    fc.record({ value }, WHOLE),
    fc.record({ value, cut: fc.constant(true as const) }, WHOLE),
    fc.record({ unread: why }, WHOLE),
    fc.record({ unread: why, detail: text }, WHOLE),
  );
}

const frame: fc.Arbitrary<Frame> = fc.record(
  { symbol: text, offset: number, size: number, module: text, raw: text } satisfies ModelOf<Frame>,
  { ...WHOLE, requiredKeys: ['symbol', 'raw'] },
);
const stack = fc.record({ id: number, frames: fc.array(frame, { maxLength: 4 }) }, WHOLE);

const systemCall: fc.Arbitrary<SystemCallState> = fc.oneof(
  fc.constantFrom('running' as const, 'none' as const),
  fc.record(
    {
      number: fc.integer(),
      arguments: fc.array(text, { maxLength: 6 }),
      stackPointer: text,
      programCounter: text,
      name: text,
      text,
    },
    { ...WHOLE, requiredKeys: ['number', 'arguments', 'stackPointer', 'programCounter'] },
  ),
);

const id: fc.Arbitrary<TaskId> = fc.record(
  { bootId: text, tid: number, startTicks: number } satisfies ModelOf<TaskId>,
  { ...WHOLE, requiredKeys: [] },
);
const task: fc.Arbitrary<Task> = fc.record(
  {
    id,
    pid: number,
    ppid: number,
    comm: text,
    commandLine: reading(text),
    kernelThread: fc.boolean(),
    own: fc.constant(true as const),
    processName: text,
    user: text,
    uid: reading(number),
    cgroup: reading(text),
    namespacePid: reading(number),
  } satisfies ModelOf<Task>,
  { ...WHOLE, requiredKeys: ['id', 'commandLine'] },
);

const lock: fc.Arbitrary<LockWait> = fc.record(
  {
    kind: fc.constantFrom('mutex' as const, 'semaphore' as const, 'rwsem-read' as const, 'rwsem-write' as const),
    address: text,
    owner: number,
    inferred: fc.constant(true as const),
  } satisfies ModelOf<LockWait>,
  { ...WHOLE, requiredKeys: ['kind'] },
);
const facts: fc.Arbitrary<KernelFacts> = fc.record(
  {
    offCpuMs: milliseconds,
    lock,
    mmapLockOwner: fc.oneof(number, fc.constant('unknown' as const)),
    vforkParent: number,
    tracer: number,
  } satisfies ModelOf<KernelFacts>,
  { ...WHOLE, requiredKeys: [] },
);
const observation: fc.Arbitrary<Observation> = fc.record(
  {
    task,
    stack: reading(stack),
    state: fc.constantFrom(...STATES),
    cpu: number,
    wchan: text,
    facts,
    systemCall: reading(systemCall),
  } satisfies ModelOf<Observation>,
  { ...WHOLE, requiredKeys: ['task', 'stack'] },
);

const unread: fc.Arbitrary<Unread> = fc.record(
  {
    tid: number,
    pid: number,
    comm: text,
    state: fc.constantFrom(...STATES),
    what: fc.constantFrom('processes' as const, 'task' as const, 'stack' as const, 'threads' as const, 'uid' as const),
    why: fc.oneof(why, fc.constant('cut' as const)),
    detail: text,
  } satisfies ModelOf<Unread>,
  { ...WHOLE, requiredKeys: ['tid', 'what', 'why'] },
);
const leftOut: fc.Arbitrary<LeftOut> = fc.record(
  {
    blocked: number,
    idle: number,
    running: number,
    unexplained: number,
    threads: number,
    guessedFrames: number,
    lines: number,
    mixed: number,
  } satisfies ModelOf<LeftOut>,
  { ...WHOLE, requiredKeys: [] },
);
const source: fc.Arbitrary<Source> = fc.record(
  { name: fc.constantFrom('bpf' as const, 'procfs' as const, 'text' as const), why: text } satisfies ModelOf<Source>,
  { ...WHOLE, requiredKeys: ['name'] },
);

const sample: fc.Arbitrary<Sample> = fc.record(
  {
    timeMs: number,
    uptimeSeconds: milliseconds,
    host: text,
    bootId: reading(text),
    kernel: text,
    architecture: text,
    bootTimeSeconds: number,
    ticksPerSecond: number,
    source,
    threads: fc.boolean(),
    fields: fc.subarray(['uid' as const, 'cgroup' as const, 'systemCall' as const]),
    observations: fc.array(observation, { maxLength: 5 }),
    holders: fc.array(observation, { maxLength: 2 }),
    leftOut,
    unread: fc.array(unread, { maxLength: 3 }),
  } satisfies ModelOf<Sample>,
  { ...WHOLE, requiredKeys: ['source', 'threads', 'fields', 'observations', 'holders', 'leftOut', 'unread'] },
);

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a sample', () => {
  it('is the same after JSON, whatever is in it', () => {
    fc.assert(
      fc.property(sample, (sample) => {
        expect(throughJson(sample)).toStrictEqual(sample);
      }),
      { numRuns: 300 },
    );
  });

  it('with every oddity is the same after JSON', () => {
    expect(throughJson(ODD_SAMPLES)).toStrictEqual(ODD_SAMPLES);
  });
});

describe('startTimeSeconds', () => {
  it('is the boot time and the whole seconds since then, and unknown where any of it is', () => {
    const task = taskOf(1, { id: { tid: 1, startTicks: 1234 } });
    const known = { ...EMPTY_SAMPLE, bootTimeSeconds: 1000, ticksPerSecond: 100 };
    const { bootTimeSeconds: _, ...withoutBoot } = known;
    expect(startTimeSeconds(task, known)).toBe(1012);
    expect(startTimeSeconds(task, withoutBoot)).toBeUndefined();
    expect(startTimeSeconds(taskOf(1, { id: { tid: 1 } }), known)).toBeUndefined();
  });
});

describe('everythingUnread', () => {
  const of = (...observations: Observation[]) => everythingUnread({ ...EMPTY_SAMPLE, observations });

  it('names what could not be read of each task, and why, in one order', () => {
    const task = taskOf(7, {
      commandLine: { value: 'x', cut: true },
      uid: { unread: 'denied' },
      cgroup: { unread: 'malformed', detail: 'line 1: missing' },
    });
    const known = { tid: 7, pid: 7, comm: 't7' };
    expect(of(observationOf(7, { task, stack: { unread: 'EIO' }, systemCall: { unread: 'timeout' } }))).toEqual([
      { ...known, what: 'stack', why: 'EIO' },
      { ...known, what: 'commandLine', why: 'cut' },
      { ...known, what: 'uid', why: 'denied' },
      { ...known, what: 'cgroup', why: 'malformed', detail: 'line 1: missing' },
      { ...known, what: 'systemCall', why: 'timeout' },
    ]);
  });

  it('says once what happened to the command line that threads share', () => {
    const commandLine = { unread: 'locked' } as const;
    const threads = [1, 2, 3].map((tid) => observationOf(tid, { task: taskOf(tid, { pid: 1, commandLine }) }));
    expect(of(...threads).map(({ tid, what }) => [tid, what])).toEqual([[1, 'commandLine']]);
  });

  it('leaves out what a text does not tell, and a task of which its status alone is known', () => {
    const inText = taskOf(1, { commandLine: { unread: 'notTold' } });
    const stuck = taskOf(2, { id: { tid: 2 }, commandLine: { unread: 'timeout' } });
    const listed = { tid: 2, what: 'task', why: 'timeout' } as const;
    const observations = [observationOf(1, { task: inText }), observationOf(2, { task: stuck })];
    expect(everythingUnread({ ...EMPTY_SAMPLE, observations, unread: [listed] })).toEqual([listed]);
  });
});

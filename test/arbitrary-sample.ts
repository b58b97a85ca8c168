import fc from 'fast-check';
import { EDGE_KINDS, type Edge, type Evidence, RESOURCE_KINDS, type Resource } from '../src/model/edge.ts';
import { EVENT_KINDS, type Event } from '../src/model/event.ts';
import type { Pressure, Stall } from '../src/model/pressure.ts';
import type { Reading } from '../src/model/reading.ts';
import {
  type KernelFacts,
  type LeftOut,
  type LockWait,
  type Observation,
  type Sample,
  type Source,
  UNREAD_THINGS,
  type Unread,
} from '../src/model/sample.ts';
import type { Frame, Stack } from '../src/model/stack.ts';
import type { SystemCallState } from '../src/model/system-call.ts';
import { STATES, type Task, type TaskId } from '../src/model/task.ts';

/** Any text, half characters too: bytes that are not UTF-8 stand as such. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const number = fc.oneof(fc.nat(), fc.nat(2 ** 32 - 1));
const milliseconds = fc.double({ min: 0, max: 3e12, noNaN: true });
const seconds = fc.double({ min: 0, max: 3e9, noNaN: true });
const percent = fc.double({ min: 0, max: 100, noNaN: true });
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
export const stack: fc.Arbitrary<Stack> = fc.record(
  { id: number, frames: fc.array(frame, { maxLength: 4 }), mixed: fc.constant(true as const) } satisfies ModelOf<Stack>,
  { ...WHOLE, requiredKeys: ['id', 'frames'] },
);

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
    { ...WHOLE, requiredKeys: ['number', 'arguments'] },
  ),
);

const localTime = fc.constantFrom('2026/11/25 03:09:00', '1/2/3 04:05:06');
const id: fc.Arbitrary<TaskId> = fc.record(
  { bootId: text, tid: number, startTicks: number, startLocal: localTime } satisfies ModelOf<TaskId>,
  { ...WHOLE, requiredKeys: [] },
);
export const task: fc.Arbitrary<Task> = fc.record(
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
    place: text,
  } satisfies ModelOf<LockWait>,
  { ...WHOLE, requiredKeys: ['kind'] },
);
const facts: fc.Arbitrary<KernelFacts> = fc.record(
  {
    offCpuMs: milliseconds,
    onCpuMs: milliseconds,
    atLeast: fc.constant(true as const),
    work: text,
    hardLockup: fc.constant(true as const),
    traced: fc.record({ times: number, offCpuMs: milliseconds }, { ...WHOLE, requiredKeys: [] }),
    switches: number,
    lock,
    mmapLockOwner: fc.oneof(number, fc.constant('unknown' as const)),
    vforkParent: number,
    tracer: number,
  } satisfies ModelOf<KernelFacts>,
  { ...WHOLE, requiredKeys: [] },
);
export const observation: fc.Arbitrary<Observation> = fc.record(
  {
    task,
    stack: reading(stack),
    state: fc.constantFrom(...STATES),
    cpu: number,
    wchan: text,
    waitsBy: fc.constantFrom('frozen' as const, 'futex' as const),
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
    what: fc.constantFrom(...UNREAD_THINGS),
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
  {
    name: fc.constantFrom('bpf' as const, 'procfs' as const, 'text' as const),
    why: text,
    partial: fc.constant(true as const),
  } satisfies ModelOf<Source>,
  { ...WHOLE, requiredKeys: ['name'] },
);

const event: fc.Arbitrary<Event> = fc.record(
  {
    timeMs: fc.nat(),
    uptimeSeconds: seconds,
    kind: fc.constantFrom(...EVENT_KINDS),
    text,
  } satisfies ModelOf<Event>,
  { ...WHOLE, requiredKeys: ['kind', 'text'] },
);
const stall: fc.Arbitrary<Stall> = fc.record({ some: percent, full: percent } satisfies ModelOf<Stall>, {
  ...WHOLE,
  requiredKeys: ['some'],
});
const pressure: fc.Arbitrary<Pressure> = fc.record(
  { cpu: stall, io: stall, memory: stall } satisfies ModelOf<Pressure>,
  { ...WHOLE, requiredKeys: [] },
);

const nodeKey = fc.oneof(fc.integer({ min: 1, max: 1000 }), text);
const evidence: fc.Arbitrary<Evidence> = fc.record(
  { place: text, text, timeMs: fc.nat() } satisfies ModelOf<Evidence>,
  { ...WHOLE, requiredKeys: ['place', 'text'] },
);
const marked = fc.constant(true as const);
const edge: fc.Arbitrary<Edge> = fc.record(
  {
    from: nodeKey,
    to: nodeKey,
    by: fc.constantFrom(...EDGE_KINDS),
    any: marked,
    inferred: marked,
    evidence: fc.array(evidence, { maxLength: 2 }),
  } satisfies ModelOf<Edge>,
  { ...WHOLE, requiredKeys: ['from', 'to', 'by', 'evidence'] },
);
const resource: fc.Arbitrary<Resource> = fc.record(
  {
    key: text,
    kind: fc.constantFrom(...RESOURCE_KINDS),
    name: text,
    condition: text,
    hangs: marked,
    inferred: marked,
    evidence: fc.array(evidence, { maxLength: 2 }),
  } satisfies ModelOf<Resource>,
  { ...WHOLE, requiredKeys: ['key', 'kind', 'name', 'evidence'] },
);

export const sample: fc.Arbitrary<Sample> = fc.record(
  {
    timeMs: fc.nat().map((seconds) => 1000 * seconds),
    uptimeSeconds: seconds,
    monotonicMs: number,
    host: text,
    bootId: reading(text),
    kernel: text,
    architecture: text,
    stream: number,
    intervalMs: fc.nat(),
    bootTimeSeconds: number,
    ticksPerSecond: fc.integer({ min: 1, max: 1024 }),
    source,
    threads: fc.boolean(),
    fields: fc.subarray(['uid' as const, 'cgroup' as const, 'systemCall' as const]),
    observations: fc.array(observation, { maxLength: 5 }),
    holders: fc.array(observation, { maxLength: 2 }),
    leftOut,
    unread: fc.array(unread, { maxLength: 3 }),
    edges: fc.array(edge, { maxLength: 3 }),
    resources: fc.array(resource, { maxLength: 2 }),
    events: fc.array(event, { maxLength: 2 }),
    pressure,
  } satisfies ModelOf<Sample>,
  { ...WHOLE, requiredKeys: ['source', 'threads', 'fields', 'observations', 'holders', 'leftOut', 'unread'] },
);

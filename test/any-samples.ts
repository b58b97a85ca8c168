import fc from 'fast-check';
import {
  EDGE_KINDS,
  type Edge,
  type Evidence,
  type NodeKey,
  RESOURCE_KINDS,
  type Resource,
} from '../src/model/edge.ts';
import { EVENT_KINDS, type Event } from '../src/model/event.ts';
import { FIELD_NAMES } from '../src/model/fields.ts';
import type { Pressure, Stall } from '../src/model/pressure.ts';
import type { Reading, Unreadable } from '../src/model/reading.ts';
import type { KernelFacts, LockWait, Observation, Sample, Unread } from '../src/model/sample.ts';
import { parseFrame, type Stack } from '../src/model/stack.ts';
import type { SystemCallState } from '../src/model/system-call.ts';
import { STATES, type Task } from '../src/model/task.ts';
import { HOSTILE } from './odd-samples.ts';

type Arbitraries<T> = { readonly [K in keyof T]-?: fc.Arbitrary<T[K] | undefined> };

/** Undefined values left out: that is how a model says that nothing is known. */
function known<T extends object>(model: Arbitraries<T>): fc.Arbitrary<T> {
  const entries: [string, fc.Arbitrary<unknown>][] = Object.entries(model);
  return fc
    .tuple(...entries.map(([, values]) => values))
    .map((values) =>
      Object.fromEntries(entries.map(([name], at) => [name, values[at]]).filter(([, value]) => value !== undefined)),
    );
}

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
/** As decodeBytes makes it: bytes that are not UTF-8 are U+DC80 to U+DCFF. */
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(HOSTILE, '', ' ', 'a: 1', '": {', '\\', '\0', '__proto__', 'kworker/0:1', 'é\udcff'),
);
const number = fc.integer({ min: 1, max: 4_194_304 });
const why = fc.constantFrom<Unreadable>('gone', 'timeout', 'skipped', 'locked', 'denied', 'EIO', 'EAGAIN');
const read = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<Reading<T>> =>
  fc.oneof(
    values.map((value) => ({ value })),
    values.map((value) => ({ value, cut: true as const })),
    why.map((unread) => ({ unread })),
  );

const commandLine = fc.array(text, { maxLength: 4 }).map((words) => words.map((word) => `${word}\0`).join(''));
const register = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => `0x${value.toString(16)}`);
const systemCall: fc.Arbitrary<SystemCallState> = fc.oneof(
  fc.constantFrom('running' as const, 'none' as const),
  known<Exclude<SystemCallState, string>>({
    number: fc.nat(500),
    arguments: fc.array(register, { minLength: 6, maxLength: 6 }),
    stackPointer: maybe(register),
    programCounter: maybe(register),
    name: maybe(fc.constantFrom('read', 'futex')),
    text: maybe(text.filter((each) => each.isWellFormed())),
  }),
);
const lock = known<LockWait>({
  kind: fc.constantFrom('mutex', 'semaphore', 'rwsem-read', 'rwsem-write'),
  address: fc.constantFrom('ffff8881001a2b40', '0'),
  owner: maybe(number),
  inferred: maybe(fc.constant(true as const)),
  place: maybe(fc.constantFrom('mutex_waiter on its stack')),
});
const facts = known<KernelFacts>({
  offCpuMs: maybe(fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e12, noNaN: true }))),
  onCpuMs: maybe(fc.nat()),
  atLeast: maybe(fc.constant(true as const)),
  work: maybe(fc.constantFrom('wb_workfn')),
  hardLockup: maybe(fc.constant(true as const)),
  traced: maybe(fc.record({ times: fc.nat(), offCpuMs: fc.nat() }, { requiredKeys: [] })),
  switches: fc.constant(undefined),
  lock: maybe(lock),
  mmapLockOwner: maybe(fc.oneof(number, fc.constant('unknown' as const))),
  vforkParent: maybe(number),
  tracer: maybe(number),
});

const symbol = fc.constantFrom('schedule', 'f.isra.0', 'do_syscall_64', 'evil\x1b[31m;f', 'x y');
const frame = fc
  .tuple(symbol, fc.nat(0xffff), fc.nat(0xffff), maybe(fc.constantFrom('xfs', 'm\u202e')))
  .map(([name, offset, size, module]) =>
    parseFrame(
      `[<0>] ${name}+0x${offset.toString(16)}/0x${size.toString(16)}${module === undefined ? '' : ` [${module}]`}`,
    ),
  );
let nextId = 1_000_000;
const stack: fc.Arbitrary<Stack> = fc
  .tuple(fc.array(frame, { maxLength: 5 }), fc.boolean())
  .map(([frames, isMixed]) => ({ id: nextId++, frames, ...(isMixed && frames.length > 0 && { mixed: true }) }));

/** Each has another number, as those of a real sample have. */
const observations = (from: number): fc.Arbitrary<Observation[]> =>
  fc
    .array(
      fc.tuple(
        known<Omit<Task, 'id'>>({
          pid: maybe(number),
          ppid: maybe(fc.nat(1000)),
          comm: maybe(text),
          commandLine: read(commandLine),
          kernelThread: maybe(fc.boolean()),
          own: fc.constant(undefined),
          processName: maybe(text),
          user: fc.constant(undefined),
          uid: maybe(read(fc.nat(70_000))),
          cgroup: maybe(read(text.map((path) => `/${path}`))),
          namespacePid: maybe(read(number)),
        }),
        maybe(fc.nat()),
        known<Omit<Observation, 'task' | 'stack'>>({
          state: maybe(fc.constantFrom(...STATES)),
          cpu: maybe(fc.nat(1023)),
          wchan: maybe(fc.constantFrom('f', 'do_wait')),
          // JSON tells it by the edges.
          waitsBy: fc.constant(undefined),
          facts: maybe(facts),
          systemCall: maybe(read(systemCall)),
        }),
        fc.oneof(
          stack.map((value) => ({ value })),
          why.map((unread) => ({ unread })),
        ),
      ),
      { maxLength: 6 },
    )
    .map((each) =>
      each.map(([task, startTicks, seen, reading], at) => ({
        task: { ...task, id: { tid: from + at, ...(startTicks !== undefined && { startTicks }) } },
        ...seen,
        stack: reading,
      })),
    );

const unread = known<Unread>({
  tid: number.map((tid) => tid + 20_000_000),
  pid: maybe(number),
  comm: maybe(text),
  state: maybe(fc.constantFrom(...STATES)),
  what: fc.constantFrom('task', 'threads', 'uid', 'edges'),
  why: fc.constantFrom('gone', 'timeout', 'EIO'),
  detail: maybe(fc.constant('/proc/1/status: Uid')),
});

const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const event = known<Event>({
  timeMs: maybe(fc.integer({ min: 0, max: 4e12 })),
  uptimeSeconds: maybe(amount),
  kind: fc.constantFrom(...EVENT_KINDS),
  text,
});
const percent = fc.double({ min: 0, max: 100, noNaN: true });
const stall = known<Stall>({ some: percent, full: maybe(percent) });
const pressure = known<Pressure>({ cpu: maybe(stall), io: maybe(stall), memory: maybe(stall) });

const marked = maybe(fc.constant(true as const));
const evidence = fc.array(known<Evidence>({ place: text, text, timeMs: maybe(fc.integer({ min: 0, max: 4e12 })) }), {
  maxLength: 2,
});
/** Of few, so that waits lead on: the first tasks of a sample, and its holders. */
const node: fc.Arbitrary<NodeKey> = fc.oneof(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 10_000_000, max: 10_000_003 }),
  fc.constantFrom('mount 45', 'device 7:0', '7', '', `lock ${HOSTILE}`),
);
const edge = known<Edge>({
  from: node,
  to: node,
  by: fc.constantFrom(...EDGE_KINDS),
  any: marked,
  inferred: marked,
  evidence,
});
const resource = known<Resource>({
  key: fc.constantFrom('mount 45', 'device 7:0', '7', '', `lock ${HOSTILE}`),
  kind: fc.constantFrom(...RESOURCE_KINDS),
  name: text,
  condition: maybe(text),
  hangs: marked,
  inferred: marked,
  evidence,
});

/** Any sample that a source may give. */
export const anySample: fc.Arbitrary<Sample> = known<Sample>({
  timeMs: maybe(fc.integer({ min: 0, max: 4e12 })),
  stream: fc.constant(undefined),
  uptimeSeconds: fc.constant(undefined),
  monotonicMs: fc.constant(undefined),
  host: maybe(text.filter((each) => each.isWellFormed())),
  bootId: fc.constant(undefined),
  kernel: maybe(fc.constantFrom('6.18.0-1-amd64', '')),
  architecture: maybe(fc.constantFrom('x64', 'arm64')),
  intervalMs: fc.constant(undefined),
  bootTimeSeconds: maybe(fc.integer({ min: 0, max: 4e9 })),
  ticksPerSecond: maybe(fc.constantFrom(100, 1000)),
  source: fc.constantFrom<Sample['source']>({ name: 'bpf' }, { name: 'procfs', why: 'x' }, { name: 'text' }),
  threads: fc.boolean(),
  fields: fc.subarray([...FIELD_NAMES]),
  observations: observations(1),
  holders: observations(10_000_000),
  leftOut: known<Sample['leftOut']>({
    threads: maybe(number),
    idle: maybe(number),
    blocked: maybe(number),
    running: maybe(number),
    unexplained: maybe(number),
    guessedFrames: maybe(number),
    lines: maybe(number),
    mixed: maybe(number),
  }),
  unread: fc.array(unread, { maxLength: 3 }),
  edges: maybe(fc.array(edge, { maxLength: 6 })),
  resources: maybe(fc.array(resource, { maxLength: 3 })),
  events: maybe(fc.array(event, { minLength: 1, maxLength: 3 })),
  pressure: maybe(pressure.filter((each) => Object.keys(each).length > 0)),
}).chain((sample) =>
  fc.option(fc.uuid(), { nil: undefined }).map((bootId): Sample => {
    if (bootId === undefined) return sample;
    const booted = (some: readonly Observation[]) =>
      some.map((each) => ({ ...each, task: { ...each.task, id: { bootId, ...each.task.id } } }));
    const { observations: seen, holders } = sample;
    return { ...sample, bootId: { value: bootId }, observations: booted(seen), holders: booted(holders) };
  }),
);

import { MAX_TICKS } from '../model/duration.ts';
import { EDGE_KINDS, type Edge, type Evidence, type NodeKey, RESOURCE_KINDS, type Resource } from '../model/edge.ts';
import { EVENT_KINDS, type Event } from '../model/event.ts';
import { FIELD_NAMES } from '../model/fields.ts';
import type { Pressure, Stall } from '../model/pressure.ts';
import type { Reading, Unreadable } from '../model/reading.ts';
import {
  type KernelFacts,
  type LeftOut,
  type LockWait,
  type Source,
  type TracedSum,
  UNREAD_THINGS,
  type Unread,
} from '../model/sample.ts';
import type { SystemCall } from '../model/system-call.ts';
import { STATES, type Task, type TaskId } from '../model/task.ts';
import type { Look, Place } from './record.ts';
import {
  callNumber,
  count,
  count32,
  duration,
  either,
  flag,
  listOf,
  longText,
  MAX_TEXT,
  name,
  object,
  oneOf,
  percent,
  type Shape,
  ShapeError,
  text,
  time,
  timeSeconds,
  upTo,
  word,
  yes,
} from './shape.ts';

/** An errno is a reason, too, so any word is one. */
const reason: Shape<Unreadable> = (value, place) => word(value, place) as Unreadable;

function reading<T>(shape: Shape<T>): Shape<Reading<T>> {
  return either<Reading<T>, Reading<T>>(
    object<{ value: T }, { cut: true }>({ value: shape }, { cut: yes }),
    object<{ unread: Unreadable }, { detail: string }>({ unread: reason }, { detail: text }),
  );
}

/** A text of which only the beginning is taken if it is long: programs choose their command lines. */
const cutText: Shape<Reading<string>> = (value, place) => withinLimit(reading(longText)(value, place));

/** The same, cut to what a reader takes. */
export function withinLimit(told: Reading<string>): Reading<string> {
  const isLong = 'value' in told && told.value.length > MAX_TEXT;
  return isLong ? { value: told.value.slice(0, MAX_TEXT), cut: true } : told;
}

const state = oneOf(STATES);
const field = oneOf(FIELD_NAMES);

/** Clock ticks since boot. */
const ticks: Shape<number> = (value, place) => count(upTo(MAX_TICKS, 'a number of ticks')(value, place), place);
const ticksPerSecond: Shape<number> = (value, place) => {
  const number = count32(value, place);
  if (number === 0) throw new ShapeError(`${place}: 0 ticks are none`);
  return number;
};

/** As the classic text prints it. */
const localTime: Shape<string> = (value, place) => {
  const told = name(value, place);
  if (!/^[\d/]{1,20} [\d:]{1,20}$/.test(told)) throw new ShapeError(`${place}: not a local time`);
  return told;
};

const taskId = object<object, { -readonly [K in keyof TaskId]-?: NonNullable<TaskId[K]> }>(
  {},
  { bootId: name, tid: count, startTicks: ticks, startLocal: localTime },
);

export const taskShape: Shape<Task> = object<
  Pick<Task, 'id' | 'commandLine'>,
  Required<Omit<Task, 'id' | 'commandLine'>>
>(
  { id: taskId, commandLine: cutText },
  {
    pid: count,
    ppid: count,
    comm: name,
    kernelThread: flag,
    own: yes,
    processName: name,
    user: name,
    uid: reading(count),
    cgroup: cutText,
    namespacePid: reading(count),
  },
);

const systemCall = object<Pick<SystemCall, 'number' | 'arguments'>, Required<Omit<SystemCall, 'number' | 'arguments'>>>(
  { number: callNumber, arguments: listOf(text) },
  { stackPointer: text, programCounter: text, name: text, text },
);

const lock = object<Pick<LockWait, 'kind'>, Required<Omit<LockWait, 'kind'>>>(
  { kind: oneOf(['mutex', 'semaphore', 'rwsem-read', 'rwsem-write']) },
  { address: text, owner: count, inferred: yes, place: text },
);

const facts: Shape<KernelFacts> = object<object, Required<KernelFacts>>(
  {},
  {
    offCpuMs: duration,
    onCpuMs: duration,
    atLeast: yes,
    hardLockup: yes,
    work: name,
    traced: object<object, Required<TracedSum>>({}, { times: count, offCpuMs: duration }),
    switches: count32,
    lock,
    mmapLockOwner: either<number, 'unknown'>(count, oneOf(['unknown'])),
    vforkParent: count,
    tracer: count,
  },
);

export const lookShape: Shape<Look> = object<object, Required<Look>>(
  {},
  {
    state,
    cpu: count32,
    wchan: name,
    waitsBy: oneOf(['frozen', 'futex']),
    facts,
    systemCall: reading(either<SystemCall, 'running' | 'none'>(systemCall, oneOf(['running', 'none']))),
  },
);

const source = object<Pick<Source, 'name'>, { why: string; partial: true }>(
  { name: oneOf(['bpf', 'procfs', 'text']) },
  { why: name, partial: yes },
);

const leftOut: Shape<LeftOut> = object<object, Required<LeftOut>>(
  {},
  {
    blocked: count32,
    idle: count32,
    running: count32,
    unexplained: count32,
    threads: count32,
    guessedFrames: count32,
    lines: count32,
    mixed: count32,
  },
);

export const placeShape: Shape<Place> = object<
  Pick<Place, 'source' | 'threads' | 'fields' | 'leftOut'>,
  Required<Omit<Place, 'source' | 'threads' | 'fields' | 'leftOut'>>
>(
  { source, threads: flag, fields: listOf(field), leftOut },
  {
    host: name,
    bootId: reading(name),
    kernel: name,
    architecture: name,
    stream: count32,
    intervalMs: duration,
    bootTimeSeconds: timeSeconds,
    ticksPerSecond,
  },
);

const what = oneOf(UNREAD_THINGS);
const why: Shape<Unread['why']> = (value, place) => word(value, place) as Unread['why'];

export const unreadShape: Shape<Unread> = object<
  Pick<Unread, 'tid' | 'what' | 'why'>,
  Required<Omit<Unread, 'tid' | 'what' | 'why'>>
>({ tid: count, what, why }, { pid: count, comm: name, state, detail: text });

export const eventShape: Shape<Event> = object<Pick<Event, 'kind' | 'text'>, Required<Omit<Event, 'kind' | 'text'>>>(
  { kind: oneOf(EVENT_KINDS), text },
  { timeMs: time, uptimeSeconds: timeSeconds },
);

const stall: Shape<Stall> = object<Pick<Stall, 'some'>, { full: number }>({ some: percent }, { full: percent });

export const pressureShape: Shape<Pressure> = object<object, Required<Pressure>>(
  {},
  { cpu: stall, io: stall, memory: stall },
);

const tid: Shape<number> = (value, place) => {
  const number = count(value, place);
  if (number === 0) throw new ShapeError(`${place}: 0 is not a TID`);
  return number;
};
const nodeKey = either<NodeKey, NodeKey>(tid, text);

const evidence: Shape<Evidence> = object<Pick<Evidence, 'place' | 'text'>, { timeMs: number }>(
  { place: text, text },
  { timeMs: time },
);

const edge = object<Omit<Edge, 'by' | 'any' | 'inferred'> & { by: string }, Required<Pick<Edge, 'any' | 'inferred'>>>(
  { from: nodeKey, to: nodeKey, by: name, evidence: listOf(evidence) },
  { any: yes, inferred: yes },
);

/** Undefined if it is of a kind that only a later kstack knows. */
export const edgeShape: Shape<Edge | undefined> = (value, place) => {
  const told = edge(value, place);
  const by = EDGE_KINDS.find((kind) => kind === told.by);
  return by === undefined ? undefined : { ...told, by };
};

const resource = object<
  Pick<Resource, 'key' | 'name' | 'evidence'> & { kind: string },
  Required<Pick<Resource, 'condition' | 'hangs' | 'inferred'>>
>({ key: text, kind: name, name: text, evidence: listOf(evidence) }, { condition: text, hangs: yes, inferred: yes });

/** Undefined if it is of a kind that only a later kstack knows. */
export const resourceShape: Shape<Resource | undefined> = (value, place) => {
  const told = resource(value, place);
  const kind = RESOURCE_KINDS.find((each) => each === told.kind);
  return kind === undefined ? undefined : { ...told, kind };
};

import { Buffer } from 'node:buffer';
import { MAX_DURATION_MS, MAX_TICKS } from '../../../model/duration.ts';
import { EVENT_KINDS, type Event } from '../../../model/event.ts';
import { PRESSURES, type Pressure } from '../../../model/pressure.ts';
import type { Reading, Unreadable } from '../../../model/reading.ts';
import { type KernelFacts, type Observation, UNREAD_THINGS, type Unread } from '../../../model/sample.ts';
import type { Frame } from '../../../model/stack.ts';
import type { SystemCallState } from '../../../model/system-call.ts';
import { STATES, type Task } from '../../../model/task.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { Fields, isObject, Malformed } from './fields.ts';
import { frameOf } from './frames.ts';

/** What a task of JSON tells, without its stack. */
export interface TaskRecord {
  readonly observation: Omit<Observation, 'stack'>;
  /** Why its stack could not be read. */
  readonly stackUnread: Unreadable | undefined;
}

/** Longer stacks and arguments of system calls are nobody's. */
export const MOST_FRAMES = 4096;
const MOST_ARGUMENTS = 16;
const MAX_CPU = 2 ** 32 - 1;

/**
 * A task of `kstack -f json` or `jsonl` (schema/kstack-sample-1.schema.json), read back.
 * @throws Malformed
 */
export function taskRecord(fields: Fields, bootId: string | undefined): TaskRecord {
  const why = fields.object('unread') ?? NONE;
  const raw = fields.object('raw') ?? NONE;
  const textOf = (name: string) => bytesIn(raw, name) ?? fields.text(name);
  const tid = fields.count('tid');
  const pid = fields.count('pid');
  const ppid = fields.count('ppid');
  const comm = textOf('comm');
  // That of a main thread is its own name.
  const processName = tid === pid ? undefined : textOf('processName');
  const kernelThread = fields.flag('kernelThread');
  const user = fields.text('user');
  const uid = reading(fields.count('uid'), why, 'uid');
  const cgroup = reading(textOf('cgroup'), why, 'cgroup');
  const namespacePid = reading(fields.count('namespacePid', 1), why, 'namespacePid');
  const startTicks = fields.count('startTicks', 0, MAX_TICKS);
  const startLocal = fields.matching('startLocal', /^[\d/]{1,20} [\d:]{1,20}$/);
  const task: Task = {
    id: {
      ...(bootId !== undefined && tid !== undefined && { bootId }),
      ...(tid !== undefined && { tid }),
      ...(startTicks !== undefined && { startTicks }),
      ...(startLocal !== undefined && { startLocal }),
    },
    ...(pid !== undefined && { pid }),
    ...(ppid !== undefined && { ppid }),
    ...(comm !== undefined && { comm }),
    commandLine: commandLineOf(fields, raw, why),
    ...(kernelThread !== undefined && { kernelThread }),
    ...(processName !== undefined && { processName }),
    ...(user !== undefined && { user }),
    ...(uid !== undefined && { uid }),
    ...(cgroup !== undefined && { cgroup }),
    ...(namespacePid !== undefined && { namespacePid }),
  };
  const state = fields.oneOf('state', STATES);
  const cpu = fields.count('cpu', 0, MAX_CPU);
  const wchan = fields.text('wchan');
  const systemCall = reading(systemCallOf(fields.object('systemCall')), why, 'systemCall');
  const facts = factsOf(fields);
  const stackWhy = why.why('stack');
  return {
    observation: {
      task,
      ...(state !== undefined && { state }),
      ...(cpu !== undefined && { cpu }),
      ...(wchan !== undefined && { wchan }),
      ...(systemCall !== undefined && { systemCall }),
      ...(facts !== undefined && { facts }),
    },
    stackUnread: stackWhy === 'cut' ? undefined : stackWhy,
  };
}

const NONE = new Fields({}, '');

function bytesIn(raw: Fields, name: string): string | undefined {
  const digits = raw.matching(name, /^(?:[0-9a-f]{2})+$/);
  return digits === undefined ? undefined : decodeBytes(Buffer.from(digits, 'hex'));
}

/** Undefined if it was not asked for. */
function reading<T>(value: T | undefined, why: Fields, name: string): Reading<T> | undefined {
  const reason = why.why(name);
  if (value !== undefined) return reason === 'cut' ? { value, cut: true } : { value };
  return reason === undefined || reason === 'cut' ? undefined : { unread: reason };
}

/** The NULs are gone: there was one behind each argument, but for the last one of a line that was cut. */
function commandLineOf(fields: Fields, raw: Fields, why: Fields): Reading<string> {
  const words = fields.texts('arguments');
  const isCut = why.why('commandLine') === 'cut';
  const text = words === undefined ? undefined : `${words.join('\0')}${isCut || words.length === 0 ? '' : '\0'}`;
  return reading(bytesIn(raw, 'commandLine') ?? text, why, 'commandLine') ?? { unread: 'notTold' };
}

function systemCallOf(call: Fields | undefined): SystemCallState | undefined {
  const status = call?.oneOf('status', ['inCall', 'none', 'running']);
  if (call === undefined || status === undefined) return undefined;
  if (status !== 'inCall') return status;
  const number = call.count('number');
  const words = call.texts('arguments');
  const name = call.text('name');
  const text = call.text('text');
  if (number === undefined || words === undefined || words.length > MOST_ARGUMENTS || !words.every(isRegister))
    throw new Malformed('systemCall: a call without a number or without its arguments');
  return { number, arguments: words, ...(name !== undefined && { name }), ...(text !== undefined && { text }) };
}

function isRegister(word: string): boolean {
  return /^0x[0-9a-f]{1,16}$/.test(word);
}

function factsOf(fields: Fields): KernelFacts | undefined {
  const offCpuMs = fields.amount('offCpuMs', MAX_DURATION_MS);
  const onCpuMs = fields.amount('onCpuMs', MAX_DURATION_MS);
  const atLeast = fields.flag('atLeast');
  const work = fields.text('work');
  const hardLockup = fields.flag('hardLockup');
  const traced = tracedIn(fields.object('traced'));
  const lock = lockOf(fields.object('lock'));
  const mmapLock = fields.object('mmapLock');
  const vforkParent = fields.count('vforkParent', 1);
  const tracer = fields.count('tracer', 1);
  const facts: KernelFacts = {
    ...(offCpuMs !== undefined && { offCpuMs }),
    ...(onCpuMs !== undefined && { onCpuMs }),
    ...(atLeast === true && { atLeast }),
    ...(hardLockup === true && { hardLockup }),
    ...(work !== undefined && { work }),
    ...(traced !== undefined && { traced }),
    ...(lock !== undefined && { lock }),
    ...(mmapLock !== undefined && { mmapLockOwner: mmapLock.count('owner', 1) ?? 'unknown' }),
    ...(vforkParent !== undefined && { vforkParent }),
    ...(tracer !== undefined && { tracer }),
  };
  return Object.keys(facts).length === 0 ? undefined : facts;
}

function tracedIn(traced: Fields | undefined): KernelFacts['traced'] {
  const times = traced?.amount('times', Number.MAX_SAFE_INTEGER);
  const offCpuMs = traced?.amount('offCpuMs', MAX_DURATION_MS);
  return traced && { ...(times !== undefined && { times }), ...(offCpuMs !== undefined && { offCpuMs }) };
}

function lockOf(lock: Fields | undefined): KernelFacts['lock'] {
  const kind = lock?.oneOf('kind', ['mutex', 'semaphore', 'rwsem-read', 'rwsem-write']);
  const address = lock?.matching('address', /^[0-9a-f]{1,16}$/);
  const owner = lock?.count('owner', 1);
  const inferred = lock?.flag('inferred') === true;
  const place = lock?.text('place');
  if (kind === undefined) return undefined;
  return {
    kind,
    ...(address !== undefined && { address }),
    ...(owner !== undefined && { owner }),
    ...(inferred && { inferred }),
    ...(place !== undefined && { place }),
  };
}

/** @throws Malformed */
export function framesIn(list: readonly unknown[], path: string): Frame[] {
  if (list.length > MOST_FRAMES) throw new Malformed(`${path}: ${list.length} frames`);
  return list.map((value, at) => {
    const fields = new Fields(value, `${path}[${at}]`);
    const symbol = fields.text('symbol');
    const offset = fields.count('offset');
    const size = fields.count('size');
    const module = fields.text('module');
    if (symbol === undefined) throw new Malformed(`${path}[${at}]: a frame without its symbol`);
    return frameOf({
      symbol,
      ...(offset !== undefined && { offset }),
      ...(size !== undefined && { size }),
      ...(module !== undefined && { module }),
    });
  });
}

const WHATS = [...UNREAD_THINGS, 'bootId'] as const;

/** An entry of what could not be read; `bootId` is about the host. */
export type UnreadRecord = Omit<Unread, 'what'> & { readonly what: Unread['what'] | 'bootId' };

/** @throws Malformed */
export function unreadRecord(fields: Fields): UnreadRecord {
  const what = fields.oneOf('what', WHATS);
  const why = fields.why('why');
  if (what === undefined || why === undefined) throw new Malformed('unread: nothing is said to be unread');
  const pid = fields.count('pid');
  const comm = bytesIn(fields.object('raw') ?? NONE, 'comm') ?? fields.text('comm');
  const state = fields.oneOf('state', STATES);
  const detail = fields.text('detail');
  return {
    tid: fields.count('tid') ?? 0,
    ...(pid !== undefined && { pid }),
    ...(comm !== undefined && { comm }),
    ...(state !== undefined && { state }),
    what,
    why,
    ...(detail !== undefined && { detail }),
  };
}

/** Whether this has the properties of an event of a sample. */
export function isSampleEvent(value: unknown): boolean {
  return isObject(value) && ['eventTime', 'uptimeSeconds', 'kind', 'text'].every((name) => name in value);
}

/** @throws Malformed */
export function eventRecord(fields: Fields): Event {
  const kind = fields.oneOf('kind', EVENT_KINDS);
  const text = fields.text('text');
  if (kind === undefined || text === undefined) throw new Malformed('event: without its kind or its text');
  const timeMs = fields.time('eventTime');
  const uptimeSeconds = fields.amount('uptimeSeconds', MAX_DURATION_MS / 1000);
  return { ...(timeMs !== undefined && { timeMs }), ...(uptimeSeconds !== undefined && { uptimeSeconds }), kind, text };
}

/** @throws Malformed */
export function pressureRecord(fields: Fields): Pressure {
  const resource = fields.oneOf('resource', PRESSURES);
  const some = fields.amount('some', 100);
  if (resource === undefined || some === undefined) throw new Malformed('pressure: without its resource or its share');
  const full = fields.amount('full', 100);
  return { [resource]: { some, ...(full !== undefined && { full }) } };
}

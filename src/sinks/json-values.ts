import { kindOf } from '../analysis/explain/explain-sample.ts';
import { signatureOf } from '../analysis/signature.ts';
import { commandLineText } from '../model/command-line.ts';
import { containerOf } from '../model/container.ts';
import type { Finding } from '../model/finding.ts';
import { jsonText } from '../model/json-text.ts';
import { PRESSURES, type Pressure } from '../model/pressure.ts';
import { bytesAsHex, escapeInvalid, isUtf8Text } from '../model/raw-text.ts';
import type { Reading } from '../model/reading.ts';
import {
  everythingUnread,
  type KernelFacts,
  type LockWait,
  type Observation,
  type Sample,
  startTimeSeconds,
} from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import type { SystemCallState } from '../model/system-call.ts';
import type { Task } from '../model/task.ts';

// Every object of a kind has the same properties, each of one type or null, so that a program that loads them into a
// table finds all columns in the first line. Text is valid UTF-8: other bytes are written as `\xff`.

/** When and where a sample was taken. */
export function placeOf({ timeMs, host, kernel, bootId }: Sample) {
  return {
    time: timeIn(timeMs),
    host: safe(host),
    kernel: safe(kernel),
    bootId: valueIn(bootId),
  };
}

/**
 * A task, as the text of an object without its closing brace. `unread` says why a property is null that should not be.
 * `raw` has the bytes, in hexadecimal, of each text that is not UTF-8.
 */
export function taskText(observation: Observation, sample: Sample): string {
  const { facts = NOTHING, stack, systemCall, task } = observation;
  const { comm, commandLine, uid, cgroup, namespacePid } = task;
  const { lock, mmapLockOwner, vforkParent, tracer } = facts;
  const hasFacts = (lock ?? mmapLockOwner ?? vforkParent ?? tracer) !== undefined;
  const isWhole = [commandLine, stack, uid, cgroup, namespacePid, systemCall].every(isRead);
  const texts = [comm, processNameOf(task), valueIn(commandLine), valueIn(cgroup)];
  const isText = texts.every((text) => text === undefined || text === null || isUtf8Text(text));
  // Few of tens of thousands of tasks have any of this, so the rest get constants, which cost nothing.
  const rest = [
    hasFacts ? jsonText(factsOf(facts)).slice(1, -1) : NO_FACTS,
    `"unread":${isWhole ? '{}' : jsonText(reasonsOf({ commandLine, stack, uid, cgroup, namespacePid, systemCall }))}`,
    `"raw":${isText ? '{}' : jsonText(rawOf(task))}`,
  ];
  return `${jsonText(taskOf(observation, sample)).slice(0, -1)},${rest.join(',')}`;
}

const NOTHING: KernelFacts = {};
const NO_FACTS = '"lock":null,"mmapLock":null,"vforkParent":null,"tracer":null';

function taskOf(observation: Observation, sample: Sample) {
  const { task, state, cpu, wchan, systemCall, facts } = observation;
  const { id, pid, ppid, comm, kernelThread, user, uid, cgroup, commandLine } = task;
  const startSeconds = startTimeSeconds(task, sample);
  const line = valueIn(commandLine);
  const group = valueIn(cgroup);
  return {
    pid: pid ?? null,
    tid: id.tid ?? null,
    ppid: ppid ?? null,
    comm: safe(comm),
    processName: safe(processNameOf(task)),
    commandLine: line === null ? null : escapeInvalid(commandLineText(line).trim()),
    arguments: line === null ? null : argumentsOf(line),
    kernelThread: kernelThread ?? null,
    state: state ?? null,
    kind: kindOf(observation),
    cpu: cpu ?? null,
    startTicks: id.startTicks ?? null,
    startTime: startSeconds === undefined ? null : new Date(startSeconds * 1000).toISOString(),
    startLocal: id.startLocal ?? null,
    wchan: safe(wchan),
    uid: valueIn(uid),
    namespacePid: valueIn(task.namespacePid),
    user: safe(user),
    cgroup: safe(group),
    container: group === null ? null : containerIn(group),
    systemCall: callOf(valueIn(systemCall)),
    offCpuMs: facts?.offCpuMs ?? null,
    onCpuMs: facts?.onCpuMs ?? null,
    ...(facts?.atLeast !== undefined && { atLeast: true }),
    ...(facts?.hardLockup !== undefined && { hardLockup: true }),
    ...(facts?.work !== undefined && { work: safe(facts.work) }),
    ...(facts?.traced !== undefined && { traced: facts.traced }),
  };
}

export function timeIn(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}

function valueIn<T>(reading: Reading<T> | undefined): T | null {
  return reading !== undefined && 'value' in reading ? reading.value : null;
}

export function safe(text: string | undefined | null): string | null {
  return text === undefined || text === null ? null : escapeInvalid(text);
}

/** The name of the process's main thread. */
function processNameOf({ id, pid, comm, processName }: Task): string | undefined {
  return processName ?? (id.tid === pid ? comm : undefined);
}

function containerIn(cgroup: string) {
  const container = containerOf(escapeInvalid(cgroup));
  if (container === undefined) return null;
  const { runtime = null, id = null, pod = null } = container;
  return { runtime, id, pod };
}

/** Each argument ends with a NUL, unless the program has overwritten them. */
function argumentsOf(commandLine: string): string[] {
  if (commandLine === '') return [];
  const text = commandLine.endsWith('\0') ? commandLine.slice(0, -1) : commandLine;
  return text.split('\0').map(escapeInvalid);
}

/** `status` is `inCall` for a task in a system call. Only then is `name` set. */
function callOf(call: SystemCallState | null) {
  if (call === null) return null;
  if (typeof call === 'string') return { status: call, name: null, number: null, arguments: [], text: null };
  const { number, name = null, text = null } = call;
  return { status: 'inCall', name, number, arguments: call.arguments, text };
}

function lockOf({ kind, address, owner, inferred, place }: LockWait) {
  const marks = { ...(inferred === true && { inferred }), ...(place !== undefined && { place: escapeInvalid(place) }) };
  return { kind, address: address ?? null, owner: owner ?? null, ...marks };
}

function factsOf({ lock, mmapLockOwner, vforkParent, tracer }: KernelFacts) {
  return {
    lock: lock === undefined ? null : lockOf(lock),
    mmapLock: mmapLockOwner === undefined ? null : { owner: mmapLockOwner === 'unknown' ? null : mmapLockOwner },
    vforkParent: vforkParent ?? null,
    tracer: tracer ?? null,
  };
}

/** Whether it was read completely, or was not requested. */
function isRead(reading: Reading<unknown> | undefined): boolean {
  return reading === undefined || ('value' in reading && reading.cut === undefined);
}

/** Why what is null could not be read, and what was cut. */
function reasonsOf(readings: Readonly<Record<string, Reading<unknown> | undefined>>): Record<string, string> {
  const reasons: Record<string, string> = {};
  for (const [name, reading] of Object.entries(readings))
    if (reading !== undefined && !isRead(reading)) reasons[name] = 'unread' in reading ? reading.unread : 'cut';
  return reasons;
}

function rawOf(task: Task): Record<string, string> {
  const { comm, commandLine, cgroup } = task;
  const texts = { comm, processName: processNameOf(task), commandLine: valueIn(commandLine), cgroup: valueIn(cgroup) };
  const raw: Record<string, string> = {};
  for (const [name, text] of Object.entries(texts))
    if (text !== undefined && text !== null && !isUtf8Text(text)) raw[name] = bytesAsHex(text);
  return raw;
}

export function wholeFinding({ rule, kind, waitsFor, within, causes, next, undo, source, frame }: Finding) {
  return {
    rule: rule ?? null,
    kind,
    waitsFor: escapeInvalid(waitsFor),
    within: within === undefined ? null : escapeInvalid(within),
    causes,
    next,
    undo,
    source: source ?? null,
    frame: frame === undefined ? null : escapeInvalid(frame.symbol),
  };
}

export function framesOf({ frames }: Stack) {
  return frames.map(({ symbol, offset, size, module }) => ({
    symbol: escapeInvalid(symbol),
    offset: offset ?? null,
    size: size ?? null,
    module: safe(module),
  }));
}

/** Everything that could not be read. */
export function unreadEntries(sample: Sample) {
  const { bootId } = sample;
  const entries = everythingUnread(sample).map(({ tid, pid, comm, state, what, why, detail }) => ({
    tid: tid === 0 ? null : tid,
    pid: pid ?? null,
    comm: safe(comm),
    state: state ?? null,
    what,
    why,
    detail: safe(detail),
    raw: comm === undefined || isUtf8Text(comm) ? {} : { comm: bytesAsHex(comm) },
  }));
  if (bootId === undefined || 'value' in bootId) return entries;
  return [
    { ...NO_TASK, what: 'bootId' as const, why: bootId.unread, detail: safe(bootId.detail), raw: {} },
    ...entries,
  ];
}

const NO_TASK = { tid: null, pid: null, comm: null, state: null };

export function eventEntries({ events = [] }: Sample) {
  return events.map(({ timeMs, uptimeSeconds, kind, text }) => ({
    eventTime: timeIn(timeMs),
    uptimeSeconds: uptimeSeconds ?? null,
    kind,
    text: escapeInvalid(text),
  }));
}

/** Only of resources of which the kernel tells it. */
export function pressureEntries(pressure: Pressure | undefined) {
  return PRESSURES.flatMap((resource) => {
    const stall = pressure?.[resource];
    return stall === undefined ? [] : [{ resource, some: stall.some, full: stall.full ?? null }];
  });
}

export function stackIn(stack: Stack | undefined) {
  return {
    signature: stack === undefined ? null : signatureOf(stack),
    frames: stack === undefined ? [] : framesOf(stack),
  };
}

/** To the millisecond: sums have noise behind that. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

import { kindOf } from '../analysis/explain-sample.ts';
import { commandLineText } from '../model/command-line.ts';
import { type Container, containerOf } from '../model/container.ts';
import type { Field } from '../model/fields.ts';
import { bytesAsHex, escapeInvalid, isUtf8Text } from '../model/raw-text.ts';
import type { Reading } from '../model/reading.ts';
import { type Observation, type Sample, startTimeSeconds, type Unread } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import type { SystemCallState } from '../model/system-call.ts';

/** When and where a sample was taken. */
export function placeOf({ timeMs, host, kernel }: Sample) {
  return {
    time: timeMs === undefined ? null : new Date(timeMs).toISOString(),
    host: host === undefined ? null : escapeInvalid(host),
    kernel: kernel ?? null,
  };
}

/**
 * A task, each property of one type or null, with the reason in `unread` where it could not be read. Text is valid
 * UTF-8: bytes that are not stand as `\xff`, and where there are any, `raw` has all bytes of it as hexadecimal digits.
 */
export function taskOf(observation: Observation, sample: Sample) {
  const { task, state, cpu, wchan, stack, systemCall, facts } = observation;
  const { id, pid, ppid, comm, processName, kernelThread, user, uid, cgroup, commandLine } = task;
  const startSeconds = startTimeSeconds(task, sample);
  const has = (field: Field) => sample.fields.includes(field);
  const line = valueIn(commandLine);
  const group = valueIn(cgroup);
  return {
    pid: pid ?? null,
    tid: id.tid ?? null,
    ppid: ppid ?? null,
    comm: safe(comm),
    processName: sample.threads ? safe(processName ?? (id.tid === pid ? comm : undefined)) : safe(comm),
    commandLine: line === null ? null : safe(commandLineText(line).trim()),
    arguments: line === null ? null : argumentsOf(line),
    kernelThread: kernelThread ?? null,
    state: state ?? null,
    kind: kindOf(observation),
    cpu: cpu ?? null,
    startTicks: id.startTicks ?? null,
    startTime: startSeconds === undefined ? null : new Date(startSeconds * 1000).toISOString(),
    ...(wchan !== undefined && { wchan: escapeInvalid(wchan) }),
    ...(has('uid') && { uid: valueIn(uid), user: user ?? null }),
    ...(has('cgroup') && { cgroup: safe(group ?? undefined), container: group === null ? null : containerIn(group) }),
    ...(has('systemCall') && { systemCall: callOf(valueIn(systemCall)) }),
    ...facts,
    ...reasons({ commandLine, stack, uid, cgroup, systemCall }),
    ...rawOf({ comm, commandLine: line, cgroup: group }),
  };
}

function valueIn<T>(reading: Reading<T> | undefined): T | null {
  return reading !== undefined && 'value' in reading ? reading.value : null;
}

function safe(text: string | undefined): string | null {
  return text === undefined ? null : isUtf8Text(text) ? text : escapeInvalid(text);
}

function containerIn(cgroup: string): Container | null {
  return containerOf(escapeInvalid(cgroup)) ?? null;
}

/** Each with a NUL behind it, but for programs that wrote over them. */
function argumentsOf(commandLine: string): string[] {
  if (commandLine === '') return [];
  const text = commandLine.endsWith('\0') ? commandLine.slice(0, -1) : commandLine;
  return text.split('\0').map(escapeInvalid);
}

/** `number` is null where it runs or waits outside of any system call. */
function callOf(call: SystemCallState | null) {
  if (call === null) return null;
  if (typeof call === 'string') return { name: call, number: null, arguments: [], text: null };
  const { number, name = null, text = null } = call;
  return { name, number, arguments: call.arguments, text };
}

/** Why what is null could not be read, and what was cut. */
function reasons(readings: Readonly<Record<string, Reading<unknown> | undefined>>) {
  let unread: Record<string, string> | undefined;
  for (const [name, reading] of Object.entries(readings)) {
    if (reading === undefined || ('value' in reading && reading.cut === undefined)) continue;
    unread ??= {};
    unread[name] = 'unread' in reading ? reading.unread : 'cut';
  }
  return unread && { unread };
}

function rawOf(texts: Readonly<Record<string, string | undefined | null>>) {
  let raw: Record<string, string> | undefined;
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined || text === null || isUtf8Text(text)) continue;
    raw ??= {};
    raw[name] = bytesAsHex(text);
  }
  return raw && { raw };
}

/** A symbol stands in a text as anybody may have written it. */
export function framesOf({ frames }: Stack) {
  return frames.map(({ symbol, offset, size, module }) => ({
    symbol: escapeInvalid(symbol),
    offset,
    size,
    module: module === undefined ? undefined : escapeInvalid(module),
  }));
}

export function unreadEntry({ comm, ...rest }: Unread) {
  return { ...rest, ...(comm !== undefined && { comm: escapeInvalid(comm) }) };
}

/** What JSON lets through though a terminal acts on it: DEL, C1 and the controls of the bidirectional algorithm (UAX #9). */
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** JSON, safe to show. */
export function jsonText(value: object): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

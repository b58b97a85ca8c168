import { kindOf } from '../analysis/explain-sample.ts';
import { commandLineText } from '../model/command-line.ts';
import { type Container, containerOf } from '../model/container.ts';
import { bytesAsHex, escapeInvalid, isUtf8Text } from '../model/raw-text.ts';
import type { Reading } from '../model/reading.ts';
import { type Observation, readingOf, type Sample, startTimeSeconds, type Unread } from '../model/sample.ts';
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
export function taskOf(observation: Observation, sample: Sample): Record<string, unknown> {
  const { task, state, cpu, wchan, systemCall, facts } = observation;
  const { id, pid, ppid, comm, processName, kernelThread, user, commandLine } = task;
  const startSeconds = startTimeSeconds(task, sample);
  const line = valueIn(commandLine);
  const name = safe(comm);
  const shown: Record<string, unknown> = {
    pid: pid ?? null,
    tid: id.tid ?? null,
    ppid: ppid ?? null,
    comm: name,
    processName: sample.threads && id.tid !== pid ? safe(processName) : name,
    commandLine: line === null ? null : safe(commandLineText(line).trim()),
    arguments: line === null ? null : argumentsOf(line),
    kernelThread: kernelThread ?? null,
    state: state ?? null,
    kind: kindOf(observation),
    cpu: cpu ?? null,
    startTicks: id.startTicks ?? null,
    startTime: startSeconds === undefined ? null : new Date(startSeconds * 1000).toISOString(),
  };
  // Property by property: of 50,000 tasks, each spread of an object costs.
  if (wchan !== undefined) shown['wchan'] = escapeInvalid(wchan);
  let group: string | null = null;
  for (const field of sample.fields) {
    switch (field) {
      case 'uid':
        shown['uid'] = valueIn(task.uid);
        shown['user'] = user ?? null;
        break;
      case 'cgroup':
        group = valueIn(task.cgroup);
        shown['cgroup'] = group === null ? null : escapeInvalid(group);
        shown['container'] = group === null ? null : containerIn(group);
        break;
      case 'systemCall':
        shown['systemCall'] = callOf(valueIn(systemCall));
        break;
      default:
        shown[field] = valueIn(readingOf(observation, field));
    }
  }
  if (facts !== undefined) Object.assign(shown, facts);
  const unread = reasonsOf(observation);
  if (unread !== undefined) shown['unread'] = unread;
  const raw = rawOf(comm, line, group);
  if (raw !== undefined) shown['raw'] = raw;
  return shown;
}

function valueIn<T>(reading: Reading<T> | undefined): T | null {
  return reading !== undefined && 'value' in reading ? reading.value : null;
}

function safe(text: string | undefined): string | null {
  return text === undefined ? null : escapeInvalid(text);
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
function reasonsOf({ task, stack, systemCall }: Observation): Record<string, string> | undefined {
  const { commandLine, uid, cgroup } = task;
  if (isWhole(commandLine) && isWhole(stack) && isWhole(uid) && isWhole(cgroup) && isWhole(systemCall))
    return undefined;
  const unread: Record<string, string> = {};
  for (const [name, reading] of Object.entries({ commandLine, stack, uid, cgroup, systemCall }))
    if (reading !== undefined && !isWhole(reading)) unread[name] = 'unread' in reading ? reading.unread : 'cut';
  return unread;
}

function isWhole(reading: Reading<unknown> | undefined): boolean {
  return reading === undefined || ('value' in reading && reading.cut === undefined);
}

function rawOf(
  comm: string | undefined,
  line: string | null,
  group: string | null,
): Record<string, string> | undefined {
  const isValid = (text: string | undefined | null) => text === undefined || text === null || isUtf8Text(text);
  if (isValid(comm) && isValid(line) && isValid(group)) return undefined;
  const raw: Record<string, string> = {};
  for (const [name, text] of Object.entries({ comm, commandLine: line, cgroup: group }))
    if (text !== undefined && text !== null && !isUtf8Text(text)) raw[name] = bytesAsHex(text);
  return raw;
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

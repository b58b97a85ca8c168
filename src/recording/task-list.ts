import type { Moves } from '../model/changes.ts';
import { jsonText } from '../model/json-text.ts';
import type { Reading } from '../model/reading.ts';
import type { KernelFacts, Observation } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import type { SystemCallState } from '../model/system-call.ts';
import type { Task } from '../model/task.ts';
import type { Changes, EntryNumbers } from './record.ts';

/** An observation, in numbers. */
export interface Entry {
  readonly task: number;
  readonly stack: number;
  readonly look: number;
  readonly cpu: number | null;
  readonly switches: number | null;
  /** When it left the CPU, on the monotonic clock: the same from sample to sample while it sleeps. */
  readonly sinceMs: number | null;
}

/** The tasks of a sample, or those that others wait for: a list that changes from sample to sample. */
export class TaskList {
  /** The observations that the list had: their source may have to make them. */
  #last: () => readonly Observation[] = () => [];
  #entries: Entry[] = [];
  #monotonicMs: number | undefined;

  /** What turns the list before into this one; undefined if nothing does. */
  advance(
    list: () => readonly Observation[],
    monotonicMs: number | undefined,
    entryOf: (observation: Observation) => Entry,
  ): Changes | undefined {
    const [last, observations] = [this.#last(), list()];
    const kept = placesIn(last, observations);
    const told = new ToldChanges(monotonicMs);
    const entries: Entry[] = [];
    let next = 0;
    for (const [at, observation] of observations.entries()) {
      const place = kept === undefined ? -1 : (kept[at] ?? -1);
      const [before, known] = [last[place], this.#entries[place]];
      const isKnown = before !== undefined && isSame(before, this.#monotonicMs, observation, monotonicMs);
      const entry = isKnown && known !== undefined ? known : entryOf(observation);
      entries.push(entry);
      if (known === undefined) {
        told.put(at, entry);
        continue;
      }
      while (next < place) told.gone.push(next++);
      next = place + 1;
      if (!isSameEntry(entry, known)) told.set(at, entry);
    }
    while (next < last.length) told.gone.push(next++);
    this.#entries = entries;
    this.#keep(list, monotonicMs);
    return told.changes();
  }

  /** The same where it is known what turns one into the other, in time that follows the changes. */
  advanceBy(
    { gone, put, set }: Moves,
    list: () => readonly Observation[],
    monotonicMs: number | undefined,
    entryOf: (observation: Observation) => Entry,
  ): Changes | undefined {
    const told = new ToldChanges(monotonicMs);
    for (const at of gone) told.gone.push(at);
    if (gone.length + put.length > 0) {
      const isGone = new Set(gone);
      const stayed = this.#entries.filter((_, at) => !isGone.has(at));
      const entries: Entry[] = [];
      let next = 0;
      for (const { at, observation } of put) {
        const before = stayed.slice(next, next + at - entries.length);
        next += before.length;
        for (const entry of before) entries.push(entry);
        const entry = entryOf(observation);
        entries.push(entry);
        told.put(at, entry);
      }
      this.#entries = entries.concat(stayed.slice(next));
    }
    for (const { at, observation } of set) {
      const [entry, known] = [entryOf(observation), this.#entries[at]];
      if (known !== undefined && isSameEntry(entry, known)) continue;
      this.#entries[at] = entry;
      told.set(at, entry);
    }
    this.#keep(list, monotonicMs);
    return told.changes();
  }

  #keep(list: () => readonly Observation[], monotonicMs: number | undefined): void {
    this.#last = list;
    this.#monotonicMs = monotonicMs;
  }
}

/** Collects what a sample tells of a list, in ascending places. */
class ToldChanges {
  readonly gone: number[] = [];
  readonly #put: [number, number, ...EntryNumbers][] = [];
  readonly #set: [number, ...EntryNumbers][] = [];
  readonly #monotonicMs: number | undefined;
  #nextPut = 0;
  #nextTask = 0;
  #nextSet = 0;

  constructor(monotonicMs: number | undefined) {
    this.#monotonicMs = monotonicMs;
  }

  put(at: number, entry: Entry): void {
    this.#put.push([at - this.#nextPut, entry.task - this.#nextTask, ...numbersOf(entry, this.#monotonicMs)]);
    [this.#nextPut, this.#nextTask] = [at + 1, entry.task + 1];
  }

  set(at: number, entry: Entry): void {
    this.#set.push([at - this.#nextSet, ...numbersOf(entry, this.#monotonicMs)]);
    this.#nextSet = at + 1;
  }

  changes(): Changes | undefined {
    const { gone } = this;
    const [put, set] = [this.#put, this.#set];
    if (gone.length + put.length + set.length === 0) return undefined;
    return { ...(gone.length > 0 && { gone }), ...(put.length > 0 && { put }), ...(set.length > 0 && { set }) };
  }
}

/**
 * The place that each observation's task had in the list before, or -1; undefined if they are in another order. Where
 * nobody came or went, that is one comparison each.
 */
function placesIn(last: readonly Observation[], observations: readonly Observation[]): number[] | undefined {
  const kept: number[] = [];
  let places: Map<Task, number> | undefined;
  let next = 0;
  for (const { task } of observations) {
    let place = next;
    if (last[next]?.task !== task) {
      places ??= new Map(last.map((observation, at) => [observation.task, at]));
      place = places.get(task) ?? -1;
      if (place !== -1 && place < next) return undefined;
    }
    kept.push(place);
    if (place !== -1) next = place + 1;
  }
  return kept;
}

function isSameEntry(a: Entry, b: Entry): boolean {
  return (
    a.stack === b.stack && a.look === b.look && a.cpu === b.cpu && a.switches === b.switches && a.sinceMs === b.sinceMs
  );
}

function numbersOf({ stack, look, cpu, switches, sinceMs }: Entry, monotonicMs: number | undefined): EntryNumbers {
  if (sinceMs !== null && monotonicMs !== undefined) return [stack, look, cpu, switches, monotonicMs - sinceMs];
  if (switches !== null) return [stack, look, cpu, switches];
  return cpu === null ? [stack, look] : [stack, look, cpu];
}

function isSame(a: Observation, aMs: number | undefined, b: Observation, bMs: number | undefined): boolean {
  if (a === b && aMs === bMs) return true;
  return (
    a.state === b.state &&
    a.cpu === b.cpu &&
    a.wchan === b.wchan &&
    a.waitsBy === b.waitsBy &&
    isSameStack(a.stack, b.stack) &&
    isSameCall(a.systemCall, b.systemCall) &&
    sinceOf(a.facts, aMs) === sinceOf(b.facts, bMs) &&
    (sinceOf(a.facts, aMs) !== undefined || a.facts?.offCpuMs === b.facts?.offCpuMs) &&
    isSameFacts(a.facts, b.facts)
  );
}

function isSameStack(a: Reading<Stack>, b: Reading<Stack>): boolean {
  return a === b || ('value' in a && 'value' in b && a.value === b.value && a.cut === b.cut);
}

function isSameCall(a: Reading<SystemCallState> | undefined, b: Reading<SystemCallState> | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (!('value' in a && 'value' in b)) return jsonText(a) === jsonText(b);
  const [one, other] = [a.value, b.value];
  if (typeof one === 'string' || typeof other === 'string') return one === other && a.cut === b.cut;
  return (
    one.number === other.number &&
    one.stackPointer === other.stackPointer &&
    one.programCounter === other.programCounter &&
    one.name === other.name &&
    one.text === other.text &&
    a.cut === b.cut &&
    one.arguments.length === other.arguments.length &&
    one.arguments.every((argument, at) => argument === other.arguments[at])
  );
}

/** Apart from the time off the CPU. */
function isSameFacts(a: KernelFacts | undefined, b: KernelFacts | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.switches === b.switches &&
    a.onCpuMs === b.onCpuMs &&
    a.atLeast === b.atLeast &&
    a.hardLockup === b.hardLockup &&
    a.work === b.work &&
    a.traced?.times === b.traced?.times &&
    a.traced?.offCpuMs === b.traced?.offCpuMs &&
    a.mmapLockOwner === b.mmapLockOwner &&
    a.vforkParent === b.vforkParent &&
    a.tracer === b.tracer &&
    a.lock?.kind === b.lock?.kind &&
    a.lock?.address === b.lock?.address &&
    a.lock?.owner === b.lock?.owner &&
    a.lock?.inferred === b.lock?.inferred &&
    a.lock?.place === b.lock?.place
  );
}

/** Unchanged from sample to sample while a task sleeps; undefined if it could not be told back exactly. */
export function sinceOf(facts: KernelFacts | undefined, monotonicMs: number | undefined): number | undefined {
  if (facts?.offCpuMs === undefined || monotonicMs === undefined) return undefined;
  const sinceMs = monotonicMs - facts.offCpuMs;
  const { isSafeInteger } = Number;
  return isSafeInteger(monotonicMs) && isSafeInteger(facts.offCpuMs) && isSafeInteger(sinceMs) ? sinceMs : undefined;
}

import type { Observation, Sample } from './sample.ts';

/** Why a task waits for another one. */
export type WaitReason = 'mutex' | 'semaphore' | 'rwsem-read' | 'rwsem-write' | 'vfork' | 'ptrace';

/** A task that waits for another one. */
export interface Wait {
  readonly tid: number;
  /** TID of the task it waits for. */
  readonly holder: number;
  readonly reason: WaitReason;
}

/** A task that others wait for, and that waits for none itself. */
export interface Root {
  readonly tid: number;
  /** Undefined where it is known by its number only. */
  readonly observation: Observation | undefined;
  /** Those that wait for it, directly or behind one another, the nearest first. */
  readonly waits: readonly Wait[];
}

/** Who waits for whom. */
export interface WaitGraph {
  /** The root that holds up the most tasks first. */
  readonly roots: readonly Root[];
  /** Tasks that wait for each other, each for the next one and the last for the first: they never go on. */
  readonly cycles: readonly (readonly Wait[])[];
}

/** All tasks of a sample, by TID. */
export function tasksByTid({ observations, holders }: Sample): Map<number, Observation> {
  const tasks = new Map<number, Observation>();
  for (const some of [observations, holders])
    for (const observation of some) {
      const { tid } = observation.task.id;
      if (tid !== undefined) tasks.set(tid, observation);
    }
  return tasks;
}

/** What the facts about one task say of who waits for whom. */
export function waitsOf(
  tid: number,
  state: string | undefined,
  { lock, vforkParent, tracer }: NonNullable<Observation['facts']>,
): Wait[] {
  const waits: Wait[] = [];
  if (lock?.owner !== undefined && lock.owner !== tid) waits.push({ tid, holder: lock.owner, reason: lock.kind });
  if (vforkParent !== undefined) waits.push({ tid: vforkParent, holder: tid, reason: 'vfork' });
  if (tracer !== undefined && state === 't') waits.push({ tid, holder: tracer, reason: 'ptrace' });
  return waits;
}

import type { Observation, Sample } from './sample.ts';

/** Why a task waits for another one. */
export type WaitReason = 'mutex' | 'semaphore' | 'rwsem-read' | 'rwsem-write' | 'vfork' | 'ptrace';

/** A task that waits for another one. */
export interface Wait {
  readonly tid: number;
  /** TID of the task it waits for. */
  readonly holder: number;
  readonly reason: WaitReason;
  /** Set if the holder is only likely. */
  readonly inferred?: true;
}

/** A task that others wait for, and that waits for none itself. */
export interface Root {
  readonly tid: number;
  /** Undefined if only its number is known. */
  readonly observation: Observation | undefined;
  /** The waits for it, direct or indirect, nearest first. */
  readonly waits: readonly Wait[];
}

export interface WaitGraph {
  /** Sorted by how many tasks they hold up, most first. */
  readonly roots: readonly Root[];
  /** Deadlocks: each task waits for the next one, and the last for the first. */
  readonly cycles: readonly (readonly Wait[])[];
}

/** All tasks of a sample, by TID. */
export function tasksByTid({
  observations,
  holders,
}: Pick<Sample, 'observations' | 'holders'>): Map<number, Observation> {
  const tasks = new Map<number, Observation>();
  for (const some of [observations, holders])
    for (const observation of some) {
      const { tid } = observation.task.id;
      if (tid !== undefined) tasks.set(tid, observation);
    }
  return tasks;
}

/** The waits that follow from the facts about one task. */
export function waitsOf(
  tid: number,
  state: string | undefined,
  { lock, vforkParent, tracer }: NonNullable<Observation['facts']>,
): Wait[] {
  const waits: Wait[] = [];
  if (lock?.owner !== undefined && lock.owner !== tid) {
    const { owner: holder, kind: reason, inferred } = lock;
    waits.push({ tid, holder, reason, ...(inferred === true && { inferred }) });
  }
  if (vforkParent !== undefined) waits.push({ tid: vforkParent, holder: tid, reason: 'vfork' });
  if (tracer !== undefined && state === 't') waits.push({ tid, holder: tracer, reason: 'ptrace' });
  return waits;
}

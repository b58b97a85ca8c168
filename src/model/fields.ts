import type { Reading } from './reading.ts';
import type { SystemCallState } from './system-call.ts';

/** What is read of a task only on request. */
export interface FieldValues {
  /** The effective user id. */
  readonly uid: number;
  /** The control group, as a path from the hierarchy's root; empty if no hierarchy is mounted. */
  readonly cgroup: string;
  /** The number of its process in the PID namespace of the process, which is another than `pid` in containers. */
  readonly namespacePid: number;
  readonly systemCall: SystemCallState;
}

export type Field = keyof FieldValues;

/** Whether a field belongs to the task or to the observation, and its name in messages. */
export const FIELDS = {
  uid: { of: 'task', label: 'user id' },
  cgroup: { of: 'task', label: 'control group' },
  namespacePid: { of: 'task', label: 'PID in its namespace' },
  systemCall: { of: 'observation', label: 'system call' },
} as const satisfies Record<Field, { readonly of: 'task' | 'observation'; readonly label: string }>;

export const FIELD_NAMES = Object.keys(FIELDS) as readonly Field[];

type FieldsOf<Place> = {
  readonly [F in Field as (typeof FIELDS)[F]['of'] extends Place ? F : never]?: Reading<FieldValues[F]>;
};

export type TaskFields = FieldsOf<'task'>;
export type ObservationFields = FieldsOf<'observation'>;

import type { Reading } from './reading.ts';
import type { SystemCallState } from './system-call.ts';

/** What is read of a task only where it is asked for, and what each is. */
export interface FieldValues {
  /** The effective user id. */
  readonly uid: number;
  /** The control group, as a path from the hierarchy's root; empty where no hierarchy is mounted. */
  readonly cgroup: string;
  /** The number of its process in the PID namespace of the process, which is another than `pid` in containers. */
  readonly namespacePid: number;
  readonly systemCall: SystemCallState;
}

export type Field = keyof FieldValues;

/** Whether it is a lasting attribute of the task or belongs to the moment, and what it is called in a message. */
export const FIELDS = {
  uid: { of: 'task', label: 'user id' },
  cgroup: { of: 'task', label: 'control group' },
  namespacePid: { of: 'task', label: 'PID in its namespace' },
  systemCall: { of: 'observation', label: 'system call' },
} as const satisfies Record<Field, { readonly of: 'task' | 'observation'; readonly label: string }>;

/** Those fields, as they were read. */
type FieldsOf<Place> = {
  readonly [F in Field as (typeof FIELDS)[F]['of'] extends Place ? F : never]?: Reading<FieldValues[F]>;
};

export type TaskFields = FieldsOf<'task'>;
export type ObservationFields = FieldsOf<'observation'>;

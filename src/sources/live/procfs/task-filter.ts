import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import { takesAll } from '../../../model/selection.ts';
import type { State } from '../../../model/task.ts';

/** The processes of kstack itself. The reader is not shown, and kstack only with its main thread. */
export interface OwnTasks {
  /** The PID of the reader; undefined if the procfs belongs to another PID namespace. */
  readonly reader: number | undefined;
  /** The PID of kstack; undefined in the same case, and in a program that uses kstack as a library. */
  readonly kstack: number | undefined;
}

interface Numbers {
  readonly pid: number;
  readonly tid: number;
}

/** Applies a selection to the attributes of a task. */
export class TaskFilter {
  readonly all: boolean;
  readonly threads: boolean;
  readonly states: ReadonlySet<State>;
  /** The selected PIDs; with threads, also TIDs. */
  readonly numbers: ReadonlySet<number>;
  readonly users: ReadonlySet<number> | undefined;
  readonly selection: CompiledSelection;
  readonly #own: OwnTasks;

  constructor(selection: CompiledSelection, own: OwnTasks) {
    this.selection = selection;
    this.#own = own;
    this.all = takesAll(selection);
    this.threads = selection.threads === true;
    this.states = new Set(selection.states);
    this.numbers = new Set(selection.all === true ? [] : selection.pids);
    this.users = selection.users && new Set(selection.users);
  }

  /** Whether the state or number alone decides, so that nothing else has to be read to select a task. */
  get isDirect(): boolean {
    const { command, cgroup } = this.selection;
    return command === undefined && this.users === undefined && cgroup === undefined;
  }

  takesState({ pid, tid }: Numbers, state: State): boolean {
    return this.all || this.numbers.has(tid) || (this.threads && this.numbers.has(pid)) || this.states.has(state);
  }

  takesName(comm: string): boolean {
    return this.selection.command?.test(comm) !== false;
  }

  takesUser(uid: number): boolean {
    return this.users?.has(uid) !== false;
  }

  takesCgroup(paths: readonly string[]): boolean {
    const { cgroup } = this.selection;
    return cgroup === undefined || paths.some(cgroup);
  }

  isOwn({ pid, tid }: Numbers, ppid: number): boolean {
    const { reader, kstack } = this.#own;
    return pid === reader || ppid === reader || (pid === kstack && tid !== pid);
  }
}

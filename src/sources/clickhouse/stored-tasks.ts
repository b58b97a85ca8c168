import type { KernelFacts, Observation } from '../../model/sample.ts';
import type { Stack } from '../../model/stack.ts';
import { STATES, type Task } from '../../model/task.ts';
import { allRows, type Cells, type Database } from './cells.ts';
import { listOf } from './scope.ts';
import { type Intern, portions, stacksOf } from './stored.ts';

/** Bounds memory. */
const MOST_KEPT = 100_000;

/** The tasks and stacks that observations refer to. Those that many refer to are asked for once. */
export class StoredTasks {
  readonly #database: Database;
  readonly #intern: Intern;
  #tasks = new Map<string, Task>();
  #owned = new Map<string, Task>();
  #stacks = new Map<string, Stack>();

  constructor(database: Database, intern: Intern) {
    this.#database = database;
    this.#intern = intern;
  }

  /** Learns what these rows of observations refer to. */
  async learn(rows: readonly Cells[]): Promise<void> {
    if (this.#tasks.size > MOST_KEPT) {
      this.#tasks = new Map();
      this.#owned = new Map();
    }
    if (this.#stacks.size > MOST_KEPT) this.#stacks = new Map();
    const isNew = (key: string, known: ReadonlyMap<string, unknown>) => !known.has(key);
    const tasks = rows.map((row) => row.toldText('task')).filter((key) => isNew(key, this.#tasks));
    for (const some of portions(tasks)) {
      const statement = `SELECT toString(task) AS key, * FROM tasks FINAL WHERE task IN ${listOf(some)}`;
      for (const row of await allRows(this.#database, statement)) this.#tasks.set(row.toldText('key'), taskIn(row));
    }
    const stacks = rows.flatMap((row) => row.text('stack') ?? []).filter((key) => isNew(key, this.#stacks));
    for (const [key, stack] of await stacksOf(this.#database, stacks, this.#intern)) this.#stacks.set(key, stack);
  }

  observationIn(row: Cells): Observation {
    const state = STATES.find((letter) => letter === row.text('state'));
    const [cpu, wchan, call] = [row.number('cpu'), row.text('wchan'), row.text('system_call')];
    const facts = factsIn(row);
    return {
      task: this.#taskOf(row),
      ...(state !== undefined && { state }),
      stack: this.#stackOf(row),
      ...(cpu !== undefined && { cpu }),
      ...(wchan !== undefined && { wchan }),
      ...(Object.keys(facts).length > 0 && { facts }),
      // Of others there is a text, without the number of the call.
      ...((call === 'none' || call === 'running') && { systemCall: { value: call } }),
    };
  }

  #taskOf(row: Cells): Task {
    const key = row.toldText('task');
    const task = this.#tasks.get(key);
    if (task === undefined) throw new TypeError(`the database has no task ${key}, which an observation refers to`);
    if (!row.flag('own')) return task;
    const own = this.#owned.get(key) ?? { ...task, own: true };
    this.#owned.set(key, own);
    return own;
  }

  #stackOf(row: Cells): Observation['stack'] {
    const why = row.text('stack_unread');
    // Its words are those that were written.
    if (why !== undefined) return { unread: why as 'timeout' };
    const key = row.text('stack');
    if (key === undefined) return { value: this.#intern([]) };
    const stack = this.#stacks.get(key);
    if (stack === undefined) throw new TypeError(`the database has no stack ${key}, which an observation refers to`);
    return { value: stack };
  }
}

function taskIn(row: Cells): Task {
  const [bootId, tid, startTicks] = [row.text('boot_id'), row.number('tid'), row.number('start_ticks')];
  const startLocal = row.laterText('start_local');
  const [pid, ppid, comm, processName] = [row.number('pid'), row.number('ppid'), row.text('comm'), row.text('process')];
  const [line, user, uid, cgroup] = [
    row.text('command_line'),
    row.text('user_name'),
    row.number('uid'),
    row.text('cgroup'),
  ];
  const [namespacePid, kernelThread] = [row.number('namespace_pid'), row.number('kernel_thread')];
  return {
    id: {
      ...(bootId !== undefined && { bootId }),
      ...(tid !== undefined && { tid }),
      ...(startTicks !== undefined && { startTicks }),
      ...(startLocal !== undefined && { startLocal }),
    },
    ...(pid !== undefined && { pid }),
    ...(ppid !== undefined && { ppid }),
    ...(comm !== undefined && { comm }),
    ...(processName !== undefined && tid !== pid && { processName }),
    // Where an argument ends is not told.
    commandLine: line === undefined ? { unread: 'notTold' } : { value: line === '' ? '' : `${line}\0` },
    ...(kernelThread !== undefined && { kernelThread: kernelThread === 1 }),
    ...(user !== undefined && { user }),
    ...(uid !== undefined && { uid: { value: uid } }),
    ...(cgroup !== undefined && { cgroup: { value: cgroup } }),
    ...(namespacePid !== undefined && { namespacePid: { value: namespacePid } }),
  };
}

function factsIn(row: Cells): KernelFacts {
  const [offCpuMs, onCpuMs] = [row.number('off_cpu_ms'), row.number('on_cpu_ms')];
  const [times, tracedMs] = [row.number('traced_times'), row.number('traced_off_cpu_ms')];
  const switches = row.number('switches');
  const traced = { ...(times !== undefined && { times }), ...(tracedMs !== undefined && { offCpuMs: tracedMs }) };
  return {
    ...(offCpuMs !== undefined && { offCpuMs }),
    ...(onCpuMs !== undefined && { onCpuMs }),
    ...(Object.keys(traced).length > 0 && { traced }),
    ...(switches !== undefined && { switches }),
  };
}

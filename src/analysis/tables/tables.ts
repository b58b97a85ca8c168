/**
 * What a value is: `key` a hash of 64 bits, `time` Unix milliseconds in UTC, `count` a whole number below 2^32,
 * `integer` one below 2^53.
 */
export type ColumnType = 'key' | 'text' | 'time' | 'count' | 'integer' | 'real' | 'flag';

export interface Column {
  readonly type: ColumnType;
  /** Set if it is null where it does not apply, or is not known. */
  readonly nullable?: true;
  readonly unit?: string;
  /** What rows have that were written before there was the column, if that is not null or 0. */
  readonly earlier?: number;
  readonly about: string;
}

export interface Table {
  readonly about: string;
  /** The columns that tell its rows apart: rows with the same ones say the same, and any of them will do. */
  readonly key: readonly string[];
  /** Set if its rows belong to a moment of a host; the others describe what these rows refer to. */
  readonly timed?: true;
  readonly columns: Readonly<Record<string, Column>>;
}

const PLACE = {
  sample: { type: 'key', about: 'the sample: samples.sample' },
  time: { type: 'time', nullable: true, about: 'when the sample was begun' },
  host: { type: 'text', nullable: true, about: 'the name of the host' },
} as const satisfies Record<string, Column>;

const STALL = { type: 'real', nullable: true, unit: '%' } as const;

/** The relational form of samples, which SQL, Parquet and ClickHouse share. docs/tables.md describes it. */
export const TABLES = {
  samples: {
    about: 'one moment of a host',
    key: ['sample'],
    timed: true,
    columns: {
      ...PLACE,
      sample: { type: 'key', about: 'of host, boot and time' },
      boot_id: { type: 'text', nullable: true, about: 'the same until the host is booted again' },
      kernel: { type: 'text', nullable: true, about: 'release of the kernel, as uname -r prints it' },
      architecture: { type: 'text', nullable: true, about: 'x64, arm64' },
      source: { type: 'text', about: 'how tasks were read: bpf, procfs, text' },
      source_why: { type: 'text', nullable: true, about: 'why not by bpf' },
      threads: { type: 'flag', about: 'whether each thread is a task, or each process is one' },
      uptime_s: { type: 'real', nullable: true, unit: 's', about: 'time since boot, in a kernel log' },
      interval_ms: { type: 'integer', nullable: true, unit: 'ms', about: 'how far apart a recorder takes samples' },
      span_ms: { type: 'integer', nullable: true, unit: 'ms', about: 'time since the sample of the host before it' },
      boot_time: { type: 'time', nullable: true, about: 'when the host was booted' },
      ticks_per_second: { type: 'count', nullable: true, about: 'the unit of tasks.start_ticks' },
      tasks: { type: 'count', about: 'tasks seen, those left out among them; the sum of the next four' },
      blocked: { type: 'count', about: 'tasks that wait for a resource' },
      idle: { type: 'count', about: 'tasks that wait for work' },
      running: { type: 'count', about: 'tasks that use a CPU, or wait for one' },
      unexplained: { type: 'count', about: 'tasks that no rule explains' },
      left_out: { type: 'count', about: 'tasks seen that have no row in observations (--blocked)' },
      unread: { type: 'count', about: 'what could not be read: rows of the table unread' },
      cpu_some: { ...STALL, about: 'pressure: share of the last 10 s in which some task waited for a CPU' },
      cpu_full: { ...STALL, about: 'in which all tasks did' },
      io_some: { ...STALL, about: 'the same for input and output' },
      io_full: { ...STALL, about: 'in which all tasks did' },
      memory_some: { ...STALL, about: 'the same for memory' },
      memory_full: { ...STALL, about: 'in which all tasks did' },
    },
  },
  tasks: {
    about: 'a task as it was for a while: one that changes its name or user has another row from then on',
    key: ['task'],
    columns: {
      task: { type: 'key', about: 'of all other columns' },
      host: { type: 'text', nullable: true, about: 'the name of the host' },
      boot_id: { type: 'text', nullable: true, about: 'with tid and start_ticks, it identifies a task for its life' },
      tid: { type: 'integer', nullable: true, about: 'number of the thread' },
      start_ticks: { type: 'integer', nullable: true, unit: 'ticks', about: 'from boot to its start' },
      start_time: { type: 'time', nullable: true, about: 'its start, to the second' },
      start_local: { type: 'text', nullable: true, about: 'the same by the clock of the host, in the classic text' },
      pid: { type: 'integer', nullable: true, about: 'number of the process' },
      ppid: { type: 'integer', nullable: true, about: 'number of the parent process' },
      namespace_pid: { type: 'integer', nullable: true, about: 'number of the process in its own PID namespace' },
      comm: { type: 'text', nullable: true, about: 'name of the thread' },
      process: { type: 'text', nullable: true, about: 'name of the main thread' },
      command_line: { type: 'text', nullable: true, about: 'arguments, separated by spaces' },
      kernel_thread: { type: 'flag', nullable: true, about: 'whether it is one' },
      uid: { type: 'integer', nullable: true, about: 'effective user id' },
      user_name: { type: 'text', nullable: true, about: 'name of the user' },
      cgroup: { type: 'text', nullable: true, about: 'control group' },
      runtime: { type: 'text', nullable: true, about: 'what runs its container: docker, libpod, ...' },
      container: { type: 'text', nullable: true, about: 'id of the container' },
      pod: { type: 'text', nullable: true, about: 'uid of the Kubernetes pod' },
    },
  },
  observations: {
    about: 'what was seen of a task in a sample',
    key: ['observation'],
    timed: true,
    columns: {
      observation: { type: 'key', about: 'of sample and task' },
      ...PLACE,
      kernel: { type: 'text', nullable: true, about: 'release of the kernel' },
      span_ms: {
        type: 'integer',
        nullable: true,
        unit: 'ms',
        about: 'time since the sample of the host before it: the sum is task time',
      },
      task: { type: 'key', about: 'tasks.task' },
      pid: { type: 'integer', nullable: true, about: 'number of the process' },
      tid: { type: 'integer', nullable: true, about: 'number of the thread' },
      start_ticks: {
        type: 'integer',
        nullable: true,
        unit: 'ticks',
        about: 'from boot to its start: with boot and tid, the same task',
      },
      comm: { type: 'text', nullable: true, about: 'name of the thread' },
      state: { type: 'text', nullable: true, about: 'R S D I T t Z X P' },
      selected: { type: 'flag', about: 'false for one that was only read because others wait for it' },
      own: { type: 'flag', about: 'true for kstack itself' },
      kind: { type: 'text', about: 'blocked, idle, running, unexplained' },
      rule: { type: 'text', nullable: true, about: 'the rule that explains it' },
      waits_for: { type: 'text', about: 'what it waits for' },
      wait: { type: 'text', about: 'signature of rule and functions: the same wait on every kernel and host' },
      finding: { type: 'key', about: 'findings.finding' },
      stack: { type: 'key', nullable: true, about: 'stacks.stack; null if it has no kernel stack' },
      stack_unread: { type: 'text', nullable: true, about: 'why the stack could not be read' },
      cpu: { type: 'count', nullable: true, about: 'the CPU it last ran on' },
      wchan: { type: 'text', nullable: true, about: 'function it waits in, if only that could be read' },
      off_cpu_ms: { type: 'real', nullable: true, unit: 'ms', about: 'time since it last ran' },
      on_cpu_ms: { type: 'real', nullable: true, unit: 'ms', about: 'time for which it kept its CPU, in a kernel log' },
      traced_times: { type: 'integer', nullable: true, about: 'how often a tracer has seen it with this stack' },
      traced_off_cpu_ms: { type: 'real', nullable: true, unit: 'ms', about: 'how long it was off a CPU so, in all' },
      switches: { type: 'integer', nullable: true, about: 'how often it has left a CPU, modulo 2^32' },
      system_call: { type: 'text', nullable: true, about: 'the system call it is in; none, running' },
    },
  },
  stacks: {
    about: 'a kernel stack',
    key: ['stack'],
    columns: {
      stack: { type: 'key', about: 'of all its frames' },
      signature: { type: 'text', about: 'of the functions only, as in -f json: the same on every kernel' },
      depth: { type: 'count', about: 'number of frames' },
      functions: { type: 'text', about: 'innermost first, separated by ;' },
    },
  },
  frames: {
    about: 'a function on a stack',
    key: ['stack', 'position'],
    columns: {
      stack: { type: 'key', about: 'stacks.stack' },
      position: { type: 'count', about: '0 is the innermost' },
      function: { type: 'text', about: 'name in the sources: no suffixes of the compiler' },
      symbol: { type: 'text', about: 'as the kernel prints it' },
      offset_bytes: { type: 'integer', nullable: true, unit: 'bytes', about: 'from the start of the function' },
      size_bytes: { type: 'integer', nullable: true, unit: 'bytes', about: 'of the function' },
      module: { type: 'text', nullable: true, about: 'null for the kernel itself' },
    },
  },
  findings: {
    about: 'what an observation means',
    key: ['finding'],
    columns: {
      finding: { type: 'key', about: 'of all other columns' },
      rule: { type: 'text', nullable: true, about: 'the rule' },
      kind: { type: 'text', about: 'blocked, idle, running, unexplained' },
      waits_for: { type: 'text', about: 'what is waited for' },
      within: { type: 'text', nullable: true, about: 'what the whole stack belongs to: in write(2)' },
      function: { type: 'text', nullable: true, about: 'by which the rule knows the stack' },
      causes: { type: 'text', about: 'the usual ones; empty if none are known' },
      next: { type: 'text', about: 'commands that look further, one a line' },
      undo: { type: 'text', about: 'commands that may end the wait, one a line; they change the host' },
      source: { type: 'text', nullable: true, about: 'kernel file and function' },
    },
  },
  waits: {
    about: 'an edge: one waits for another. Ends are tasks or resources',
    key: ['edge'],
    timed: true,
    columns: {
      edge: { type: 'key', about: 'of sample and both ends' },
      ...PLACE,
      how: { type: 'text', about: 'how: mutex, flock, pipe-writer, ...' },
      from_kind: { type: 'text', about: 'task, or the kind of resource' },
      from_tid: { type: 'integer', nullable: true, about: 'of a task' },
      from_task: { type: 'key', nullable: true, about: 'tasks.task; null if only the number is known' },
      from_resource: { type: 'text', nullable: true, about: 'key of a resource: mount 45' },
      from_name: { type: 'text', nullable: true, about: 'of the task or resource' },
      to_kind: { type: 'text', about: 'task, or the kind of resource' },
      to_tid: { type: 'integer', nullable: true, about: 'of a task' },
      to_task: { type: 'key', nullable: true, about: 'tasks.task; null if only the number is known' },
      to_resource: { type: 'text', nullable: true, about: 'key of a resource' },
      to_name: { type: 'text', nullable: true, about: 'of the task or resource' },
      to_condition: { type: 'text', nullable: true, about: 'what is unusual about a resource' },
      any_of: { type: 'flag', about: 'whether it goes on as soon as one of its edges with this mark ends' },
      inferred: { type: 'flag', about: 'whether the kernel does not say so itself' },
      evidence: { type: 'text', about: 'where it was read, and what it said, one a line' },
    },
  },
  roots: {
    about: 'what others wait for and that itself waits for nothing that is known, or a deadlock',
    key: ['root'],
    timed: true,
    columns: {
      root: { type: 'key', about: 'of sample and root' },
      ...PLACE,
      kind: { type: 'text', about: 'task, the kind of resource, deadlock' },
      tid: { type: 'integer', nullable: true, about: 'of a task' },
      task: { type: 'key', nullable: true, about: 'tasks.task; null if only the number is known' },
      resource: { type: 'text', nullable: true, about: 'key of a resource' },
      name: { type: 'text', nullable: true, about: 'of the task or resource' },
      state: { type: 'text', nullable: true, about: 'of a task' },
      condition: { type: 'text', nullable: true, about: 'what is unusual about a resource' },
      tasks: { type: 'count', about: 'how many wait for it, directly or through others, or are in the deadlock' },
      waiters: { type: 'text', about: 'their TIDs, separated by commas' },
      at_least: { type: 'flag', about: 'whether there are more than tasks tells' },
      holds_up: {
        type: 'flag',
        earlier: 1,
        about: 'whether these waits are not just normal, as of a shell for its child',
      },
      certain: { type: 'flag', about: 'whether the kernel says every edge of it' },
    },
  },
  unread: {
    about: 'what could not be read',
    key: ['unread'],
    timed: true,
    columns: {
      unread: { type: 'key', about: 'of sample, task and what' },
      ...PLACE,
      tid: { type: 'integer', nullable: true, about: 'null if it is not about one task' },
      pid: { type: 'integer', nullable: true, about: 'number of the process' },
      comm: { type: 'text', nullable: true, about: 'name of the thread' },
      state: { type: 'text', nullable: true, about: 'of the task' },
      what: { type: 'text', about: 'stack, commandLine, task, ...' },
      why: { type: 'text', about: 'timeout, denied, gone, cut, an errno, ...' },
      detail: { type: 'text', nullable: true, about: 'what is malformed' },
    },
  },
  events: {
    about: 'a moment worth marking: a line of the kernel log, a trigger, a gap',
    key: ['event'],
    timed: true,
    columns: {
      event: { type: 'key', about: 'of host, time and text: the same in every recording' },
      ...PLACE,
      time: { type: 'time', nullable: true, about: 'when it happened, or else when the sample was begun' },
      uptime_s: { type: 'real', nullable: true, unit: 's', about: 'time since boot, as in the kernel log' },
      kind: { type: 'text', about: 'hung-task, io-error, oom, trigger, lost, ...' },
      text: { type: 'text', about: 'what the kernel printed, or what set off the trigger' },
    },
  },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof TABLES;

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

/** A table by its name, without what the compiler knows of it. */
export function tableNamed(name: TableName): Table {
  return TABLES[name];
}

interface Values {
  readonly key: bigint;
  readonly text: string;
  readonly time: number;
  readonly count: number;
  readonly integer: number;
  readonly real: number;
  readonly flag: boolean;
}

type ValueOf<C extends Column> = C extends { readonly nullable: true } ? Values[C['type']] | null : Values[C['type']];

export type Value = Values[ColumnType] | null;

/** A row of a table, with a value for each of its columns. */
export type Row<T extends TableName> = {
  readonly [C in keyof (typeof TABLES)[T]['columns']]: (typeof TABLES)[T]['columns'][C] extends Column
    ? ValueOf<(typeof TABLES)[T]['columns'][C]>
    : never;
};

/** A row, and the table that it belongs to. */
export type TableRow = { readonly [T in TableName]: { readonly table: T; readonly row: Row<T> } }[TableName];

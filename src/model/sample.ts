import type { Edge, Resource } from './edge.ts';
import type { Event } from './event.ts';
import { FIELD_NAMES, FIELDS, type Field, type ObservationFields } from './fields.ts';
import type { KindCounts } from './finding.ts';
import type { Pressure } from './pressure.ts';
import type { Reading, Unreadable } from './reading.ts';
import type { Stack } from './stack.ts';
import type { State, Task } from './task.ts';

/** What was seen of a task at one moment. */
export interface Observation extends ObservationFields {
  readonly task: Task;
  /** Absent if it is not in the text that was read. */
  readonly state?: State;
  /** No frames for a task that ran in user space, or whose kernel stack is gone (zombies). */
  readonly stack: Reading<Stack>;
  /** The CPU the task last ran on. */
  readonly cpu?: number;
  /** The function it waits in (/proc/PID/wchan), if its stack could not be read but this could. */
  readonly wchan?: string;
  /**
   * How it waits, by its edge, where its stack does not tell. `frozen`: for the thaw of a control group of version 1.
   * Since Linux 6.1 that freezes tasks wherever they sleep (kernel/freezer.c, __set_task_frozen): the stack tells what
   * was waited for before. `futex`: for a user-space lock that a known task holds; on the stack, a wait for work looks
   * the same.
   */
  readonly waitsBy?: 'frozen' | 'futex';
  /** Present if requested and the source is bpf. */
  readonly facts?: KernelFacts;
}

/** A lock that a task waits for. */
export interface LockWait {
  readonly kind: 'mutex' | 'semaphore' | 'rwsem-read' | 'rwsem-write';
  /**
   * The lock's address in hexadecimal. It shows which tasks wait for the same lock. Absent if a log names the owner.
   */
  readonly address?: string;
  /**
   * TID of the task that holds it, as the lock records it; with several readers, the latest one. Absent if the kernel
   * does not record it, or if nobody holds the lock.
   */
  readonly owner?: number;
  /**
   * Set if the owner is only likely: the kernel's log says so, since the lock may have changed hands meanwhile, or it
   * is the latest of several readers.
   */
  readonly inferred?: true;
  /** Where the kernel says so, if not in `task_struct.blocker`. */
  readonly place?: string;
}

/** What tracers such as bpftrace and offcputime print behind a stack: of a time, not of a moment. */
export interface TracedSum {
  /** How often it was seen so. */
  readonly times?: number;
  /** How long it was off a CPU so, in all. */
  readonly offCpuMs?: number;
}

/** What the kernel knows about a task but /proc does not show. */
export interface KernelFacts {
  /** Time since it last got a CPU (sched_info.last_arrival); absent for a task that is on one. */
  readonly offCpuMs?: number;
  /** For how long it has not let another task onto its CPU, if the kernel's watchdog has complained about it. */
  readonly onCpuMs?: number;
  /** Set if these times are the least that it can be: the kernel's log only tells of which time it is more. */
  readonly atLeast?: true;
  /** The function of the work that this kernel worker runs, by the kernel's log. */
  readonly work?: string;
  /** Set if the kernel's watchdog says that its CPU does not even handle interrupts (hard lockup). */
  readonly hardLockup?: true;
  /** What a tracer has added up of it with this stack. */
  readonly traced?: TracedSum;
  /** How often it has left a CPU, modulo 2^32: equal numbers prove that it did not run in between. */
  readonly switches?: number;
  /** As the kernel records it (Linux 6.16 and CONFIG_DETECT_HUNG_TASK_BLOCKER), or as its stack shows. */
  readonly lock?: LockWait;
  /** TID of the thread that holds the process's mmap lock for writing. */
  readonly mmapLockOwner?: number | 'unknown';
  /** TID of the thread that waits until this child of vfork(2) executes a program or ends. */
  readonly vforkParent?: number;
  /** TID of its tracer. */
  readonly tracer?: number;
}

/**
 * What may be unread. `namespaces`: the tasks of other PID namespaces. `host`: what /proc tells of the host as a whole.
 * `edges`: the search for who waits for whom was cut short.
 */
export const UNREAD_THINGS = [
  'processes',
  'namespaces',
  'host',
  'edges',
  'task',
  'stack',
  'commandLine',
  'threads',
  ...FIELD_NAMES,
] as const satisfies readonly (string | Field)[];

/** A task, or one thing about it, that could not be read. */
export interface Unread {
  /** 0 if it is not about a single task. */
  readonly tid: number;
  /** Absent if the process is unknown. */
  readonly pid?: number;
  /** Absent if not even the name could be read. */
  readonly comm?: string;
  readonly state?: State;
  readonly what: (typeof UNREAD_THINGS)[number];
  /** `cut`: only its beginning was taken. */
  readonly why: Unreadable | 'cut';
  /** For `malformed`: path, item and content. For `denied` and `hidden`: by what, if that is known. */
  readonly detail?: string;
}

/** How the tasks of a sample were read. */
export interface Source {
  readonly name: 'bpf' | 'procfs' | 'text';
  /** Why bpf was not used. Only bpf provides {@link KernelFacts}. */
  readonly why?: string;
  /** Set for a log of events, which tells of some tasks only: one that it does not mention may be blocked, too. */
  readonly partial?: true;
}

/** What a sample leaves out, as far as that is known. */
export interface LeftOut extends Partial<KindCounts> {
  /** Threads in the selected states that are not main threads, if only main threads are taken. */
  readonly threads?: number;
  /** Frames that the kernel marked with `?`: they may be left over from earlier calls. */
  readonly guessedFrames?: number;
  /** Lines and tasks of a text beyond the limits. */
  readonly lines?: number;
  /**
   * Stacks of a text that were printed into one another, or that end where another one begins: some of their frames may
   * be missing or be those of another task, and their task may be unknown.
   */
  readonly mixed?: number;
}

/** What the kernel said about the selected tasks at one moment. */
export interface Sample {
  /** The start of the sample, Unix milliseconds. Absent if it is not in the text that was read. */
  readonly timeMs?: number;
  /** The same in seconds since boot, as in the kernel log. */
  readonly uptimeSeconds?: number;
  /** The kernel's monotonic clock, which times off the CPU count back from. */
  readonly monotonicMs?: number;
  readonly host?: string;
  readonly bootId?: Reading<string>;
  /** The kernel's release, as uname(2) gives it. */
  readonly kernel?: string;
  /** Of the host, as Node.js names it: x64, arm64. */
  readonly architecture?: string;
  /**
   * Set by who reads several recordings at a time: which one of a host it is from, if not the first. What another one
   * does not show says nothing of the tasks of this one.
   */
  readonly stream?: number;
  /**
   * How far apart a recorder takes samples as long as nothing happens. Absent if it takes all of them so densely, or if
   * that is not known.
   */
  readonly intervalMs?: number;
  /** When the host was booted, Unix seconds (btime of /proc/stat). */
  readonly bootTimeSeconds?: number;
  readonly ticksPerSecond?: number;
  readonly source: Source;
  /** True if each thread is a task; false if each process is one, represented by its main thread. */
  readonly threads: boolean;
  /** What was read of each task in addition to its stat, stack and command line. */
  readonly fields: readonly Field[];
  readonly observations: readonly Observation[];
  /**
   * Tasks that are not selected, but that selected ones wait for, directly or indirectly, or that wait for a selected
   * vfork child.
   */
  readonly holders: readonly Observation[];
  /**
   * Who waits for whom, beyond what the facts about each task tell (`edgesIn` joins both). Absent if none was found.
   */
  readonly edges?: readonly Edge[];
  /** Those among the ends of `edges`. */
  readonly resources?: readonly Resource[];
  readonly leftOut: LeftOut;
  /**
   * Selected tasks of which at most the status could be read, what could not be read of tasks left out, and whether
   * the search for edges was cut short.
   * {@link everythingUnread} adds what could not be read of `observations`.
   */
  readonly unread: readonly Unread[];
  /**
   * What happened on the host since the sample before it in the stream, in the order of the times. Absent if nothing
   * did.
   */
  readonly events?: readonly Event[];
  /** Absent if it was not asked for, or if the kernel does not tell. */
  readonly pressure?: Pressure;
}

/** The observations of a sample that share a stack. */
export interface Group {
  /** Undefined for tasks without one: they ran in user space, are zombies, or their stack could not be read. */
  readonly stack: Stack | undefined;
  readonly observations: readonly Observation[];
}

/** The boot of its host; undefined if it is not known. */
export function bootOf({ bootId }: Pick<Sample, 'bootId'>): string | undefined {
  return bootId !== undefined && 'value' in bootId && bootId.value !== '' ? bootId.value : undefined;
}

/** The sample itself, as one of a stream with that number. */
export function inStream(sample: Sample, stream: number): Sample {
  return stream === 0 ? sample : Object.defineProperty(sample, 'stream', { value: stream, enumerable: true });
}

/** The same text for all samples of one host and stream: each follows the one before it. */
export function streamKey({ host = '', stream = 0 }: Sample): string {
  return stream === 0 ? host : `${host}\n${stream}`;
}

/** Whether both are, as far as they tell, of one host between two boots. */
export function sharesBoot(a: Sample, b: Sample): boolean {
  const [one, other] = [bootOf(a), bootOf(b)];
  return one === undefined && other === undefined ? a.host === b.host : one === other;
}

/** Whether a text tells of this moment nothing but what happened: it does not say that there were no tasks. */
export function hasOnlyEvents({ source, observations, holders, leftOut, unread, events }: Sample): boolean {
  const seen = observations.length + holders.length + Object.keys(leftOut).length + unread.length;
  return source.name === 'text' && events !== undefined && seen === 0;
}

/** The start of the task in Unix seconds, rounded down; undefined if it is not known. */
export function startTimeSeconds({ id: { startTicks } }: Task, sample: Sample): number | undefined {
  const { ticksPerSecond, bootTimeSeconds } = sample;
  if (startTicks === undefined || ticksPerSecond === undefined || bootTimeSeconds === undefined) return undefined;
  return Math.floor(startTicks / ticksPerSecond) + bootTimeSeconds;
}

/** Whether the search for who waits for whom was cut short, so that more may be held up. */
export function isSearchCut({ unread }: Pick<Sample, 'unread'>): boolean {
  return unread.some(({ what }) => what === 'edges');
}

/** Everything in the sample that could not be read: whole tasks first, then stacks, command lines and fields. */
export function everythingUnread(sample: Sample): Unread[] {
  return [...sample.unread, ...unreadOf(sample.observations)];
}

/** What could not be read of these tasks, except what a text does not contain (`notTold`). */
export function unreadOf(observations: readonly Observation[]): Unread[] {
  const unread: Unread[] = [];
  // The threads of a process share the reading of its command line: report it once.
  let shared: Set<Reading<string>> | undefined;
  for (const observation of observations) {
    const { task, stack } = observation;
    const { id, pid, comm, commandLine } = task;
    const { tid, startTicks } = id;
    // A task without a stat has an entry of its own in `unread`.
    if (tid === undefined || startTicks === undefined || isWhole(observation)) continue;
    const note = (what: Unread['what'], reading: Reading<unknown> | undefined) => {
      const missed = reading && missOf(reading);
      if (missed === undefined || missed.why === 'notTold') return;
      unread.push({ tid, ...(pid !== undefined && { pid }), ...(comm !== undefined && { comm }), what, ...missed });
    };
    note('stack', stack);
    if (shared?.has(commandLine) !== true) note('commandLine', commandLine);
    shared = (shared ?? new Set()).add(commandLine);
    for (const field of FIELD_NAMES) note(field, readingOf(observation, field));
  }
  return unread;
}

/** Whether nothing of it is missing: true of nearly all. */
export function isWhole(observation: Observation): boolean {
  if (!isRead(observation.stack) || !isRead(observation.task.commandLine)) return false;
  for (const field of FIELD_NAMES) if (!isRead(readingOf(observation, field))) return false;
  return true;
}

function isRead(reading: Reading<unknown> | undefined): boolean {
  if (reading === undefined) return true;
  return 'value' in reading ? reading.cut === undefined : reading.unread === 'notTold';
}

/** A field of a task; undefined if it was not requested. */
export function readingOf(observation: Observation, field: Field): Reading<unknown> | undefined {
  const { task } = observation;
  const places: { readonly [F in Field]?: Reading<unknown> } = FIELDS[field].of === 'task' ? task : observation;
  return places[field];
}

function missOf(reading: Reading<unknown>): Pick<Unread, 'why' | 'detail'> | undefined {
  if ('value' in reading) return reading.cut === true ? { why: 'cut' } : undefined;
  return { why: reading.unread, ...(reading.detail !== undefined && { detail: reading.detail }) };
}

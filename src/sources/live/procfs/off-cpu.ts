import type { KernelFacts, Observation } from '../../../model/sample.ts';
import type { Clock } from '../../../model/time.ts';
import { onEachCpu } from '../../../native/affinity.ts';
import { byStackInTurns } from '../taking-turns.ts';
import type { FileReads } from './file-reads.ts';
import { readSmall } from './files.ts';

const FILE_BYTES = 8192;
/** Read at a time. */
const AT_ONCE = 256;
/** Bounds the work: with so many tasks stuck, the times of the others tell nothing new. */
const MAX_TASKS = 4000;

/** How long it may take to go to all the CPUs that the tasks were on. */
const CLOCKS_MS = 200;

/** What times are read with. */
export interface OffCpuReads {
  readonly files: FileReads;
  readonly root: string;
  readonly clock: Clock;
  /** By the clock. Later, no more are read but a first few. */
  readonly untilMs: number;
  /** Called with what was left out. */
  tell(text: string): void;
}

/**
 * For how long tasks have been off the CPU, and how often they left one, from /proc/PID/sched (kernel/sched/debug.c,
 * proc_sched_show_task; CONFIG_SCHED_DEBUG, always there since Linux 6.15). The scheduler has a clock for each CPU,
 * which leaves out what interrupts and the hypervisor take, so they differ by seconds after a while: the present time
 * is that of the CPU that the task was on. Returns the observations with these facts where they could be read.
 */
export async function withOffCpuTimes(
  observations: readonly Observation[],
  wants: (observation: Observation) => boolean,
  { files, root, clock, untilMs, tell }: OffCpuReads,
): Promise<readonly Observation[]> {
  const all = observations.filter(
    (each) => each.cpu !== undefined && each.facts?.offCpuMs === undefined && wants(each),
  );
  const wanted = byStackInTurns(all).slice(0, MAX_TASKS);
  if (wanted.length === 0) return observations;
  const cpus = new Set(wanted.flatMap(({ cpu }) => cpu ?? []));
  const nowMs = clock.monotonicMs;
  const clocks = onEachCpu(cpus, ownLastMs, { nowMs, untilMs: nowMs() + CLOCKS_MS });
  const facts = new Map<Observation, KernelFacts>();
  let [read, unclocked] = [0, 0];
  for (; read < wanted.length && (read === 0 || nowMs() < untilMs); read += AT_ONCE)
    await Promise.all(
      wanted.slice(read, read + AT_ONCE).map(async (observation) => {
        const { pid, id } = observation.task;
        const present = clocks.get(observation.cpu ?? -1);
        if (present === undefined) unclocked++;
        const then = await lastOf(`${root}/${pid}/task/${id.tid}/sched`, files);
        if (then === undefined || present === undefined) return;
        const offCpuMs = Math.max(0, Math.round(present - then.lastMs));
        facts.set(observation, { ...observation.facts, offCpuMs, switches: then.switches });
      }),
    );
  if (unclocked > 0) tell(`since when ${unclocked} tasks wait: their CPUs were too busy to ask for the time`);
  if (read < all.length) tell(`since when ${all.length - read} tasks wait that are like others: no time left`);
  return observations.map((observation) => {
    const known = facts.get(observation);
    return known === undefined ? observation : { ...observation, facts: known };
  });
}

/** When this thread got the CPU that it is on: now, if it has just come there. It takes no lock of another task. */
function ownLastMs(): number | undefined {
  const own = readSmall('/proc/thread-self/sched');
  return 'value' in own ? parseSched(own.value.toString('latin1'))?.lastMs : undefined;
}

async function lastOf(path: string, files: FileReads) {
  const told = await files.bytes(path, 0n, FILE_BYTES);
  return 'value' in told ? parseSched(told.value.toString('latin1')) : undefined;
}

const LAST = /^se\.exec_start\s*:\s*(\d{1,15}(?:\.\d{1,6})?)$/m;
const SWITCHES = /^nr_switches\s*:\s*(\d{1,15})$/m;

/**
 * When a task last was on a CPU, in milliseconds of the scheduler's clock, and its context switches modulo 2^32;
 * undefined if the file tells none, as for tasks of the deadline and real-time classes, which may have 0.
 */
export function parseSched(text: string): { readonly lastMs: number; readonly switches: number } | undefined {
  const [, last] = LAST.exec(text) ?? [];
  const [, switches] = SWITCHES.exec(text) ?? [];
  if (last === undefined || switches === undefined || Number(last) === 0) return undefined;
  return { lastMs: Number(last), switches: Number(switches) % 2 ** 32 };
}

import { hostname, release } from 'node:os';
import type { Reading } from '../../model/reading.ts';
import type { Observation, Sample, State, Unread } from '../../model/sample.ts';
import { isOnlyPids, type Selection } from '../../model/selection.ts';
import { type Stack, StackTable } from '../../model/stack.ts';
import { decodeBytes } from '../../model/text.ts';
import type { Clock } from '../../model/time.ts';
import { BoundedReads } from './bounded-reads.ts';
import { listPids, readBootTime, readSmall } from './files.ts';
import { parseStat, parseState, type Stat } from './stat.ts';

/** USER_HZ, the unit of times in /proc: 100 on every architecture Node.js runs on (include/asm-generic/param.h). */
const TICKS_PER_SECOND = 100;

/** A kernel stack has at most 64 entries (fs/proc/base.c, MAX_STACK_TRACE_DEPTH). */
const STACK_LIMIT_BYTES = 1 << 20;
/** What execve(2) takes at the most; but a process may let the kernel show anything it has mapped (PR_SET_MM_MAP). */
const COMMAND_LINE_LIMIT_BYTES = 6 << 20;
/** Of all command lines of one sample; what comes later is cut to a page. */
const COMMAND_LINES_LIMIT_BYTES = 32 << 20;
const PAGE_BYTES = 4096;

export interface ProcfsOptions {
  readonly clock: Clock;
  /** Where the procfs is mounted. */
  readonly root?: string;
}

/** A task while its files are being read. */
interface Draft {
  readonly pid: number;
  readonly tid: number;
  readonly stat: Stat;
  stack?: Reading<Stack>;
  commandLine?: Reading<string>;
}

/** One for all sources: its threads are the C library's, of which a process has one set. */
let reads: BoundedReads | undefined;

/**
 * Samples of the selected processes, each taken when it is asked for, from /proc. The iteration never ends by itself.
 * @throws Error where not even the list of processes or the boot time can be read.
 */
export async function* procfs(selection: Selection, options: ProcfsOptions): AsyncGenerator<Sample, never> {
  const root = options.root ?? '/proc';
  const stacks = new StackTable();
  reads ??= new BoundedReads(options.clock.monotonicMs);
  const bootId = readBootId(root);
  for (;;) {
    stacks.trim();
    const timeMs = options.clock.nowMs();
    const bootTimeSeconds = readBootTime(root);
    const unread: Unread[] = [];
    const asked = new Set(selection.all === true ? [] : selection.pids);
    const drafts = begin(selection, asked, root, reads, stacks, unread);
    await reads.finish();
    const observations = finish(drafts, asked, unread);
    const host = { host: hostname(), bootId, kernel: release(), bootTimeSeconds, ticksPerSecond: TICKS_PER_SECOND };
    yield { timeMs, ...host, observations, unread };
  }
}

function readBootId(root: string): Reading<string> {
  const read = readSmall(`${root}/sys/kernel/random/boot_id`);
  return 'unread' in read ? read : { value: read.value.toString('latin1').trim() };
}

/** Reads the stat of every process that can match, and asks for the other files of those that do. */
function begin(
  selection: Selection,
  asked: ReadonlySet<number>,
  root: string,
  reads: BoundedReads,
  stacks: StackTable,
  unread: Unread[],
): Draft[] {
  const states = new Set<State>(selection.states);
  const drafts: Draft[] = [];
  let commandLineBytes = 0;
  for (const tid of candidates(selection, root, asked)) {
    const read = readSmall(`${root}/${tid}/stat`);
    if ('unread' in read) {
      if (read.unread !== 'gone' || asked.has(tid)) unread.push({ tid, what: 'task', why: read.unread });
      continue;
    }
    if (selection.all !== true && !asked.has(tid)) {
      const state = parseState(read.value);
      if (state !== undefined && !states.has(state)) continue;
    }
    const stat = parseStat(read.value);
    if (stat === undefined) {
      unread.push({ tid, what: 'task', why: 'malformed' });
      continue;
    }
    const draft: Draft = { pid: asked.has(tid) ? readPidOf(tid, root) : tid, tid, stat };
    drafts.push(draft);
    const key = `${tid}:${stat.startTicks}`;
    reads.add({
      path: `${root}/${tid}/stack`,
      key: `${key}:stack`,
      limitBytes: STACK_LIMIT_BYTES,
      deliver: (bytes) => {
        draft.stack = 'unread' in bytes ? bytes : { value: stacks.intern(decodeBytes(bytes.value).trim()) };
      },
    });
    if (hasNoCommandLine(stat)) {
      draft.commandLine = { value: '' };
      continue;
    }
    const atRisk = stat.threads > 1 || stat.state === 'D';
    const left = COMMAND_LINES_LIMIT_BYTES - commandLineBytes;
    reads.add(
      {
        path: `${root}/${tid}/cmdline`,
        key: `${key}:cmdline`,
        limitBytes: Math.max(PAGE_BYTES, Math.min(left, COMMAND_LINE_LIMIT_BYTES)),
        deliver: (bytes) => {
          if ('value' in bytes) commandLineBytes += bytes.value.length;
          draft.commandLine = 'unread' in bytes ? bytes : { ...bytes, value: joinArguments(bytes.value) };
        },
      },
      atRisk,
    );
  }
  return drafts;
}

function candidates(selection: Selection, root: string, asked: ReadonlySet<number>): Iterable<number> {
  if (isOnlyPids(selection)) return asked;
  const listed = listPids(root);
  if (asked.size === 0) return listed;
  return [...new Set([...listed, ...asked])].sort((a, b) => a - b);
}

/** The process of a task that was asked for by number: /proc/TID leads to threads too, which no list of /proc shows. */
function readPidOf(tid: number, root: string): number {
  const status = readSmall(`${root}/${tid}/status`);
  const pid = 'value' in status ? /^Tgid:\t(\d+)$/m.exec(status.value.toString('latin1'))?.[1] : undefined;
  return pid === undefined ? tid : Number(pid);
}

/** Kernel threads and zombies have no memory that could hold one (fs/proc/base.c, get_task_cmdline). */
function hasNoCommandLine(stat: Stat): boolean {
  return stat.kernelThread || stat.state === 'Z' || stat.state === 'X';
}

function joinArguments(commandLine: Buffer): string {
  return decodeBytes(commandLine).replaceAll('\0', ' ').trim();
}

/** The observations of the tasks that did not go away while they were read. */
function finish(drafts: readonly Draft[], asked: ReadonlySet<number>, unread: Unread[]): Observation[] {
  const observations: Observation[] = [];
  for (const { pid, tid, stat, stack, commandLine } of drafts) {
    if (stack === undefined || commandLine === undefined) throw new Error(`PID ${tid}: its files were not read to the end`);
    const { comm, ppid, startTicks, kernelThread, state, cpu } = stat;
    if (isGone(stack) || isGone(commandLine)) {
      if (asked.has(tid)) unread.push({ tid, comm, what: 'task', why: 'gone' });
      continue;
    }
    observations.push({ task: { pid, tid, ppid, startTicks, comm, commandLine, kernelThread }, state, stack, cpu });
  }
  return observations;
}

function isGone(reading: Reading<unknown>): boolean {
  return 'unread' in reading && reading.unread === 'gone';
}

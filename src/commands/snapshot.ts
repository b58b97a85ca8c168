import { whyNotProc } from '../background/proc-root.ts';
import { filesOf } from '../background/run-directory.ts';
import type { OutputOptions } from '../cli/output-options.ts';
import { type Owner, writeOutputFile } from '../files/output-file.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { Reader } from '../native/reader/reader.ts';
import { formatUnread } from '../sinks/unread.ts';
import { takeLiveSample } from '../sources/live/live.ts';
import { NoUsers, readUsers, type User } from '../sources/live/passwd.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
import { TaskDetails } from '../sources/live/procfs/task-details.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { log } from '../terminal/log.ts';
import { isTerminal, mayColour, writeStderr, writeStdout } from '../terminal/output.ts';
import { fieldsOf, format, showsFacts } from './formats.ts';

const STDOUT = 1;
const HERE = '/proc';

export interface SnapshotOptions {
  readonly selection: Selection;
  /** Where the procfs is mounted. */
  readonly root: string;
  readonly source: SourceName;
  readonly output: OutputOptions;
  readonly verbose: boolean;
  /** What was typed, for the advice to type it once more with sudo. */
  readonly typed: string;
}

/**
 * Writes one sample. Returns the exit code: 1 without the right to read stacks, or when none of the PIDs asked for was
 * there.
 */
export async function snapshot({ selection, root, source, output, verbose, typed }: SnapshotOptions): Promise<number> {
  if (output.format === 'pprof' && output.file === undefined && isTerminal(STDOUT)) {
    writeStderr('kstack: pprof is no text for a terminal: name a file by -o, or redirect the output\n');
    return 1;
  }
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return 1;
  }
  const clock = systemClock();
  const tell = (text: string) => {
    if (verbose) log(clock, 'DEBUG', text);
  };
  tell(`reading ${describeSelection(selection)} from ${root}`);
  const reader = new Reader(root);
  const facts = showsFacts(output.format);
  const seen = await takeLiveSample(selection, {
    clock,
    root,
    reader,
    ownsProcess: true,
    fields: fieldsOf(output.format),
    source,
    facts,
    steady: false,
    tell,
  });
  const sample = selection.blocked === true ? (await import('../analysis/explain-sample.ts')).leaveOutIdle(seen) : seen;
  const stacks = new Set(sample.observations.map(({ stack }) => ('value' in stack ? stack.value : undefined)));
  tell(
    `${sample.observations.length} tasks with ${stacks.size} different stacks, read in ${clock.nowMs() - sample.timeMs} ms`,
  );
  const details = new TaskDetails(root, reader);
  const pieces = await format(output.format, {
    sample,
    seen,
    threads: selection.threads === true,
    full: output.full,
    colour: output.format === 'long' && output.file === undefined && mayColour(process.env),
    zoneAt: clock.zoneAt,
    userName: userNames(root, tell),
    lookUpCalls: async (groups) => {
      const { lookUpCalls } = await import('../sources/live/system-calls/resolve.ts');
      return lookUpCalls(groups, details, output.full);
    },
  });
  if (output.file !== undefined) await writeFile(output.file, pieces, reader);
  else for (const piece of pieces) writeStdout(piece);
  for (const line of formatUnread(everythingUnread(seen), selection.threads === true)) writeStderr(`kstack: ${line}\n`);
  const hint = describeMoreThreads(selection, seen);
  if (hint !== undefined) writeStderr(`kstack: ${hint}\n`);
  reader.close();
  return foundNothingAskedFor(selection, sample) ? 1 : 0;
}

/**
 * How long a file system that has answered may take over a call: a disk that is busy needs longer than one that hangs
 * is waited for.
 */
const SLOW_MS = 30_000;

async function writeFile(name: string, pieces: Iterable<string | Uint8Array>, reader: Reader): Promise<void> {
  const files = filesOf(reader);
  const answered = () => {
    files.deadlineMs = SLOW_MS;
  };
  try {
    await writeOutputFile(name, pieces, { files, owner: whoCalledSudo(process.env), answered });
  } catch (error) {
    reader.close();
    throw error;
  }
}

const LARGEST_ID = 2 ** 32 - 2;

/** Who became root by sudo(8), as it says in the environment; undefined where nobody did. */
function whoCalledSudo({ SUDO_UID: uid = '', SUDO_GID: gid = '' }: NodeJS.ProcessEnv): Owner | undefined {
  if (process.geteuid?.() !== 0 || ![uid, gid].every((id) => /^\d{1,10}$/.test(id) && Number(id) <= LARGEST_ID))
    return undefined;
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * Names users by this host's file, read when the first is named. Another /proc may be that of a host with other users,
 * which stay numbers.
 */
function userNames(root: string, tell: (text: string) => void): (uid: number) => string {
  let names: Map<number, string> | undefined;
  return (uid) => {
    names ??= new Map(root === HERE ? usersHere(tell).map((user) => [user.uid, user.name]) : []);
    return names.get(uid) ?? String(uid);
  };
}

function usersHere(tell: (text: string) => void): User[] {
  try {
    return readUsers();
  } catch (error) {
    if (!(error instanceof NoUsers)) throw error;
    tell(error.message);
    return [];
  }
}

function describeSelection({ all, pids = [], states = [], threads }: Selection): string {
  const what = threads === true ? 'threads' : 'processes';
  const parts = [];
  if (states.length > 0) parts.push(`the ${what} in state ${states.join(', ')}`);
  if (pids.length > 0) parts.push(`the ${what} ${pids.join(', ')}`);
  return all === true || parts.length === 0 ? `all ${what}` : parts.join(' and ');
}

/** Main threads are not where most hangs are: those who ask for a state hear of the others. */
function describeMoreThreads({ states = [] }: Selection, { moreThreads = 0 }: Sample): string | undefined {
  if (moreThreads === 0) return undefined;
  return `${moreThreads} more ${moreThreads === 1 ? 'thread is' : 'threads are'} in ${[...new Set(states)].join(' or ')}: use -L`;
}

function foundNothingAskedFor({ all, pids = [] }: Selection, sample: Sample): boolean {
  if (all === true || pids.length === 0) return false;
  const asked = new Set(pids);
  return !sample.observations.some(({ task }) => asked.has(task.tid) || asked.has(task.pid));
}

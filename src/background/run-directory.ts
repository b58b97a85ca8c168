import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, type Files, NoAnswer } from '../files/files.ts';
import { LogDirectory, LogError } from './log-directory.ts';
import { isAlive } from './process-identity.ts';
import { RunFile, type RunState } from './run-file.ts';
import { readRunRecords } from './run-records.ts';

/** How long a lock may outlast its run: the lock belongs to the reader, which the kernel ends after its parent. */
export const AFTERGLOW_MS = 1000;
export const LOOK_MS = 50;

/** The log directory of background runs, and the file that tells them of each other. */
export interface RunDirectory {
  readonly directory: LogDirectory;
  readonly runFile: RunFile;
  readonly host: string;
}

/** What is known about the active run on a directory, or about the last one. */
export interface FoundRun {
  /** Undefined if there has been no run, or if the file system does not answer or fails. */
  readonly directory: RunDirectory | undefined;
  /** `elsewhere`: the lock holder is not visible from here (another namespace or host). */
  readonly active: 'here' | 'elsewhere' | 'no';
  readonly state: RunState | undefined;
  /** Why the file system did not answer. The rest then comes from the record of a run on this host. */
  readonly silence: string | undefined;
}

/**
 * Opens the log directory for a run, and creates what is missing.
 * @throws LogError if that is not possible
 */
export function makeRunDirectory(files: Files, name: string): Promise<RunDirectory> {
  return explained(name, async () => {
    const host = hostname();
    const directory = await LogDirectory.open(files, name, true);
    return { directory, host, runFile: await RunFile.make(directory, host) };
  });
}

/**
 * Finds the active run on a log directory, or the last one. Creates nothing.
 * @throws LogError if the directory cannot be used
 */
export async function findRun(files: Files, name: string, host = hostname()): Promise<FoundRun> {
  let directory: RunDirectory | undefined;
  let written: RunState | undefined;
  let isLocked = false;
  try {
    directory = await explained(name, () => findRunDirectory(files, name, host));
    written = await explained(name, async () => directory?.runFile.read());
    isLocked = await explained(name, async () => (await directory?.runFile.isLocked()) === true);
  } catch (error) {
    if (!(error instanceof NoAnswer || error instanceof LogError)) throw error;
    const state = recordedState([absolutePath(name)]);
    if (error instanceof LogError && state === undefined) throw error;
    const active = state !== undefined && (await isAlive(files, state)) ? 'here' : 'no';
    return { directory: undefined, active, state, silence: error.message };
  }
  const recorded = recordedState([absolutePath(name), directory?.directory.name ?? '']);
  // The host has been renamed since: the run goes on under the name that it had.
  if (!isLocked && recorded?.host !== undefined && recorded.host !== host && (await isAlive(files, recorded)))
    return findRun(files, name, recorded.host);
  const state = newest(written, recorded);
  const isHere = state !== undefined && (await isAlive(files, state));
  // Somebody has killed the process that held the lock of a run; it takes the lock again with its next sample.
  const goesOn = isHere && written?.pid === state.pid && state.endedMs === undefined;
  if (!isLocked && !goesOn) return { directory, active: 'no', state, silence: undefined };
  return { directory, active: isHere ? 'here' : 'elsewhere', state: isHere ? state : undefined, silence: undefined };
}

/** Like findRun, but waits out the moment in which a starting or ending run's lock and state disagree. */
export async function findSettledRun(files: Files, name: string): Promise<FoundRun> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const run = await findRun(files, name);
    if (run.active !== 'elsewhere' || waitedMs >= AFTERGLOW_MS) return run;
    await sleep(LOOK_MS);
  }
}

/** The message of `status` and `stop` when no run is active. */
export function describeNoRun({ directory, state, silence }: FoundRun, name: string): string {
  if (silence !== undefined)
    return `${silence}. Cannot tell whether a background run is active on ${name}; none is known on this host`;
  return `no background run is active on ${name}${directory === undefined && state === undefined ? ', and there has been none' : ''}`;
}

/** Why no run can start on the directory. */
export function describeActiveRun({ state }: FoundRun, directory: string): string {
  if (state === undefined)
    return `A background run is active on ${directory}, in another namespace or on another host. Choose another -d.`;
  return `A background run is active on ${directory}: PID ${state.pid}. Stop it with 'kstack stop -d ${directory}', or choose another -d.`;
}

async function findRunDirectory(files: Files, name: string, host: string): Promise<RunDirectory | undefined> {
  try {
    const directory = await LogDirectory.open(files, name, false);
    const runFile = await RunFile.find(directory, host);
    return runFile && { directory, host, runFile };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The latest recorded state of a run on a directory with one of these names. */
function recordedState(names: readonly string[]): RunState | undefined {
  const records = readRunRecords().filter((record) => record.names.some((name) => names.includes(name)));
  return records.reduce<RunState | undefined>((found, { state }) => newest(found, state), undefined);
}

function newest(one: RunState | undefined, other: RunState | undefined): RunState | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.writtenMs >= other.writtenMs ? one : other;
}

const PERHAPS_OF_ROOT = '; it may belong to root: repeat it with sudo';

async function explained<Found>(name: string, find: () => Promise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (error) {
    if (
      error instanceof LogError ||
      error instanceof NoAnswer ||
      !(error instanceof Error) ||
      codeOf(error) === undefined
    )
      throw error;
    const advice =
      ['EACCES', 'EPERM'].includes(codeOf(error) ?? '') && process.geteuid?.() !== 0 ? PERHAPS_OF_ROOT : '';
    throw new LogError(`cannot use ${name} for log files: ${error.message}${advice}`);
  }
}

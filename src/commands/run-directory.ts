import { hostname } from 'node:os';
import { type LockHolder, lockHolder } from '../native/lock.ts';
import { LogDirectory, LogError } from '../sinks/log-directory.ts';
import { RunFile } from '../sinks/run-file.ts';

/** The log directory of background runs, and the file by which they know of each other. */
export interface RunDirectory {
  readonly directory: LogDirectory;
  readonly runFile: RunFile;
  readonly host: string;
}

/**
 * Opens the log directory for a run; what is missing is made.
 * @throws LogError saying what is in the way.
 */
export function makeRunDirectory(name: string): RunDirectory {
  return open(name, (host) => {
    const directory = new LogDirectory(name, true);
    return { directory, host, runFile: RunFile.make(directory, host) };
  });
}

/**
 * Opens the log directory to look at it; nothing is made. Undefined where there has been no run, or is no such directory.
 * @throws LogError saying what is in the way.
 */
export function findRunDirectory(name: string): RunDirectory | undefined {
  return open(name, (host) => {
    const directory = findLogDirectory(name);
    const runFile = directory && RunFile.find(directory, host);
    return runFile && { directory, host, runFile };
  });
}

function findLogDirectory(name: string): LogDirectory | undefined {
  try {
    return new LogDirectory(name, false);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What `status` and `stop` say where no run is active. */
export function describeNoRun(run: RunDirectory | undefined, name: string): string {
  return `no background run is active on ${name}${run === undefined ? ', and there has been none' : ''}`;
}

function open<Found>(name: string, find: (host: string) => Found): Found {
  try {
    return find(hostname());
  } catch (error) {
    if (error instanceof LogError || !(error instanceof Error && 'code' in error)) throw error;
    throw new LogError(`cannot use ${name} for log files: ${error.message.replaceAll(/\/proc\/self\/fd\/\d+/g, name)}`);
  }
}

/** Who runs in the background on the directory. */
export function activeRun({ runFile }: RunDirectory): LockHolder | undefined {
  return lockHolder(runFile.fd);
}

export function describeActiveRun({ pid }: LockHolder, directory: string): string {
  if (pid === undefined)
    return `A background run is active on ${directory}, of a process that cannot be seen from here. Choose another -d.`;
  return `A background run is active on ${directory}: PID ${pid}. Stop it with 'kstack stop -d ${directory}', or choose another -d.`;
}

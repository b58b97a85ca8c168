import { hostname } from 'node:os';
import { lockHolder } from '../native/lock.ts';
import { LogDirectory, LogError } from '../sinks/log-directory.ts';
import { RunFile } from '../sinks/run-file.ts';

/** The log directory of background runs, and the file by which they know of each other. */
export interface RunDirectory {
  readonly directory: LogDirectory;
  readonly runFile: RunFile;
  readonly host: string;
}

/**
 * Opens the log directory. `make` says whether it may be made.
 * @throws LogError saying what is in the way.
 */
export function openRunDirectory(name: string, make: boolean): RunDirectory {
  try {
    const directory = new LogDirectory(name, make);
    const host = hostname();
    return { directory, host, runFile: new RunFile(directory, host) };
  } catch (error) {
    if (error instanceof LogError || !(error instanceof Error && 'code' in error)) throw error;
    throw new LogError(`cannot use ${name} for log files: ${error.message}`);
  }
}

/** The PID of the background run that is active on the directory. */
export function activeRun({ runFile }: RunDirectory): number | undefined {
  return lockHolder(runFile.fd);
}

export function describeActiveRun(pid: number, directory: string): string {
  return `A background run is active on ${directory}: PID ${pid}. Stop it with 'kstack stop -d ${directory}', or choose another -d.`;
}

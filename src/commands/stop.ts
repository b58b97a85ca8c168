import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../background/process-identity.ts';
import { describeNoRun, findSettledRun } from '../background/run-directory.ts';
import { withFiles } from '../files/remote.ts';
import { writeStderr } from '../terminal/output.ts';

const POLL_MS = 20;
/** A run that is being stopped finishes its sample first, and writes what it has. */
const PATIENCE_MS = 60_000;

/**
 * Stops the background run that is active on a directory, and waits for its end. Returns the exit code, 1 when none is
 * active or it does not end.
 */
export function stop(name: string): Promise<number> {
  const fail = (reason: string) => {
    writeStderr(`kstack: ${reason}\n`);
    return 1;
  };
  return withFiles(async (files) => {
    const run = await findSettledRun(files, name);
    if (run.active === 'no') return fail(describeNoRun(run, name));
    // Only a process that is known to be the run is signalled, by its PID and its start: the directory may be open to
    // anybody.
    if (run.active === 'elsewhere' || run.state === undefined)
      return fail(
        `the background run on ${name} cannot be stopped from here: its lock is held by a process in another namespace or on another host`,
      );
    const { pid } = run.state;
    if (signal(pid, 'SIGTERM')) signal(pid, 'SIGCONT');
    for (let waitedMs = 0; await isAlive(files, run.state); waitedMs += POLL_MS) {
      if (waitedMs >= PATIENCE_MS)
        return fail(`the background run with PID ${pid} has not ended within ${PATIENCE_MS / 1000} seconds of SIGTERM`);
      await sleep(POLL_MS);
    }
    return 0;
  });
}

/** False when the process has ended by itself. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

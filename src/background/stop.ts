import { setTimeout as sleep } from 'node:timers/promises';
import { withFiles } from '../files/remote.ts';
import { writeStderr } from '../terminal/output.ts';
import { isAlive } from './process-identity.ts';
import { describeNoRun, findSettledRun } from './run-directory.ts';

const POLL_MS = 20;
/** A stopped run first finishes its sample and writes what it has queued. */
const PATIENCE_MS = 60_000;

/**
 * Stops the active background run of a directory and waits until it has ended. Returns the exit code: 1 if none is
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
    // The directory may be writable by anybody, so only signal a process whose PID and start time are those of the run.
    if (run.active === 'elsewhere' || run.state === undefined)
      return fail(
        `the background run on ${name} cannot be stopped from here: its lock is held by a process in another namespace or on another host`,
      );
    const { pid } = run.state;
    if (signal(pid, 'SIGTERM')) signal(pid, 'SIGCONT');
    for (let waitedMs = 0; await isAlive(files, run.state); waitedMs += POLL_MS) {
      if (waitedMs >= PATIENCE_MS)
        return fail(`the background run with PID ${pid} did not end within ${PATIENCE_MS / 1000} seconds of SIGTERM`);
      await sleep(POLL_MS);
    }
    return 0;
  });
}

/** False if the process has already ended. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

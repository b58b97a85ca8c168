import { setTimeout as sleep } from 'node:timers/promises';
import { writeStderr } from '../sinks/output.ts';
import { activeRun, openRunDirectory } from './run-directory.ts';

const POLL_MS = 20;
/** A run that is being stopped finishes its sample first, and a rotation with it. */
const PATIENCE_MS = 60_000;

/** Stops the background run that is active on a directory, and waits for its end. Returns the exit code, 1 when none is active or it does not end. */
export async function stop(name: string): Promise<number> {
  const run = openRunDirectory(name, false);
  const pid = activeRun(run);
  if (pid === undefined) {
    writeStderr(`kstack: no background run is active on ${name}\n`);
    return 1;
  }
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; activeRun(run) === pid; waitedMs += POLL_MS) {
    if (waitedMs >= PATIENCE_MS) {
      writeStderr(`kstack: the background run with PID ${pid} has not ended within ${PATIENCE_MS / 1000} seconds of SIGTERM\n`);
      return 1;
    }
    await sleep(POLL_MS);
  }
  return 0;
}

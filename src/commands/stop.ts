import { setTimeout as sleep } from 'node:timers/promises';
import { writeStderr } from '../sinks/output.ts';
import { activeRun, describeNoRun, findRunDirectory } from './run-directory.ts';

const POLL_MS = 20;
/** A run that is being stopped finishes its sample first, and a rotation with it. */
const PATIENCE_MS = 60_000;

/** Stops the background run that is active on a directory, and waits for its end. Returns the exit code, 1 when none is active or it does not end. */
export async function stop(name: string): Promise<number> {
  const fail = (reason: string) => {
    writeStderr(`kstack: ${reason}\n`);
    return 1;
  };
  const run = findRunDirectory(name);
  const holder = run && activeRun(run);
  if (run === undefined || holder === undefined) return fail(describeNoRun(run, name));
  const { pid } = holder;
  // A PID is signalled only where the kernel and the run itself name the same one: the directory may be open to anybody.
  if (pid === undefined || run.runFile.read()?.pid !== pid)
    return fail(
      `the background run on ${name} cannot be stopped from here: its lock is held by ${pid === undefined ? 'a process in another namespace or on another host' : `PID ${pid}, which is none`}`,
    );
  if (signal(pid, 'SIGTERM')) signal(pid, 'SIGCONT');
  for (let waitedMs = 0; activeRun(run)?.pid === pid; waitedMs += POLL_MS) {
    if (waitedMs >= PATIENCE_MS)
      return fail(`the background run with PID ${pid} has not ended within ${PATIENCE_MS / 1000} seconds of SIGTERM`);
    await sleep(POLL_MS);
  }
  return 0;
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

import { systemClock } from '../native/clock.ts';
import { escapeUnsafe } from '../sinks/escape.ts';
import { formatDateTime } from '../sinks/local-time.ts';
import { writeStderr, writeStdout } from '../sinks/output.ts';
import { RotatingLog } from '../sinks/rotating-log.ts';
import { activeRun, describeNoRun, findRunDirectory } from './run-directory.ts';

/** Says which background run is active on a directory and how far it is. Returns the exit code, 1 when none is. */
export function status(name: string): number {
  const run = findRunDirectory(name);
  const holder = run && activeRun(run);
  if (run === undefined || holder === undefined) {
    writeStderr(`kstack: ${describeNoRun(run, name)}\n`);
    for (const message of run?.runFile.read()?.messages ?? []) writeStderr(`kstack: the last one said: ${message}\n`);
    return 1;
  }
  const { pid } = holder;
  // While a run starts, what stands there is still of the one before.
  const written = run.runFile.read();
  const state = pid === undefined || written?.pid === pid ? written : undefined;
  const clock = systemClock();
  const log = new RotatingLog(run.directory, { host: run.host, maxBytes: 0, keep: 0, maxUsedPercent: 0, nowMs: clock.nowMs });
  const { current, total, files } = log.sizes();
  const when = (unixMs: number) => {
    const seconds = Math.floor(unixMs / 1000);
    return formatDateTime(seconds, clock.zoneAt(seconds), '-');
  };
  const lines = [
    ['PID', pid === undefined ? 'of another namespace or host' : String(pid)],
    ['Since', state === undefined ? 'unknown' : when(state.startedMs)],
    ['Until', state === undefined ? 'unknown' : when(state.endsMs)],
    ['Samples', state === undefined ? 'unknown' : String(state.samples)],
    ['File', `${run.directory.name}/${log.name}`],
    ['Size', `${current} bytes, ${total} bytes with its rotated files (${files - 1})`],
    ...(state?.paused === undefined ? [] : [['Paused', state.paused]]),
    ...(state?.messages ?? []).map((message) => ['Said', message]),
  ];
  writeStdout(lines.map(([name, value = '']) => `${`${name}:`.padEnd(9)}${escapeUnsafe(value)}\n`).join(''));
  return 0;
}

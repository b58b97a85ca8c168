import { NoAnswer } from '../files/files.ts';
import { withFiles } from '../files/remote.ts';
import type { Clock } from '../model/time.ts';
import { systemClock } from '../native/clock.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatDateTime } from '../terminal/local-time.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';
import { RotatingLog } from './rotating-log.ts';
import { logNames } from './run.ts';
import { describeNoRun, type FoundRun, findSettledRun } from './run-directory.ts';
import type { RunState } from './run-file.ts';

/** Shows the active background run of a directory. Returns the exit code: 1 if none is active. */
export function status(name: string): Promise<number> {
  return withFiles(async (files) => {
    const run = await findSettledRun(files, name);
    if (run.active === 'no') {
      writeStderr(`kstack: ${describeNoRun(run, name)}\n`);
      if (run.state !== undefined) writeStderr(`kstack: ${describeEnd(run.state)}\n`);
      for (const message of run.state?.messages ?? []) writeStderr(`kstack: the last one said: ${message}\n`);
      return 1;
    }
    writeStdout(await describe(run, name));
    return 0;
  });
}

function describeEnd({ pid, samples, startedMs, endedMs, writtenMs, paused }: RunState): string {
  const clock = systemClock();
  const written = `it had written ${samples} ${samples === 1 ? 'sample' : 'samples'}`;
  const pause = paused === undefined ? '' : `, and writing was paused: ${paused}`;
  if (endedMs !== undefined)
    return `the last one, PID ${pid}, ran from ${timeText(clock, startedMs)} to ${timeText(clock, endedMs)}; ${written}${pause}`;
  const last = `${written} by ${timeText(clock, writtenMs)}${pause}`;
  return `the last one, PID ${pid}, did not end by itself: it was killed, or the host went down; ${last}`;
}

function timeText(clock: Clock, unixMs: number): string {
  const seconds = Math.floor(unixMs / 1000);
  return formatDateTime(seconds, clock.zoneAt(seconds), '-');
}

async function describe(run: FoundRun, name: string): Promise<string> {
  const { state } = run;
  const clock = systemClock();
  const when = (unixMs: number) => timeText(clock, unixMs);
  const lines = [
    ['PID', state === undefined ? 'of another namespace or host' : String(state.pid)],
    ['Since', state === undefined ? 'unknown' : when(state.startedMs)],
    ['Until', state === undefined ? 'unknown' : state.endsMs === undefined ? 'stopped' : when(state.endsMs)],
    ['Samples', state === undefined ? 'unknown' : String(state.samples)],
    ...(await describeLog(run, name, clock)),
    ...(state?.paused === undefined ? [] : [['Paused', describePause(state.paused, state, when)]]),
    ...(state?.messages ?? []).map((message) => ['Said', message]),
  ];
  return lines.map(([name, value = '']) => `${`${name}:`.padEnd(9)}${escapeUnsafe(value)}\n`).join('');
}

async function describeLog(
  { directory: run, silence, state }: FoundRun,
  name: string,
  clock: Clock,
): Promise<string[][]> {
  if (run === undefined) return [['File', `in ${name}; ${silence ?? 'it is gone'}`]];
  const log = new RotatingLog(run.directory, {
    names: logNames(state?.holds ?? 'text', run.host),
    bounds: { fileBytes: 0, keep: 0, totalBytes: 0, maxUsedPercent: 0, options: '' },
    clock,
    tell: () => undefined,
  });
  const file = ['File', `${run.directory.name}/${log.name}`];
  try {
    const { current, total, files: count } = await log.sizes();
    return [file, ['Size', `${current} bytes, ${total} bytes with its rotated files (${count - 1})`]];
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return [file, ['Size', error.message]];
  }
}

function describePause(
  reason: string,
  { pausedMs, kept = 0, leftOut = 0 }: RunState,
  when: (unixMs: number) => string,
): string {
  const since = pausedMs === undefined ? '' : ` Since ${when(pausedMs)}.`;
  const memory = kept === 0 ? '' : ` In memory: ${kept} samples.`;
  return `${reason}${since}${memory}${leftOut === 0 ? '' : ` Left out: ${leftOut}.`}`;
}

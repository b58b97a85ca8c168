import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { withFiles } from '../files/remote.ts';
import { EVERYTHING } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { ownCommand } from '../native/self.ts';
import { describeMissingTasks, whyNoStacks } from '../sources/live/procfs/access.ts';
import { formatDateTime } from '../terminal/local-time.ts';
import { log } from '../terminal/log.ts';
import type { CollectorReport } from './collector.ts';
import { type BackgroundOptions, REPORT_FD } from './options.ts';
import { whyNotProc } from './proc-root.ts';
import { describeActiveRun, findSettledRun, makeRunDirectory } from './run-directory.ts';
import { describeFull } from './space.ts';

const STDERR = 2;

/** Samples produce much short-lived garbage, for which V8 would grow its young generation to three times 16 MB. */
const SMALL_HEAP = ['--max-semi-space-size=1'];

/**
 * Starts a background run: a detached process that samples at an interval. Returns the exit code once that process has
 * started: 1 if it could not, if stacks cannot be read, if the file system is too full, or if a run on the same
 * directory is active.
 */
export async function startInBackground(options: BackgroundOptions, root: string, typed: string): Promise<number> {
  const clock = systemClock();
  const fail = (reason: string) => {
    log(clock, 'ERROR', reason);
    return 1;
  };
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed) ?? (await whyNotBegin(options));
  if (refusal !== undefined) return fail(refusal);
  const missing = describeMissingTasks(root, EVERYTHING);
  if (missing !== undefined) log(clock, 'INFO', missing);
  log(clock, 'INFO', 'Spawning process to run in background...');
  const { file, args } = ownCommand(SMALL_HEAP);
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', 'ignore', isHeldOpen(STDERR) ? 'ignore' : 'inherit', 'pipe'],
    env: { ...process.env, [REPORT_FD]: '3' },
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const report = await Promise.race([text(child.stdio[3] as Readable), failed]);
  child.unref();
  if (report === '') return fail('The background process ended before it could start sampling.');
  const { error, pid, endsMs }: CollectorReport = JSON.parse(report);
  if (error !== undefined) return fail(error);
  const endsSeconds = Math.floor(endsMs / 1000);
  const ends = formatDateTime(endsSeconds, clock.zoneAt(endsSeconds), '-');
  log(clock, 'INFO', `Background PID: ${pid}`);
  log(clock, 'INFO', `This script will run up to: ${ends}.${String((endsMs % 1000) * 1000).padStart(6, '0')}`);
  log(clock, 'INFO', `The requested data will be written to the directory: ${options.directory}`);
  return 0;
}

/**
 * Whether somebody may be waiting for the descriptor to be closed, as `$(kstack -b ...)`, `| tee` and ssh do: if the
 * run inherited it, the prompt would not return before the run ends. A terminal and a file can be inherited, and so can
 * systemd's journal, a socket named by JOURNAL_STREAM (systemd.exec(5)).
 */
function isHeldOpen(fd: number): boolean {
  const stats = fstatSync(fd, { bigint: true });
  return (stats.isFIFO() || stats.isSocket()) && process.env['JOURNAL_STREAM'] !== `${stats.dev}:${stats.ino}`;
}

/** The reasons that are known before the background process exists. It reports the others itself. */
function whyNotBegin({ directory: name, maxUsedPercent }: BackgroundOptions): Promise<string | undefined> {
  return withFiles(async (files) => {
    const { directory } = await makeRunDirectory(files, name);
    const run = await findSettledRun(files, name);
    if (run.active !== 'no') return describeActiveRun(run, name);
    return describeFull(await directory.space(), maxUsedPercent, 0);
  });
}

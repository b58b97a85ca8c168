import { setTimeout as sleep } from 'node:timers/promises';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, type Files } from '../files/files.ts';
import type { CommandLineLimits } from '../model/command-line.ts';
import type { Clock } from '../model/time.ts';
import type { RemoteFiles } from '../native/reader/remote-files.ts';
import { LogError } from './log-directory.ts';
import { cutTornSample } from './log-file.ts';
import { type LogNames, recordingNames, textLogNames } from './log-names.ts';
import { PATIENCE_MS } from './log-writer.ts';
import { isAlive, ownIdentity } from './process-identity.ts';
import { type LogBounds, RotatingLog } from './rotating-log.ts';
import {
  AFTERGLOW_MS,
  describeActiveRun,
  type FoundRun,
  findRun,
  LOOK_MS,
  makeRunDirectory,
  type RunDirectory,
} from './run-directory.ts';
import type { RunFile } from './run-file.ts';
import { RunJournal, type RunJournalOptions } from './run-journal.ts';
import { forgetRunRecord, RunRecordFile, readRunRecords } from './run-records.ts';

export interface RunOptions {
  readonly directory: string;
  readonly holds: LogNames['holds'];
  readonly bounds: LogBounds;
  /** Undefined for until it is stopped. */
  readonly durationMs: number | undefined;
}

/** What a started run holds. */
export interface StartedRun {
  readonly run: RunDirectory;
  readonly log: RotatingLog;
  readonly journal: RunJournal;
}

/** What kstack's files system calls are made with. */
export type RunFiles = RemoteFiles & Files;

/**
 * Limits the command lines of a sample to a fifth of all log files. Escaping makes them up to four times as long, and
 * the sample must still fit.
 */
export function commandLineLimits({ totalBytes }: LogBounds): CommandLineLimits {
  return { allBytes: Math.min(1 << 20, Math.floor(totalBytes / 5)), leastBytes: 256 };
}

/** How the log of a run is called. */
export function logNames(holds: LogNames['holds'], host: string): LogNames {
  return holds === 'recording' ? recordingNames(host) : textLogNames(host);
}

/**
 * Locks the directory, publishes the run, and cleans up after an earlier one.
 * @throws LogError, NoAnswer
 */
export async function startRun(
  options: RunOptions,
  files: RunFiles,
  clock: Clock,
  tell: RunJournalOptions['tell'],
): Promise<StartedRun> {
  const { directory: name, holds, bounds } = options;
  // It may have begun when the host had another name.
  const active = await findRun(files, name);
  if (active.active === 'here') throw new LogError(describeActiveRun(active, name));
  const run = await makeRunDirectory(files, name);
  const { directory, runFile, host } = run;
  await takeLock(runFile, () => findRun(files, name), name);
  for (const record of readRunRecords()) {
    const isForDirectory = record.names.includes(directory.name);
    // A run killed by SIGKILL leaves its record behind even when it has nothing to report.
    if (isForDirectory || (record.state.paused === undefined && !(await isAlive(files, record.state))))
      forgetRunRecord(record);
  }
  // From here on `kstack stop` can find this run. `append` stays in the state until the torn sample has been cut off.
  const append = (await runFile.read())?.append;
  const { pid, startTicks } = ownIdentity();
  const record = new RunRecordFile(pid, [...new Set([absolutePath(name), directory.name])]);
  const journal = new RunJournal(
    { runFile, record, clock, tell },
    { pid, startTicks, host, holds, ...runTimes(options, clock), samples: 0, messages: [], append },
  );
  const log = new RotatingLog(directory, {
    names: logNames(holds, host),
    bounds,
    clock,
    tell: (text) => journal.say('ERROR', text),
  });
  try {
    await journal.finish();
    // Also if it is of a run that wrote text before this one records.
    if (append !== undefined) await cutTornSample(directory, textLogNames(host).current, append);
    await log.recover();
  } catch (error) {
    record.remove();
    throw error;
  }
  return { run, log, journal };
}

/** What a run says of {@link RemoteFiles.renewed}. */
export function renewedText(end: string): string {
  return `The process that writes the log ended (${end}). Another one was started.`;
}

/** What a run says of what its sampler put right. */
export function mendedText(text: string): string {
  return `While a sample was taken, ${text}.`;
}

/** When a run that starts now does so, and when it will end. */
export function runTimes({ durationMs }: Pick<RunOptions, 'durationMs'>, clock: Clock) {
  const startedMs = clock.nowMs();
  return { startedMs, endsMs: durationMs && startedMs + durationMs, writtenMs: startedMs };
}

/** Publishes the end of a run and releases its lock, if its file system answers. */
export async function endRun({ journal, run }: StartedRun, files: RunFiles, clock: Clock): Promise<void> {
  files.deadlineMs = PATIENCE_MS;
  journal.change({ endedMs: clock.nowMs() });
  journal.close(files.waitsMs < PATIENCE_MS && (await withinPatience(journal.finish())));
  await withinPatience(run.runFile.unlock().then(() => true));
}

/**
 * Takes the lock. Retries for a moment: another process may be testing the lock, or the kernel may still be ending the
 * last holder.
 * @throws LogError if a run is active
 */
async function takeLock(runFile: RunFile, find: () => Promise<FoundRun>, name: string): Promise<void> {
  for (let waitedMs = 0; !(await runFile.lock()); waitedMs += LOOK_MS) {
    const run = await find();
    if (run.active === 'here' || waitedMs >= AFTERGLOW_MS) throw new LogError(describeActiveRun(run, name));
    await sleep(LOOK_MS);
  }
}

/** False if it fails or the file system does not answer in time. */
export async function withinPatience(done: Promise<boolean>): Promise<boolean> {
  const patience = new AbortController();
  const expired = sleep(PATIENCE_MS, false, { signal: patience.signal });
  try {
    return await Promise.race([done, expired]);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  } finally {
    patience.abort();
    expired.catch(() => undefined);
    done.catch(() => undefined);
  }
}

import { closeSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, type Files } from '../files/files.ts';
import { filesOf } from '../files/remote.ts';
import type { CommandLineLimits } from '../model/command-line.ts';
import type { Selection } from '../model/selection.ts';
import type { Clock } from '../model/time.ts';
import { systemClock } from '../native/clock.ts';
import { makeCollectorThreads } from '../native/memory.ts';
import { Reader } from '../native/reader/reader.ts';
import type { RemoteFiles } from '../native/reader/remote-files.ts';
import { openSampler, type Sampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { type LogLevel, log } from '../terminal/log.ts';
import { neverWaitForTerminal } from '../terminal/output.ts';
import { collect } from './collect.ts';
import { LogError } from './log-directory.ts';
import { PATIENCE_MS } from './log-writer.ts';
import type { BackgroundOptions } from './options.ts';
import { isAlive, ownIdentity } from './process-identity.ts';
import { RotatingLog } from './rotating-log.ts';
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

/**
 * Limits the command lines of a sample to a fifth of all log files. Escaping makes them up to four times as long, and
 * the sample must still fit.
 */
function commandLineLimits({ maxMegabytes, keep }: BackgroundOptions): CommandLineLimits {
  const allBytes = Math.min(1 << 20, Math.floor((maxMegabytes * 2 ** 20 * Math.max(1, keep)) / 5));
  return { allBytes, leastBytes: 256 };
}

/** For tests: an interval in milliseconds that overrides -i. */
const INTERVAL_MS = 'KSTACK_INTERVAL_MS';

/** What the background process reports to its parent, as JSON: that it has started, or why it could not. */
export interface CollectorReport {
  readonly pid: number;
  readonly endsMs: number;
  readonly error?: string;
}

/** What a started run holds. */
interface StartedRun {
  readonly run: RunDirectory;
  readonly log: RotatingLog;
  readonly journal: RunJournal;
}

/**
 * Locks the directory, publishes the run, and cleans up after an earlier one.
 * @throws LogError, NoAnswer
 */
async function startRun(
  options: BackgroundOptions,
  files: RemoteFiles & Files,
  clock: Clock,
  tell: RunJournalOptions['tell'],
): Promise<StartedRun> {
  const { directory: name, maxMegabytes, keep, maxUsedPercent } = options;
  const run = await makeRunDirectory(files, name);
  const { directory, runFile, host } = run;
  await takeLock(runFile, () => findRun(files, name), name);
  for (const record of readRunRecords()) {
    const isForDirectory = record.names.includes(directory.name);
    // A run killed by SIGKILL leaves its record behind even when it has nothing to report.
    if (isForDirectory || (record.state.paused === undefined && !(await isAlive(files, record.state))))
      forgetRunRecord(record);
  }
  // From here on `kstack stop` can find this run. `append` stays in the state until log.recover has dealt with it.
  const append = (await runFile.read())?.append;
  const nowMs = clock.nowMs();
  const { pid, startTicks } = ownIdentity();
  const times = { startedMs: nowMs, endsMs: nowMs + options.minutes * 60_000, writtenMs: nowMs };
  const record = new RunRecordFile(pid, [...new Set([absolutePath(name), directory.name])]);
  const journal = new RunJournal(
    { runFile, record, clock, tell },
    { pid, startTicks, ...times, samples: 0, messages: [], append },
  );
  const log = new RotatingLog(directory, {
    host,
    maxBytes: maxMegabytes * 2 ** 20,
    keep,
    maxUsedPercent,
    nowMs: clock.nowMs,
    tell: (text) => journal.say('ERROR', text),
  });
  try {
    await journal.finish();
    await log.recover(append);
  } catch (error) {
    record.remove();
    throw error;
  }
  return { run, log, journal };
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
async function withinPatience(done: Promise<boolean>): Promise<boolean> {
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

export interface CollectorOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly options: BackgroundOptions;
  readonly verbose: boolean;
  /** The descriptor for the {@link CollectorReport}. */
  readonly reportFd: number;
}

/**
 * The background process. Takes samples until the time is up or SIGTERM or SIGINT stops it; it then ends by that
 * signal. Ignores SIGHUP, so that it survives the terminal. Returns the exit code: 1 if it could not start, or if its
 * log was replaced.
 */
export async function runCollector({
  selection,
  root,
  source,
  options,
  verbose,
  reportFd,
}: CollectorOptions): Promise<number> {
  neverWaitForTerminal();
  // Now, because in a long run the host may be out of threads by the time the collector needs them.
  makeCollectorThreads();
  const clock = systemClock();
  const durationMs = options.minutes * 60_000;
  const report = (startedMs: number, error?: string) => {
    const content: CollectorReport = {
      pid: process.pid,
      endsMs: startedMs + durationMs,
      ...(error !== undefined && { error }),
    };
    writeSync(reportFd, JSON.stringify(content));
    closeSync(reportFd);
  };
  const tell = (level: LogLevel, text: string) => {
    if (level !== 'DEBUG' || verbose) log(clock, level, text);
  };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(signal));
  process.on('SIGHUP', () => tell('DEBUG', 'SIGHUP is ignored.'));

  // A reader of its own: a hanging write must not delay samples. It also holds the lock, which is released before the
  // reader is closed, because closing may have to wait for the file system.
  const fileReader = new Reader('/proc');
  const files = filesOf(fileReader);
  let started: StartedRun;
  try {
    started = await startRun(options, files, clock, tell);
  } catch (error) {
    report(0, error instanceof Error ? error.message : String(error));
    fileReader.close();
    return 1;
  }
  const open = () =>
    openSampler(
      { clock, root },
      {
        selection,
        source,
        fields: [],
        facts: false,
        steady: true,
        rememberMs: 0,
        ownsProcess: true,
        commandLines: commandLineLimits(options),
        tell: (text) => tell('DEBUG', text),
      },
    );
  let sampler: Sampler;
  try {
    // Opening takes a while, so it happens before the run's time starts.
    sampler = await open();
  } catch (error) {
    report(0, error instanceof Error ? error.message : String(error));
    fileReader.close();
    return 1;
  }
  const { journal, run, log: rotatingLog } = started;
  const startedMs = clock.nowMs();
  journal.change({ startedMs, endsMs: startedMs + durationMs });
  report(startedMs);
  process.chdir('/');
  // No deadline from here on: nobody is waiting for this process.
  files.deadlineMs = Number.POSITIVE_INFINITY;
  const whole = await collect({
    sampler,
    reopen: open,
    blocked: selection.blocked === true,
    log: rotatingLog,
    journal,
    waitsMs: () => files.waitsMs,
    clock,
    durationMs,
    intervalMs: Number(process.env[INTERVAL_MS] ?? options.intervalSeconds * 1000),
    stop: stop.signal,
    tell,
  });
  files.deadlineMs = PATIENCE_MS;
  journal.change({ endedMs: clock.nowMs() });
  journal.close(files.waitsMs < PATIENCE_MS && (await withinPatience(journal.finish())));
  await withinPatience(run.runFile.unlock().then(() => true));
  fileReader.close();
  if (!whole) return 1;
  if (!stop.signal.aborted) return 0;
  // Die by the signal itself: that is how the shell and systemd see that it was obeyed.
  const signal: NodeJS.Signals = stop.signal.reason;
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  return 0;
}

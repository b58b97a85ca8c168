import { closeSync, writeSync } from 'node:fs';
import { filesOf } from '../files/remote.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { makeCollectorThreads } from '../native/memory.ts';
import { Reader } from '../native/reader/reader.ts';
import { openSampler, type Sampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { neverWaitForStderr } from '../terminal/eager-output.ts';
import { type LogLevel, log } from '../terminal/log.ts';
import { collect } from './collect.ts';
import { textFormat } from './log-format.ts';
import { type BackgroundOptions, INTERVAL_MS } from './options.ts';
import type { LogBounds } from './rotating-log.ts';
import { commandLineLimits, endRun, mendedText, renewedText, runTimes, type StartedRun, startRun } from './run.ts';

/** The last sample of a run may start this long after the run's end. */
const GRACE_MS = 15_000;

/** What the background process reports to its parent, as JSON: that it has started, or why it could not. */
export interface CollectorReport {
  readonly pid: number;
  readonly endsMs: number;
  readonly error?: string;
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
  neverWaitForStderr();
  // Now, because in a long run the host may be out of threads by the time the collector needs them.
  makeCollectorThreads();
  const clock = systemClock();
  const durationMs = options.minutes * 60_000;
  const bounds = boundsOf(options);
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
  let started: StartedRun | undefined;
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
        commandLines: commandLineLimits(bounds),
        tell: (text) => tell('DEBUG', text),
        mended: (text) => started?.journal.say('ERROR', mendedText(text)),
      },
    );
  let sampler: Sampler;
  try {
    started = await startRun({ directory: options.directory, holds: 'text', bounds, durationMs }, files, clock, tell);
    // Opening takes a while, so it happens before the run's time starts.
    sampler = await open();
  } catch (error) {
    report(0, error instanceof Error ? error.message : String(error));
    fileReader.close();
    return 1;
  }
  const { journal, log: rotatingLog } = started;
  const times = runTimes({ durationMs }, clock);
  journal.change(times);
  report(times.startedMs);
  process.chdir('/');
  files.renewed = (end) => journal.say('ERROR', renewedText(end));
  // No deadline from here on: nobody is waiting for this process.
  files.deadlineMs = Number.POSITIVE_INFINITY;
  const end = await collect({
    sampler,
    reopen: open,
    blocked: selection.blocked === true,
    log: rotatingLog,
    format: textFormat(clock.zoneAt),
    carriesUnread: false,
    journal,
    waitsMs: () => files.waitsMs,
    mostMs: Number.POSITIVE_INFINITY,
    clock,
    // -t 0 takes one sample, without those that would fit into the grace period.
    durationMs: durationMs === 0 ? 0 : durationMs + GRACE_MS,
    intervalMs: Number(process.env[INTERVAL_MS] ?? options.intervalSeconds * 1000),
    stop: stop.signal,
    tell,
  });
  await endRun(started, files, clock);
  fileReader.close();
  if (end === 'replaced') return 1;
  if (!stop.signal.aborted) return 0;
  // Die by the signal itself: that is how the shell and systemd see that it was obeyed.
  const signal: NodeJS.Signals = stop.signal.reason;
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  return 0;
}

function boundsOf({ maxMegabytes, keep, maxUsedPercent }: BackgroundOptions): LogBounds {
  const fileBytes = maxMegabytes * 2 ** 20;
  return { fileBytes, keep, totalBytes: fileBytes * Math.max(1, keep), maxUsedPercent, options: '-m times -n' };
}

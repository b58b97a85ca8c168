import { closeSync, writeSync } from 'node:fs';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { lockFile } from '../native/lock.ts';
import { Reader } from '../native/reader/reader.ts';
import { type LogLevel, log } from '../sinks/log.ts';
import { LogError } from '../sinks/log-directory.ts';
import { neverWaitForTerminal } from '../sinks/output.ts';
import { RotatingLog } from '../sinks/rotating-log.ts';
import { live } from '../sources/live.ts';
import type { CommandLineLimits } from '../sources/procfs/command-lines.ts';
import type { SourceName } from '../sources/source-name.ts';
import type { BackgroundOptions } from './background-options.ts';
import { collect } from './collect.ts';
import { describeActiveRun, makeRunDirectory, type RunDirectory } from './run-directory.ts';

/** What the command lines of a sample may take of a log that is bounded, all together: escaped they may be four times as long, and the sample must still fit. */
function commandLineLimits({ maxMegabytes, keep }: BackgroundOptions): CommandLineLimits {
  const allBytes = Math.min(1 << 20, Math.floor((maxMegabytes * 2 ** 20 * Math.max(1, keep)) / 5));
  return { allBytes, leastBytes: 256 };
}

/** For tests: the interval in milliseconds, whatever -i says. */
const INTERVAL_MS = 'KSTACK_INTERVAL_MS';

/** What the process in the background tells the one that started it, as JSON: that it has begun, or why it has not. */
export interface CollectorReport {
  readonly pid: number;
  readonly endsMs: number;
  readonly error?: string;
}

export interface CollectorOptions {
  readonly selection: Selection;
  /** Where the procfs is mounted. */
  readonly root: string;
  readonly source: SourceName;
  readonly options: BackgroundOptions;
  readonly verbose: boolean;
  /** The descriptor for the {@link CollectorReport}. */
  readonly reportFd: number;
}

/**
 * The process in the background: takes samples until its time is up or it is stopped by SIGTERM or SIGINT, which it ends with. A closing terminal (SIGHUP) is nothing to it.
 * Returns the exit code: 1 when it could not begin, or its log was replaced.
 */
export async function runCollector({ selection, root, source, options, verbose, reportFd }: CollectorOptions): Promise<number> {
  neverWaitForTerminal();
  const clock = systemClock();
  const durationMs = options.minutes * 60_000;
  const report = (startedMs: number, error?: string) => {
    const content: CollectorReport = { pid: process.pid, endsMs: startedMs + durationMs, ...(error !== undefined && { error }) };
    writeSync(reportFd, JSON.stringify(content));
    closeSync(reportFd);
  };
  const tell = (level: LogLevel, text: string) => {
    if (level !== 'DEBUG' || verbose) log(clock, level, text);
  };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(signal));
  process.on('SIGHUP', () => tell('DEBUG', 'SIGHUP is ignored.'));

  let run: RunDirectory;
  let rotatingLog: RotatingLog;
  try {
    run = makeRunDirectory(options.directory);
    const holder = lockFile(run.runFile.fd);
    if (holder !== undefined) throw new LogError(describeActiveRun(holder, options.directory));
    rotatingLog = new RotatingLog(run.directory, {
      host: run.host,
      maxBytes: options.maxMegabytes * 2 ** 20,
      keep: options.keep,
      maxUsedPercent: options.maxUsedPercent,
      nowMs: clock.nowMs,
    });
    // From here on `kstack stop` knows whom to stop. What was being appended stays there until it has been seen to.
    const append = run.runFile.read()?.append;
    const nowMs = clock.nowMs();
    run.runFile.write({
      pid: process.pid,
      startedMs: nowMs,
      endsMs: nowMs + durationMs,
      samples: 0,
      messages: [],
      ...(append && { append }),
    });
    await rotatingLog.recover(append);
  } catch (error) {
    report(0, error instanceof Error ? error.message : String(error));
    return 1;
  }
  let reader: Reader | undefined;
  const samples = () => {
    // After one has failed, what reads may be at fault.
    reader?.close();
    reader = new Reader(root);
    return live(selection, {
      clock,
      root,
      reader,
      ownsProcess: true,
      source,
      commandLines: commandLineLimits(options),
      facts: false,
      steady: true,
      rememberMs: 0,
      tell: (text) => tell('DEBUG', text),
    });
  };
  try {
    // Makes ready what takes a while, before the time runs.
    samples();
  } catch (error) {
    report(0, error instanceof Error ? error.message : String(error));
    return 1;
  }
  const startedMs = clock.nowMs();
  report(startedMs);
  process.chdir('/');
  const whole = await collect({
    samples,
    threads: selection.threads === true,
    blocked: selection.blocked === true,
    log: rotatingLog,
    runFile: run.runFile,
    clock,
    startedMs,
    durationMs,
    intervalMs: Number(process.env[INTERVAL_MS] ?? options.intervalSeconds * 1000),
    stop: stop.signal,
    tell,
  });
  reader?.close();
  if (!whole) return 1;
  if (!stop.signal.aborted) return 0;
  // Ending by the signal itself is how the shell and systemd know that it was obeyed.
  const signal: NodeJS.Signals = stop.signal.reason;
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  return 0;
}

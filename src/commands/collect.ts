import { leaveOutIdle } from '../analysis/explain-sample.ts';
import { groupByStack } from '../analysis/group.ts';
import { everythingUnread, type Sample, type Unread } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { escapeUnsafe } from '../sinks/escape.ts';
import { formatLogLine, type LogLevel } from '../sinks/log.ts';
import { LogError } from '../sinks/log-directory.ts';
import { isFull, type RotatingLog } from '../sinks/rotating-log.ts';
import type { RunFile, RunState } from '../sinks/run-file.ts';
import { formatText } from '../sinks/text.ts';
import { formatUnread } from '../sinks/unread.ts';

/** How long after the end of a run its last sample may begin. */
const GRACE_MS = 15_000;

/** How many messages are kept for those who ask for the status. */
const KEPT_MESSAGES = 10;

/** How many different complaints are remembered, in order not to repeat them with each sample. */
const MOST_COMPLAINTS = 1000;

/** How many things that could not be read are remembered, in order not to tell them with each sample. */
const MOST_TOLD = 50_000;

export interface Collection {
  /** Samples, each taken when it is asked for. Called once more after one has failed. */
  readonly samples: () => AsyncIterator<Sample>;
  /** Whether the samples are of threads. */
  readonly threads: boolean;
  /** Whether tasks that idle are left out. */
  readonly blocked: boolean;
  readonly log: RotatingLog;
  readonly runFile: RunFile;
  readonly clock: Clock;
  readonly startedMs: number;
  readonly durationMs: number;
  readonly intervalMs: number;
  /** Aborted when the run is to end; a sample that is being taken or written then is finished. */
  readonly stop: AbortSignal;
  /** Says something to whoever reads the messages of the run. */
  tell(level: LogLevel, text: string): void;
}

/**
 * Takes samples at start, start + interval, start + 2 intervals and so on, until the time is up or `stop` is aborted.
 * The beat is that of the monotonic clock: setting the time of day changes neither the interval nor the end.
 * Returns false when it ended before, as the log's directory or file had been replaced.
 */
export async function collect({
  samples,
  threads,
  blocked,
  log,
  runFile,
  clock,
  startedMs,
  durationMs,
  intervalMs,
  stop,
  tell,
}: Collection): Promise<boolean> {
  const start = clock.monotonicMs();
  let state: RunState = { pid: process.pid, startedMs, endsMs: startedMs + durationMs, samples: 0, messages: [] };
  const update = (change: Partial<RunState>) => {
    state = { ...state, ...change };
    try {
      runFile.write(state);
    } catch (error) {
      // Then others see an older state for a while. The run itself goes by its own.
      if (!isFull(error)) throw error;
    }
  };
  // Here a failure is one of the sample about to be written.
  const announce = (change: Pick<RunState, 'append'>) => {
    state = { ...state, ...change };
    runFile.write(state);
  };
  update({});
  const say = (level: 'INFO' | 'ERROR', text: string) => {
    tell(level, text);
    update({ messages: [...state.messages, escapeUnsafe(formatLogLine(clock, level, text))].slice(-KEPT_MESSAGES) });
  };
  const complaints = new Set<string>();
  const complain = (text: string, level: 'INFO' | 'ERROR' = 'ERROR') => {
    if (complaints.has(text) || complaints.size > MOST_COMPLAINTS) return;
    complaints.add(text);
    say(level, complaints.size > MOST_COMPLAINTS ? 'There is too much to complain of; what is new from here on is not said.' : text);
  };
  const told = new Set<string>();
  const isNews = ({ tid, what, why }: Unread) => {
    const fact = `${tid} ${what} ${why}`;
    if (told.has(fact)) return false;
    if (told.size >= MOST_TOLD) told.clear();
    told.add(fact);
    return true;
  };
  let iterator = samples();
  const take = async (): Promise<Sample | undefined> => {
    try {
      return (await iterator.next()).value;
    } catch (error) {
      complain(`No sample could be taken: ${error instanceof Error ? error.message : String(error)}.`);
      iterator = samples();
      return undefined;
    }
  };
  const write = async (sample: Sample) => {
    const shown = blocked ? leaveOutIdle(sample) : sample;
    const text = [...formatText(shown, groupByStack(shown), { zoneAt: clock.zoneAt, threads })].join('');
    const refusal = await log.append(text, (append) => announce({ append }));
    if (refusal === undefined) {
      if (state.paused !== undefined) say('INFO', 'Writing again.');
      update({ samples: state.samples + 1, paused: undefined });
    } else if (refusal.passes) {
      if (state.paused === undefined) say('ERROR', `${refusal.reason} Nothing is written until there is space again.`);
      update({ paused: refusal.reason });
    } else complain(refusal.reason);
    for (const line of formatUnread(everythingUnread(sample).filter(isNews), threads)) complain(line, 'INFO');
  };
  try {
    let beat = 0;
    let skipped = false;
    // A run of no time at all takes one sample, not those of the grace too.
    while (!stop.aborted && (beat === 0 || durationMs > 0) && beat * intervalMs < durationMs + GRACE_MS) {
      const left = start + beat * intervalMs - clock.monotonicMs();
      if (left > 0) await clock.sleep(left, stop);
      // Both may have passed while it slept, or was stopped.
      if (stop.aborted || clock.monotonicMs() - start >= durationMs + GRACE_MS) break;
      runFile.check();
      const sample = await take();
      if (sample !== undefined) await write(sample);
      const took = clock.monotonicMs() - start - beat * intervalMs;
      tell('DEBUG', `${sample?.observations.length ?? 0} tasks, sample ${state.samples}, ${Math.round(took)} ms`);
      const next = Math.max(beat + 1, Math.ceil((clock.monotonicMs() - start) / intervalMs));
      if (next > beat + 1 && !skipped) {
        skipped = true;
        say('INFO', `A sample took ${(took / 1000).toFixed(1)} s, longer than the interval: some are skipped.`);
      }
      beat = next;
    }
    return true;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    say('ERROR', `${error.message}. The run ends.`);
    return false;
  }
}

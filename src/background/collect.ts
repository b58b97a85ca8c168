import { leaveOutIdle } from '../analysis/explain-sample.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { formatText } from '../sinks/text.ts';
import { formatUnread } from '../sinks/unread.ts';
import type { Sampler } from '../sources/live/sampler.ts';
import type { LogLevel } from '../terminal/log.ts';
import { Complaints } from './complaints.ts';
import { LogError } from './log-directory.ts';
import { count, LogWriter, type LogWriterOptions } from './log-writer.ts';

/** How long after the end of a run its last sample may begin. */
const GRACE_MS = 15_000;

export interface Collection extends Omit<LogWriterOptions, 'complain' | 'nowMs'> {
  readonly sampler: Pick<Sampler, 'next' | 'close'>;
  /** Makes another one after a sample has failed: what reads may be at fault. */
  readonly reopen: () => Promise<Collection['sampler']>;
  /** Whether tasks that idle are left out. */
  readonly blocked: boolean;
  readonly clock: Clock;
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
export async function collect(collection: Collection): Promise<boolean> {
  const { reopen, blocked, journal, clock, durationMs, intervalMs, stop, tell } = collection;
  const start = clock.monotonicMs();
  const complaints = new Complaints((level, text) => journal.say(level, text));
  const writer = new LogWriter({ ...collection, nowMs: clock.nowMs, complain: (text) => complaints.complain(text) });
  let sampler: Collection['sampler'] | undefined = collection.sampler;
  const take = async (): Promise<Sample | undefined> => {
    try {
      sampler ??= await reopen();
      return await sampler.next();
    } catch (error) {
      complaints.complain(`No sample could be taken: ${error instanceof Error ? error.message : String(error)}.`);
      sampler?.close();
      sampler = undefined;
      return undefined;
    }
  };
  const write = async (sample: Sample) => {
    const shown = blocked ? leaveOutIdle(sample) : sample;
    await writer.put([...formatText(shown, { zoneAt: clock.zoneAt })].join(''));
    const unread = everythingUnread(shown).filter((one) => complaints.isNews(one));
    for (const line of formatUnread(unread, sample.threads)) complaints.complain(line, 'INFO');
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
      const sample = await take();
      if (sample !== undefined) await write(sample);
      const took = clock.monotonicMs() - start - beat * intervalMs;
      tell(
        'DEBUG',
        `${sample?.observations.length ?? 0} tasks, sample ${journal.state.samples}, ${Math.round(took)} ms`,
      );
      const next = Math.max(beat + 1, Math.ceil((clock.monotonicMs() - start) / intervalMs));
      if (next > beat + 1 && !skipped) {
        skipped = true;
        journal.say('INFO', `A sample took ${(took / 1000).toFixed(1)} s, longer than the interval: some are skipped.`);
      }
      beat = next;
    }
    const lost = await writer.drain();
    if (lost > 0) journal.say('ERROR', `${count(lost)} lost at the end of the run: the log could not be written to.`);
    return true;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    journal.say('ERROR', `${error.message}. The run ends.`);
    return false;
  } finally {
    sampler?.close();
  }
}

import { leaveOutIdle } from '../analysis/leave-out-idle.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { formatUnread } from '../sinks/unread.ts';
import type { Sampler } from '../sources/live/sampler.ts';
import type { LogLevel } from '../terminal/log.ts';
import { beats } from './beats.ts';
import { Complaints } from './complaints.ts';
import { LogError } from './log-directory.ts';
import { count, LogWriter, type LogWriterOptions } from './log-writer.ts';
import { type Triggering, triggeredBeats } from './triggered.ts';

export interface Collection extends Omit<LogWriterOptions, 'complain' | 'nowMs'> {
  readonly sampler: Pick<Sampler, 'next' | 'close'>;
  /** Opens a new sampler after a sample has failed: the old one's reader may be the cause. */
  readonly reopen: () => Promise<Collection['sampler']>;
  /** Whether the log can carry what could not be read; if not, it is reported. */
  readonly carriesUnread: boolean;
  /** Leave out idle tasks. */
  readonly blocked: boolean;
  readonly clock: Clock;
  /** No sample but the first begins this long after the start. */
  readonly durationMs: number;
  readonly intervalMs: number;
  /** Undefined if every sample is written. */
  readonly triggering?: Triggering | undefined;
  /** Aborted to end the run. A sample in progress is still taken and written. */
  readonly stop: AbortSignal;
  /** Reports to whoever reads the run's messages. */
  tell(level: LogLevel, text: string): void;
  /** Called after each sample, and once at the end without one, with the bytes written until then. */
  progress?(bytes: number, sample?: Sample): void;
}

/** How a collection ended: as it should, or because the log was replaced, or with samples that could not be written. */
export type CollectionEnd = 'done' | 'replaced' | 'lost';

/** Takes samples, and writes them, until the time is up or `stop` is aborted. */
export async function collect(collection: Collection): Promise<CollectionEnd> {
  const { reopen, blocked, carriesUnread, journal, clock, durationMs, intervalMs, triggering, stop, tell } = collection;
  const complaints = new Complaints((level, text) => journal.say(level, text));
  const writer = new LogWriter({
    ...collection,
    nowMs: clock.nowMs,
    complain: (text) => complaints.complain(text),
  });
  let sampler: Collection['sampler'] | undefined = collection.sampler;
  const take = async (): Promise<Sample | undefined> => {
    try {
      sampler ??= await reopen();
      return await sampler.next();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!stop.aborted) complaints.complain(`No sample could be taken: ${why}.`);
      sampler?.close();
      sampler = undefined;
      return undefined;
    }
  };
  const write = async (sample: Sample) => {
    const shown = blocked ? leaveOutIdle(sample) : sample;
    await writer.put(shown);
    collection.progress?.(writer.bytes, shown);
    if (carriesUnread) return;
    const unread = everythingUnread(shown).filter((one) => complaints.isNews(one));
    for (const line of formatUnread(unread, sample.threads)) complaints.complain(line, 'INFO');
  };
  try {
    let skipped = false;
    const common = { take, clock, durationMs, stop };
    const all =
      triggering === undefined
        ? beats({ ...common, intervalMs: () => intervalMs })
        : triggeredBeats({ ...common, ...triggering, intervalMs });
    for await (const beat of all) {
      const sample = beat.taken;
      if (sample !== undefined) await write(sample);
      const took = beat.sinceDueMs();
      tell(
        'DEBUG',
        `${sample?.observations.length ?? 0} tasks, sample ${journal.state.samples}, ${Math.round(took)} ms`,
      );
      if (took <= intervalMs || skipped) continue;
      skipped = true;
      journal.say('INFO', `A sample took ${(took / 1000).toFixed(1)} s, longer than the interval: some are skipped.`);
    }
    const lost = await writer.drain();
    if (lost > 0) {
      const inTime = journal.state.paused === undefined ? ' in time: its file system is slow' : '';
      journal.say('ERROR', `${count(lost)} lost at the end of the run: the log could not be written to${inTime}.`);
    }
    return lost > 0 ? 'lost' : 'done';
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    journal.say('ERROR', `${error.message}. The run ends.`);
    return 'replaced';
  } finally {
    collection.progress?.(writer.bytes);
    sampler?.close();
  }
}

import { basename, dirname } from 'node:path';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, isRegular } from '../files/files.ts';
import { filesOf } from '../files/remote.ts';
import type { CommandLineLimits } from '../model/command-line.ts';
import type { Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import type { Clock } from '../model/time.ts';
import { makeCollectorThreads } from '../native/memory.ts';
import { Reader } from '../native/reader/reader.ts';
import { reasonOf } from '../native/reason.ts';
import { openSampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import type { LogLevel } from '../terminal/log.ts';
import { type Collection, type CollectionEnd, collect } from './collect.ts';
import { LogDirectory, LogError } from './log-directory.ts';
import { recordingFormat } from './log-format.ts';
import { singleRecording } from './log-names.ts';
import { type Journal, PATIENCE_MS, type WritingState } from './log-writer.ts';
import { INTERVAL_MS } from './options.ts';
import { type LogBounds, RotatingLog } from './rotating-log.ts';
import {
  commandLineLimits,
  endRun,
  mendedText,
  type RunFiles,
  renewedText,
  runTimes,
  startRun,
  withinPatience,
} from './run.ts';
import { describeFull } from './space.ts';
import type { Triggering } from './triggered.ts';

/** A file that is not there yet, or a directory in which recordings rotate. */
export type RecordingTarget = { readonly file: string } | { readonly directory: string; readonly bounds: LogBounds };

export interface RecorderOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly target: RecordingTarget;
  readonly intervalMs: number;
  /** Undefined for until it is stopped. */
  readonly durationMs: number | undefined;
  readonly triggering: Triggering | undefined;
}

export interface RecorderContext {
  readonly clock: Clock;
  /** Where the samples come from; else a sampler is opened. */
  readonly open?: () => Promise<Collection['sampler']>;
  readonly stop: AbortSignal;
  tell(level: LogLevel, text: string): void;
  /** Called after each sample, and once at the end without one. */
  progress(state: WritingState, bytes: number, sample?: Sample): void;
}

/** What samples are recorded into. */
interface OpenTarget extends Pick<Collection, 'log' | 'journal' | 'format'> {
  readonly commandLines: CommandLineLimits;
  /** The sampler is ready. */
  begin(): void;
  end(): Promise<void>;
}

/** Who holds up whom takes many reads while thousands of tasks wait: it is not asked ten times a second. */
export const LEAST_FOR_EDGES_MS = 1000;
/** So many of the segments are in a file: it ends with one. */
const SEGMENTS_OF_FILE = 8;

/**
 * Records samples until the time is up or it is stopped.
 * @throws Error if it cannot begin
 */
export async function runRecorder(options: RecorderOptions, context: RecorderContext): Promise<CollectionEnd> {
  const { selection, root, source, target, triggering, durationMs = Number.POSITIVE_INFINITY } = options;
  const intervalMs = Number(process.env[INTERVAL_MS] ?? options.intervalMs);
  const { clock, stop, tell } = context;
  makeCollectorThreads();
  // A reader of its own: a hanging write must not delay samples. It also holds the lock of a directory.
  const fileReader = new Reader('/proc');
  try {
    const files = filesOf(fileReader);
    const opened =
      'file' in target
        ? await openFile(target.file, files, context)
        : await openDirectory({ ...target, durationMs: options.durationMs }, files, context);
    const { log, journal, format, commandLines } = opened;
    const openOwn = () =>
      openSampler(
        { clock, root },
        {
          selection,
          source,
          fields: ['uid', 'cgroup', 'systemCall'],
          facts: true,
          edges: intervalMs >= LEAST_FOR_EDGES_MS,
          events: true,
          // Without a trigger, the samples themselves tell.
          ...(triggering !== undefined && { intervalMs }),
          steady: true,
          ownsProcess: true,
          commandLines,
          mended: (text) => journal.say('ERROR', mendedText(text)),
        },
      );
    const { open = openOwn } = context;
    let end: CollectionEnd | undefined;
    try {
      const sampler = await open();
      opened.begin();
      files.renewed = (end) => journal.say('ERROR', renewedText(end));
      files.deadlineMs = Number.POSITIVE_INFINITY;
      end = await collect({
        sampler,
        reopen: open,
        blocked: selection.blocked === true,
        log,
        format,
        carriesUnread: true,
        journal,
        waitsMs: () => files.waitsMs,
        mostMs: Math.min(PATIENCE_MS, (triggering?.denseMs ?? intervalMs) / 2, intervalMs / 2),
        clock,
        durationMs,
        intervalMs,
        triggering,
        stop,
        tell,
        progress: (bytes, sample) => context.progress(journal.state, bytes, sample),
      });
      return end;
    } finally {
      await opened.end();
    }
  } finally {
    fileReader.close();
  }
}

async function openDirectory(
  target: { readonly directory: string; readonly bounds: LogBounds; readonly durationMs: number | undefined },
  files: RunFiles,
  { clock, tell }: RecorderContext,
): Promise<OpenTarget> {
  const { bounds } = target;
  const started = await startRun({ ...target, holds: 'recording' }, files, clock, tell);
  const full = describeFull(await started.run.directory.space(), bounds.maxUsedPercent, 0);
  if (full !== undefined) {
    await endRun(started, files, clock);
    throw new LogError(full);
  }
  const { log, journal } = started;
  return {
    log,
    journal,
    format: recordingFormat(Math.ceil(bounds.fileBytes / SEGMENTS_OF_FILE)),
    commandLines: commandLineLimits(bounds),
    begin: () => journal.change(runTimes(target, clock)),
    end: () => endRun(started, files, clock),
  };
}

const NO_BOUNDS: LogBounds = {
  fileBytes: Number.POSITIVE_INFINITY,
  keep: 0,
  totalBytes: Number.POSITIVE_INFINITY,
  maxUsedPercent: Number.POSITIVE_INFINITY,
  options: '',
};

async function openFile(file: string, files: RunFiles, { clock, tell }: RecorderContext): Promise<OpenTarget> {
  const path = absolutePath(file);
  const names = singleRecording(basename(path));
  const toldBy = (text: string) => tell('ERROR', text);
  let log: RotatingLog;
  const refuse = (why: string, cause?: unknown) => new Error(`cannot record to ${file}: ${why}`, { cause });
  try {
    const directory = await openFolderOf(path, files);
    log = new RotatingLog(directory, { names, bounds: NO_BOUNDS, clock, tell: toldBy });
    await log.create();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw refuse(reasonOf(error), error);
    const found = await files.status(undefined, path);
    if (found === undefined || isRegular(found)) throw refuse('it exists already; give another name', error);
    throw refuse('it exists and is not a regular file; a recording is written to a new file', error);
  }
  return {
    log,
    journal: new SpokenJournal(tell),
    format: recordingFormat(Number.POSITIVE_INFINITY),
    commandLines: commandLineLimits(NO_BOUNDS),
    begin: () => undefined,
    end: async () => {
      await withinPatience(log.end().then(() => true));
    },
  };
}

async function openFolderOf(path: string, files: RunFiles): Promise<LogDirectory> {
  const folder = dirname(path);
  try {
    return await LogDirectory.open(files, folder, false);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') throw new Error(`there is no directory ${folder}`, { cause: error });
    if (code === 'ENOTDIR') throw new Error(`${folder} is not a directory`, { cause: error });
    throw error;
  }
}

/** Of a recording without a directory of its own: nobody asks for its state. */
class SpokenJournal implements Journal {
  readonly #tell: RecorderContext['tell'];
  state: WritingState = { samples: 0 };

  constructor(tell: RecorderContext['tell']) {
    this.#tell = tell;
  }

  change(change: Partial<WritingState>): void {
    this.state = { ...this.state, ...change };
  }

  say(level: 'INFO' | 'ERROR', text: string): void {
    this.#tell(level, text);
  }

  /** No later run cuts off what this one leaves torn. */
  announce(): Promise<void> {
    return Promise.resolve();
  }

  setAnswering(): void {
    // The pause that goes with it is told.
  }
}

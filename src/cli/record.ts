import { constants } from 'node:fs';
import { countKinds, leaveOutIdle } from '../analysis/explain-sample.ts';
import { type Beat, beats } from '../background/beats.ts';
import { whyNotProc } from '../background/proc-root.ts';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, type Files } from '../files/files.ts';
import { withFiles } from '../files/remote.ts';
import type { Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import type { Clock } from '../model/time.ts';
import { systemClock } from '../native/clock.ts';
import { recordingPieces } from '../recording/write.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
import { openSampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { formatDuration } from '../terminal/duration.ts';
import { isTerminal, rewriteLine, writeStderr } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';

const STDERR = 2;
/** How often progress is told where there is no terminal. */
const PLAIN_PROGRESS_MS = 60_000;
/** Once the file system has answered: a busy disk may need longer than the usual deadline. */
const SLOW_MS = 30_000;
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

export interface RecordOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly file: string;
  readonly intervalMs: number;
  /** Undefined for until a signal ends it. */
  readonly durationMs: number | undefined;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Records samples into a file until the time is up or a signal ends it. Returns the exit code. */
export async function record(options: RecordOptions): Promise<number> {
  const { root, typed, file, selection, source, intervalMs, durationMs = Number.POSITIVE_INFINITY } = options;
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return FAILED;
  }
  const clock = systemClock();
  const stop = new AbortController();
  let ended: keyof typeof SIGNAL_EXIT | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      ended = signal;
      stop.abort();
    });
  return withFiles(async (files) => {
    const fd = await createFile(files, file);
    files.deadlineMs = SLOW_MS;
    const fields = ['uid', 'cgroup', 'systemCall'] as const;
    const sampler = await openSampler(
      { clock, root },
      { selection, source, fields, facts: true, steady: true, ownsProcess: true },
    );
    const progress = new Progress(clock, options);
    try {
      const take = async () => {
        const sample = await sampler.next();
        return selection.blocked === true ? leaveOutIdle(sample) : sample;
      };
      const samples = beats({ take, clock, intervalMs: () => intervalMs, durationMs, stop: stop.signal });
      for await (const piece of recordingPieces(progress.watch(samples))) {
        await files.append(fd, piece);
        progress.wrote(piece.length);
      }
      await files.sync(fd);
    } finally {
      progress.end();
      sampler.close();
      await files.close(fd);
    }
    return ended === undefined ? 0 : SIGNAL_EXIT[ended];
  });
}

const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW, O_NOCTTY } = constants;

/** Only its owner can read the file, because command lines may hold secrets. */
async function createFile(files: Files, name: string): Promise<number> {
  try {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_NOCTTY;
    return await files.open(undefined, absolutePath(name), flags, 0o600);
  } catch (error) {
    const why = codeOf(error) === 'EEXIST' ? 'it exists already; give another name' : String(error);
    throw new Error(`cannot record to ${name}: ${why}`, { cause: error });
  }
}

/** Tells how far a recording is: a line that is rewritten on a terminal, a line each minute elsewhere. */
class Progress {
  readonly #clock: Clock;
  readonly #options: RecordOptions;
  readonly #startMs: number;
  readonly #onTerminal = isTerminal(STDERR);
  #toldMs: number;
  #samples = 0;
  #bytes = 0;
  #now = '';

  constructor(clock: Clock, options: RecordOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#startMs = clock.monotonicMs();
    this.#toldMs = this.#startMs;
  }

  async *watch(samples: AsyncIterable<Beat<Sample>>): AsyncGenerator<Sample> {
    for await (const { taken: sample } of samples) {
      this.#samples++;
      this.#now = `, ${sample.observations.length} tasks, ${countKinds(sample).blocked} blocked now`;
      yield sample;
    }
  }

  wrote(bytes: number): void {
    this.#bytes += bytes;
    const nowMs = this.#clock.monotonicMs();
    if (this.#onTerminal) rewriteLine(this.#line(nowMs));
    else if (nowMs - this.#toldMs >= PLAIN_PROGRESS_MS) this.#tell(nowMs);
  }

  end(): void {
    if (this.#onTerminal) rewriteLine('');
    this.#now = '';
    this.#tell(Number.POSITIVE_INFINITY);
  }

  #tell(nowMs: number): void {
    this.#toldMs = nowMs;
    writeStderr(`kstack: ${this.#line(nowMs)}\n`);
  }

  #line(nowMs: number): string {
    const { durationMs, file } = this.#options;
    const left = durationMs === undefined ? undefined : this.#startMs + durationMs - nowMs;
    const rest = left === undefined || left <= 0 ? '' : `, ${formatDuration(left)} left`;
    const samples = `${this.#samples} sample${this.#samples === 1 ? '' : 's'}`;
    return `${file}: ${samples}${this.#now}, ${formatBytes(this.#bytes)}${rest}`;
  }
}

function formatBytes(bytes: number): string {
  return bytes < 10_000
    ? `${bytes} bytes`
    : bytes < 1e7
      ? `${Math.round(bytes / 1000)} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`;
}

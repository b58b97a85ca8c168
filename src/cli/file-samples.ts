import { statSync } from 'node:fs';
import { selected } from '../analysis/selected.ts';
import { isTarget } from '../clickhouse/target.ts';
import { codeOf } from '../files/files.ts';
import type { Untold } from '../model/compiled-selection.ts';
import type { Sample } from '../model/sample.ts';
import { hasFilters, NO_TASK, type Selection } from '../model/selection.ts';
import type { Clock } from '../model/time.ts';
import { compileSelection } from '../sources/live/selection/compiled.ts';
import { shownName } from '../terminal/escape.ts';
import { isTerminal, rewriteLine, writeStderr } from '../terminal/output.ts';
import type { ClassicThread } from './classic-thread.ts';
import { databaseSpan } from './database-samples.ts';
import { ALL_HOSTS, type Origin } from './host-options.ts';
import { mergedSamples, type Problems, textOptions } from './merged-samples.ts';
import { DASH, isReadOnce } from './read-once.ts';
import type { NamedFiles } from './recordings-in.ts';
import { type SamplesOptions, type Span, spanOf, whyUnread } from './samples.ts';
import {
  type Bounds,
  boundsOf,
  dayTaken,
  inBounds,
  isAllTimes,
  isTimeOfDay,
  needsEnd,
  timeText,
  type Window,
} from './time-window.ts';

/** What of which files a command takes. */
export interface Wanted extends NamedFiles {
  readonly window: Window;
  readonly selection: Selection | undefined;
  /** Which hosts, and how a database is reached; absent for all hosts. */
  readonly origin?: Origin;
  /** The command, for advice. */
  readonly verb: string;
  /** Reads the only file already. */
  readonly thread?: ClassicThread | undefined;
  /** Whether nothing is written to the terminal meanwhile. */
  readonly isQuiet?: boolean;
}

/** A window counts back from an end that is not known, or ends before it begins. */
export class NoEnd extends Error {}

/** Undefined, and said on standard error, if a window has no end, or one before its beginning. */
export async function orNoEnd<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof NoEnd)) throw error;
    writeStderr(`kstack: ${error.message}\n`);
    return undefined;
  }
}

/**
 * The samples of files that are wanted, in the order of their times, with the selected tasks only.
 * @throws NoEnd
 */
export async function* fileSamples(wanted: Wanted, problems: Problems, clock: Clock): AsyncGenerator<Sample> {
  const { names, listed, window, selection, verb, origin, thread, isQuiet = false } = wanted;
  const progress = new ReadProgress(names, clock, isQuiet);
  try {
    const bounds = isAllTimes(window) ? undefined : await boundsFor(wanted, problems, clock);
    const read = (bytes: number) => progress.read(bytes);
    const merged = mergedSamples({ names, listed, verb, bounds, origin, selection, thread, read }, problems, clock);
    const timed = isAllTimes(window) ? merged : inWindow(merged, window, bounds, clock);
    yield* selection === undefined ? timed : selectedSamples(timed, selection, problems.lines, !TELLS_NONE.has(verb));
  } finally {
    progress.end();
  }
}

/** A report says so itself, and one side of a comparison may well have none. */
const TELLS_NONE: ReadonlySet<string> = new Set(['report', 'diff']);

/**
 * The samples with the selected tasks only. Adds to `problems` what the selection needs and the files do not tell.
 * @param tellsNone whether to say that no sample has a selected task
 */
export async function* selectedSamples(
  samples: AsyncIterable<Sample>,
  selection: Selection,
  problems: string[],
  tellsNone: boolean,
): AsyncGenerator<Sample> {
  const untold = new Set<Untold>();
  let [samplesSeen, isFound] = [0, false];
  for await (const sample of selected(samples, await compileSelection(selection), (what) => untold.add(what))) {
    samplesSeen++;
    isFound ||= sample.observations.length > 0;
    yield sample;
  }
  if (tellsNone && samplesSeen > 0 && !isFound && hasFilters(selection)) problems.push(NO_TASK);
  for (const what of untold)
    problems.push(`tasks whose ${what} is not in the files are left out, as the selection needs it`);
}

/**
 * The window in Unix milliseconds; undefined if only the first sample on standard input tells.
 * @throws NoEnd
 */
export async function boundsFor(wanted: Wanted, problems: Problems, clock: Clock): Promise<Bounds | undefined> {
  const { names, window } = wanted;
  const { zoneAt } = clock;
  const ends = needsEnd(window);
  if (!ends && !isTimeOfDay(window.from) && !isTimeOfDay(window.to))
    return inOrder(boundsOf(window, { firstMs: 0 }, zoneAt), clock);
  const once = names.find(isReadOnce);
  if (once !== undefined) {
    const shown = once === DASH ? 'standard input' : `${shownName(once)}, a pipe,`;
    if (ends) throw new NoEnd(`a time before the end, such as -10m, needs files: the end of ${shown} is not known`);
    return undefined;
  }
  const span = await wholeSpan(wanted, problems, clock);
  if (span === undefined) return undefined;
  const bounds = inOrder(boundsOf(window, span, zoneAt), clock);
  const taken = dayTaken(window, bounds, span, zoneAt);
  if (taken !== undefined) problems.lines.push(taken);
  return bounds;
}

/** When the samples of files begin and end; undefined if none has a time, or no file can be read. */
export async function wholeSpan(
  { names, listed, verb, origin = ALL_HOSTS }: Wanted,
  problems: Problems,
  clock: Clock,
): Promise<Span | undefined> {
  const options: SamplesOptions = { ...textOptions(clock, problems), notes: {}, damaged: () => undefined };
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const name of names) {
    try {
      const span = problems.spans.has(name)
        ? problems.spans.get(name)
        : await spanIn(name, origin, { ...options, isListed: listed?.has(name) === true });
      problems.spans.set(name, span);
      if (span === undefined) continue;
      firstMs = Math.min(firstMs, span.firstMs);
      lastMs = Math.max(lastMs, span.lastMs);
    } catch (error) {
      // It is told when the file is read.
      if (whyUnread(error, name, verb) === undefined) throw error;
    }
  }
  return Number.isFinite(firstMs) ? { firstMs, lastMs } : undefined;
}

function spanIn(name: string, origin: Origin, options: SamplesOptions): Promise<Span | undefined> {
  return isTarget(name) ? databaseSpan(name, origin) : spanOf(name, options);
}

function inOrder(bounds: Bounds, { zoneAt }: Clock): Bounds {
  const { fromMs, toMs } = bounds;
  if (fromMs <= toMs) return bounds;
  const [from, to] = [timeText(fromMs, zoneAt), timeText(toMs, zoneAt)];
  throw new NoEnd(`the time asked for ends before it begins: it is from ${from} to ${to}`);
}

async function* inWindow(
  samples: AsyncGenerator<Sample>,
  window: Window,
  known: Bounds | undefined,
  { zoneAt }: Clock,
): AsyncGenerator<Sample> {
  if (known !== undefined) return yield* inBounds(samples, known);
  for (let next = await samples.next(); next.done !== true; next = await samples.next()) {
    const { timeMs } = next.value;
    if (timeMs === undefined) continue;
    const first = next.value;
    const all = async function* () {
      yield first;
      yield* samples;
    };
    return yield* inBounds(all(), boundsOf(window, { firstMs: timeMs }, zoneAt));
  }
}

const STDERR = 2;
const TOLD_EVERY_MS = 200;

/** On a terminal, how much of the files is read. */
class ReadProgress {
  readonly #clock: Clock;
  readonly #isShown: boolean;
  #allBytes = 0;
  #readBytes = 0;
  #toldMs: number;
  #isTold = false;

  constructor(names: readonly string[], clock: Clock, isQuiet: boolean) {
    this.#clock = clock;
    this.#toldMs = clock.monotonicMs();
    this.#isShown = !isQuiet && isTerminal(STDERR) && !names.includes(DASH);
    if (this.#isShown) for (const name of names) this.#allBytes += sizeOf(name);
  }

  read(bytes: number): void {
    this.#readBytes += bytes;
    if (!this.#isShown || this.#allBytes === 0) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#isTold = true;
    rewriteLine(`${Math.min(100, Math.floor((100 * this.#readBytes) / this.#allBytes))} % read`);
  }

  end(): void {
    if (this.#isTold) rewriteLine('');
  }
}

function sizeOf(name: string): number {
  try {
    const stat = statSync(name);
    return stat.isFile() ? stat.size : 0;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return 0;
  }
}

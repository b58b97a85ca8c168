import { Redactor, redacted } from '../analysis/redact.ts';
import { diffOf, type Waits, waitsIn } from '../analysis/times/diff.ts';
import type { Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { keepHeapSmall } from '../native/heap.ts';
import { formatDiff } from '../sinks/diff.ts';
import { formatDiffJson } from '../sinks/diff-json.ts';
import { writePieces } from '../terminal/output.ts';
import { writeProse } from '../terminal/prose.ts';
import { isRead } from './convert.ts';
import { isAddedUp, waitsOfDatabase } from './database-sums.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, orNoEnd } from './file-samples.ts';
import type { Origin } from './host-options.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import { tellNone } from './nothing-found.ts';
import { recordingsIn } from './recordings-in.ts';
import type { Window } from './time-window.ts';
import { isUnfitForTerminal } from './unfit-for-terminal.ts';
import { writeFile } from './write-file.ts';

/** One side of a comparison. */
export interface Side {
  readonly file: string;
  readonly window: Window;
  readonly origin: Origin;
}

type Sides = readonly [before: Side, after: Side];

export interface DiffOptions {
  readonly format: 'text' | 'json' | 'html';
  /** How many of each kind to show as text. */
  readonly top: number;
  /** Undefined for standard output. */
  readonly file: string | undefined;
  /** Of a page: whether stand-ins replace what tells of people and machines. */
  readonly redact: boolean;
}

/** Compares two files, or two times of one. Returns the exit code: 1 if one of them has no sample. */
export async function diffFiles(sides: Sides, selection: Selection | undefined, options: DiffOptions): Promise<number> {
  const { file: target, format } = options;
  if (isUnfitForTerminal(format, target)) return FAILED;
  if (target !== undefined && sides.some(({ file }) => isRead(target, { ...recordingsIn([file]), verb: 'diff' })))
    return FAILED;
  keepHeapSmall();
  const clock = systemClock();
  const problems = noProblems();
  const wanted = ({ file, window, origin }: Side) => ({
    ...recordingsIn([file]),
    window,
    selection,
    origin,
    verb: 'diff',
  });
  const read = (side: Side) => fileSamples(wanted(side), problems, clock);
  const waitsOf = (side: Side) =>
    isAddedUp(wanted(side)) ? waitsOfDatabase(wanted(side), problems, clock) : waitsIn(read(side));
  const counts = await orNoEnd(
    format === 'html'
      ? writePage([read(sides[0]), read(sides[1])], options)
      : writeFound([() => waitsOf(sides[0]), () => waitsOf(sides[1])], options, problems.lines),
  );
  if (counts === undefined) return FAILED;
  tellProblems(problems);
  if (!hasFailed(problems))
    for (const [at, side] of sides.entries()) if (counts[at] === 0) await tellNone(wanted(side), problems, clock);
  return counts.includes(0) || hasFailed(problems) ? FAILED : 0;
}

type Streams = readonly [before: AsyncGenerator<Sample>, after: AsyncGenerator<Sample>];

/** Returns how many samples each side has. A file that is there stays as it was if a side has none. */
async function writeFound(
  [before, after]: readonly [before: () => Promise<Waits>, after: () => Promise<Waits>],
  { format, top, file }: DiffOptions,
  problems: readonly string[],
): Promise<readonly number[]> {
  const found = diffOf(await before(), await after());
  const counts = found.sides.map(({ samples }) => samples);
  const isComplete = !counts.includes(0);
  async function* pieces(): AsyncGenerator<string> {
    if (format === 'json') yield formatDiffJson(found, problems);
    else if (isComplete) yield* formatDiff(found, top);
  }
  if (file === undefined) await (format === 'json' ? writePieces : writeProse)(pieces());
  else if (isComplete) await writeFile(file, pieces());
  return counts;
}

/** The same. The page compares by itself. Without a sample on one side, nothing is written. */
async function writePage(streams: Streams, { file, redact }: DiffOptions): Promise<readonly number[]> {
  const redactor = redact ? new Redactor() : undefined;
  const firsts = await Promise.all(streams.map((stream) => stream.next()));
  const counts = firsts.map(({ done }) => (done === true ? 0 : 1));
  if (counts.includes(0)) {
    for (const stream of streams) await stream.return(undefined);
    return counts;
  }
  async function* whole(at: 0 | 1): AsyncGenerator<Sample> {
    const first = firsts[at];
    if (first?.done === false) yield first.value;
    yield* streams[at];
  }
  const shown = (at: 0 | 1) => (redactor === undefined ? whole(at) : redacted(whole(at), redactor));
  const { comparingPage } = await import('../sinks/html.ts');
  const pieces = comparingPage(shown(0), shown(1));
  if (file !== undefined) await writeFile(file, pieces);
  else await writePieces(pieces);
  return counts;
}

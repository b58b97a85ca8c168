import { diff } from '../analysis/diff.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { formatDiff } from '../sinks/diff.ts';
import { formatDiffJson } from '../sinks/diff-json.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, orNoEnd } from './file-samples.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import type { Window } from './time-window.ts';

/** One side of a comparison. */
export interface Side {
  readonly file: string;
  readonly window: Window;
}

export interface DiffOptions {
  readonly format: 'text' | 'json';
  /** How many of each kind to show as text. */
  readonly top: number;
}

/** Compares two files, or two times of one. Returns the exit code: 1 if one of them has no sample. */
export async function diffFiles(
  sides: readonly [before: Side, after: Side],
  selection: Selection | undefined,
  { format, top }: DiffOptions,
): Promise<number> {
  const clock = systemClock();
  const problems = noProblems();
  const [before, after] = sides.map(({ file, window }) =>
    fileSamples({ names: [file], window, selection, verb: 'diff' }, problems, clock),
  );
  if (before === undefined || after === undefined) return FAILED;
  const found = await orNoEnd(diff(before, after));
  if (found === undefined) return FAILED;
  if (format === 'json') writeStdout(formatDiffJson(found, problems.lines));
  else if (found.sides.every(({ samples }) => samples > 0))
    for (const piece of formatDiff(found, top)) writeStdout(piece);
  tellProblems(problems);
  const without = sides.filter(({ file }, at) => found.sides[at]?.samples === 0 && !problems.empty.includes(file));
  if (!hasFailed(problems))
    for (const { file } of without) writeStderr(`kstack: no sample of ${file} is in the time asked for\n`);
  return found.sides.some(({ samples }) => samples === 0) || hasFailed(problems) ? FAILED : 0;
}

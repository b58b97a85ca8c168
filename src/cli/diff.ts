import { diff } from '../analysis/diff.ts';
import { systemClock } from '../native/clock.ts';
import { formatDiff } from '../sinks/diff.ts';
import { writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { mergedSamples, type Problems, tellProblems } from './merged-samples.ts';
import { inWindow, type Window } from './time-window.ts';

/** One side of a comparison. */
export interface Side {
  readonly file: string;
  readonly window: Window;
}

/** Compares two files, or two times of one. Returns the exit code: 1 if one of them has no sample. */
export async function diffFiles(before: Side, after: Side, top: number): Promise<number> {
  const clock = systemClock();
  const { zoneAt } = clock;
  const problems: Problems = { lines: [], empty: [] };
  const samplesOf = ({ file, window }: Side) => inWindow(mergedSamples([file], problems, clock), window, zoneAt);
  const found = await diff(samplesOf(before), samplesOf(after));
  for (const piece of formatDiff(found, top)) writeStdout(piece);
  tellProblems(problems);
  return found.sides.some(({ samples }) => samples === 0) ? FAILED : 0;
}

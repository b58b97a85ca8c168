import { report } from '../analysis/report.ts';
import type { Sample } from '../model/sample.ts';
import { systemClock } from '../native/clock.ts';
import { formatReport } from '../sinks/report.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { mergedSamples, type Problems, tellProblems } from './merged-samples.ts';
import { inWindow, type Window } from './time-window.ts';

/** Reports what happened in files. Returns the exit code: 1 if there is no sample in them. */
export async function reportFiles(names: readonly string[], window: Window, top: number): Promise<number> {
  const clock = systemClock();
  const { zoneAt } = clock;
  const problems: Problems = { lines: [], empty: [] };
  const samples = inWindow(sinceBoot(mergedSamples(names, problems, clock)), window, zoneAt);
  const found = await report(samples);
  if (found.samples > 0) for (const piece of formatReport(found, { zoneAt, top })) writeStdout(piece);
  tellProblems(problems);
  if (found.samples > 0) return 0;
  if (problems.empty.length < names.length) writeStderr('kstack: no sample is in the time asked for\n');
  return FAILED;
}

/** A kernel log without other times still tells how far apart its moments are. */
async function* sinceBoot(samples: AsyncIterable<Sample>): AsyncGenerator<Sample> {
  for await (const sample of samples) {
    const { timeMs, uptimeSeconds } = sample;
    const isTimed = timeMs !== undefined || uptimeSeconds === undefined;
    yield isTimed ? sample : { ...sample, timeMs: Math.round(1000 * uptimeSeconds) };
  }
}

import { report } from '../analysis/report.ts';
import type { Sample } from '../model/sample.ts';
import { systemClock } from '../native/clock.ts';
import { formatReport } from '../sinks/report.ts';
import { formatReportJson } from '../sinks/report-json.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, NoEnd, type Wanted } from './file-samples.ts';
import { hasFailed, noProblems, tellNone, tellProblems } from './merged-samples.ts';

export interface ReportOptions {
  readonly format: 'text' | 'json';
  /** How many of each kind to show as text. */
  readonly top: number;
}

/**
 * Reports what happened in files. Returns the exit code: 1 if there is no sample that is wanted, or if a file gave
 * nothing.
 */
export async function reportFiles(wanted: Wanted, { format, top }: ReportOptions): Promise<number> {
  const clock = systemClock();
  const problems = noProblems();
  const found = await orNoEnd(report(sinceBoot(fileSamples(wanted, problems, clock))));
  if (found === undefined) return FAILED;
  if (format === 'json') for (const piece of formatReportJson(found, problems.lines)) writeStdout(piece);
  else if (found.samples > 0)
    for (const piece of formatReport(found, { zoneAt: clock.zoneAt, top, columns: columns() })) writeStdout(piece);
  tellProblems(problems);
  if (found.samples === 0) tellNone(wanted.names, problems);
  return found.samples === 0 || hasFailed(problems) ? FAILED : 0;
}

/** Undefined, and said on standard error, if a window has no end. */
export async function orNoEnd<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof NoEnd)) throw error;
    writeStderr(`kstack: ${error.message}\n`);
    return undefined;
  }
}

const [LEAST_COLUMNS, MOST_COLUMNS] = [40, 120];

/** A wide terminal is no reason for long lines. Some terminals have 0 columns: they do not know. */
function columns(): number {
  return Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, process.stdout.columns || MOST_COLUMNS));
}

/** A kernel log without other times still tells how far apart its moments are. */
async function* sinceBoot(samples: AsyncIterable<Sample>): AsyncGenerator<Sample> {
  for await (const sample of samples) {
    const { timeMs, uptimeSeconds } = sample;
    const isTimed = timeMs !== undefined || uptimeSeconds === undefined;
    yield isTimed ? sample : { ...sample, timeMs: Math.round(1000 * uptimeSeconds) };
  }
}

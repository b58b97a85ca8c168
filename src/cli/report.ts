import { Redactor } from '../analysis/redact.ts';
import { type Report, report } from '../analysis/times/report.ts';
import type { Fleet } from '../model/fleet.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { systemClock } from '../native/clock.ts';
import { keepHeapSmall } from '../native/heap.ts';
import { formatReport, SHOWN_TASKS } from '../sinks/report.ts';
import { formatReportJson } from '../sinks/report-json.ts';
import { writePieces } from '../terminal/output.ts';
import { writeProse } from '../terminal/prose.ts';
import { convertFiles, isRead } from './convert.ts';
import type { Most } from './database-report.ts';
import { isAddedUp, reportOfDatabase } from './database-sums.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, orNoEnd, type Wanted } from './file-samples.ts';
import { hasFailed, noProblems, type Problems, tellProblems } from './merged-samples.ts';
import { tellNone } from './nothing-found.ts';
import { pageContent } from './page-content.ts';
import { isUnfitForTerminal } from './unfit-for-terminal.ts';
import { writeFile } from './write-file.ts';

export interface ReportOptions {
  readonly format: 'text' | 'json' | 'html';
  /** How many of each kind to show as text. */
  readonly top: number;
  /** Undefined for standard output. */
  readonly file: string | undefined;
  /** Of a page: whether stand-ins replace what tells of people and machines. */
  readonly redact: boolean;
}

/**
 * Reports what happened in files. Returns the exit code: 1 if there is no sample that is wanted, or if a file gave
 * nothing.
 */
export async function reportFiles(wanted: Wanted, options: ReportOptions): Promise<number> {
  const { format, file, redact } = options;
  const clock = systemClock();
  const problems = noProblems();
  if (isUnfitForTerminal(format, file)) return FAILED;
  if (format === 'html') {
    const redactor = redact ? new Redactor() : undefined;
    const content = isAddedUp(wanted) ? await orNoEnd(pageContent(wanted, problems, { clock, redactor })) : undefined;
    if (content?.fleet !== undefined) return await writeFleetPage(content.fleet, content.samples, problems, file);
    if (problems.unread > 0) {
      tellProblems(problems);
      return FAILED;
    }
    // The page adds up itself what it has the samples for.
    return convertFiles(wanted, { format, file, full: false, annotate: false, redact });
  }
  if (file !== undefined && isRead(file, wanted)) return FAILED;
  keepHeapSmall();
  const found = await orNoEnd(
    isAddedUp(wanted)
      ? reportOfDatabase(wanted, mostOf(options), problems, clock)
      : report(sinceBoot(fileSamples(wanted, problems, clock))),
  );
  if (found === undefined) return FAILED;
  const isEmpty = found.samples === 0;
  const pieces = piecesOf(found, options, {
    clock,
    problems: problems.lines,
    isSelection: wanted.selection !== undefined,
  });
  // A file that is there stays as it was.
  if (file === undefined) await (format === 'json' ? writePieces : writeProse)(pieces);
  else if (!isEmpty) await writeFile(file, pieces);
  tellProblems(problems);
  if (isEmpty) await tellNone(wanted, problems, clock);
  return isEmpty || hasFailed(problems) ? FAILED : 0;
}

async function writeFleetPage(
  fleet: Fleet,
  samples: AsyncIterable<Sample>,
  problems: Problems,
  file: string | undefined,
): Promise<number> {
  const { fleetPage } = await import('../sinks/html.ts');
  const pieces = fleetPage(fleet, samples);
  if (file === undefined) await writePieces(pieces);
  else await writeFile(file, pieces);
  tellProblems(problems);
  return hasFailed(problems) ? FAILED : 0;
}

/** What a document has, and what is shown as text: a database gives no more than that. */
function mostOf({ format, top }: ReportOptions): Most {
  return format === 'json' ? { each: MOST_TOLD, tasks: MOST_TOLD } : { each: top, tasks: SHOWN_TASKS };
}

const MOST_TOLD = 1000;

interface Told {
  readonly clock: Clock;
  readonly problems: readonly string[];
  readonly isSelection: boolean;
}

async function* piecesOf(
  found: Report,
  { format, top, file }: ReportOptions,
  { clock, problems, isSelection }: Told,
): AsyncGenerator<string> {
  if (format === 'json') yield* formatReportJson(found, problems);
  else if (found.samples > 0)
    yield* formatReport(found, {
      zoneAt: clock.zoneAt,
      top,
      columns: file === undefined ? columns() : MOST_COLUMNS,
      isSelection,
    });
}

const [LEAST_COLUMNS, MOST_COLUMNS] = [20, 120];

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

import { tableRows } from '../analysis/tables/rows.ts';
import { systemClock } from '../native/clock.ts';
import { formatRows, formatRowsJson } from '../sinks/result-rows.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { writePieces, writeStderr } from '../terminal/output.ts';
import { isRead } from './convert.ts';
import { NoDuckDb, SampleDatabase } from './duckdb.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, orNoEnd, type Wanted } from './file-samples.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import { tellNone } from './nothing-found.ts';
import { writeFile } from './write-file.ts';

export interface SqlOptions {
  readonly statement: string;
  readonly format: 'text' | 'jsonl';
  readonly file: string | undefined;
}

/** Answers a statement from the samples of files. Returns the exit code: 1 if it fails, or if a file gave nothing. */
export async function askFiles(wanted: Wanted, { statement, format, file }: SqlOptions): Promise<number> {
  if (file !== undefined && isRead(file, wanted)) return FAILED;
  let database: SampleDatabase;
  try {
    database = await SampleDatabase.open();
  } catch (error) {
    if (!(error instanceof NoDuckDb)) throw error;
    writeStderr(`kstack: ${error.message}\n`);
    return FAILED;
  }
  try {
    const problems = noProblems();
    const clock = systemClock();
    const count = await orNoEnd(fill(database, fileSamples(wanted, problems, clock)));
    if (count === undefined) return FAILED;
    tellProblems(problems);
    if (count === 0) await tellNone(wanted, problems, clock);
    const isAnswered = await answer(database, { statement, format, file });
    return !isAnswered || count === 0 || hasFailed(problems) ? FAILED : 0;
  } finally {
    database.close();
  }
}

/** Returns how many samples there are. */
async function fill(database: SampleDatabase, samples: ReturnType<typeof fileSamples>): Promise<number> {
  let count = 0;
  for await (const row of tableRows(samples)) {
    if (row.table === 'samples') count++;
    database.add(row);
  }
  database.finish();
  return count;
}

/** Whether the statement was run: what the database says about it is told. */
async function answer(database: SampleDatabase, { statement, format, file }: SqlOptions): Promise<boolean> {
  let result: Awaited<ReturnType<SampleDatabase['query']>>;
  try {
    result = await database.query(statement);
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n');
    for (const line of lines) if (line.trim() !== '') writeStderr(`kstack: ${escapeUnsafe(line)}\n`);
    return false;
  }
  const pieces = format === 'jsonl' ? formatRowsJson(result) : formatRows(result);
  if (file !== undefined) await writeFile(file, pieces);
  else await writePieces(pieces);
  return true;
}

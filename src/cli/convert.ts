import { fstatSync, realpathSync, statSync } from 'node:fs';
import { redacted } from '../analysis/redact.ts';
import { codeOf } from '../files/files.ts';
import { systemClock } from '../native/clock.ts';
import { loadFormat } from '../sinks/formats.ts';
import { mayColour, writePieces, writeStderr } from '../terminal/output.ts';
import { writeProse } from '../terminal/prose.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, orNoEnd, type Wanted } from './file-samples.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import { tellNone } from './nothing-found.ts';
import type { OutputOptions } from './output-options.ts';
import { DASH } from './read-once.ts';
import { isUnfitForTerminal } from './unfit-for-terminal.ts';
import { writeFile } from './write-file.ts';

const STDIN = 0;

/** Whether writing to a file would replace one that is read, by its name or as standard input. */
function isSameFile(input: string, target: string): boolean {
  try {
    if (input !== DASH) return realpathSync(input) === realpathSync(target);
    const [one, other] = [fstatSync(STDIN), statSync(target)] as const;
    return one.isFile() && one.dev === other.dev && one.ino === other.ino;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}

/** Whether a file to write is one of those to read, and says so. */
export function isRead(target: string, { names, verb }: Pick<Wanted, 'names' | 'verb'>): boolean {
  if (!names.some((name) => isSameFile(name, target))) return false;
  writeStderr(`kstack: ${target} is one of the files to ${verb}; give another name with -o\n`);
  return true;
}

/**
 * Writes the samples of files in another format. Returns the exit code: 1 if there are none, or if a file gave nothing.
 */
export async function convertFiles(wanted: Wanted, output: OutputOptions): Promise<number> {
  const target = output.file;
  if (target !== undefined && isRead(target, wanted)) return FAILED;
  const format = await loadFormat(output.format);
  if (isUnfitForTerminal(output.format, target, format)) return FAILED;
  const clock = systemClock();
  const { zoneAt } = clock;
  const problems = noProblems();
  const colour = output.file === undefined && mayColour(process.env);
  const written = async () => {
    const whole = fileSamples(wanted, problems, clock);
    const read = output.redact ? redacted(whole) : whole;
    const first = await read.next();
    // A file that is there stays as it was, and nobody wants a page or a profile of nothing.
    if (first.done === true) return { isEmpty: true };
    const { value } = first;
    async function* samples() {
      yield value;
      yield* read;
    }
    const { full, annotate, table } = output;
    const pieces = format.write(samples(), { zoneAt, colour, full, annotate, ...(table !== undefined && { table }) });
    if (target !== undefined) await writeFile(target, pieces);
    else await (format.prose === true ? writeProse : writePieces)(pieces);
    return { isEmpty: false };
  };
  const done = await orNoEnd(written());
  if (done === undefined) return FAILED;
  tellProblems(problems);
  if (done.isEmpty) await tellNone(wanted, problems, clock);
  return done.isEmpty || hasFailed(problems) ? FAILED : 0;
}

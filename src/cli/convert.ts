import { realpathSync } from 'node:fs';
import { codeOf } from '../files/files.ts';
import { systemClock } from '../native/clock.ts';
import { loadFormat } from '../sinks/formats.ts';
import { isTerminal, mayColour, writeStderr, writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, type Wanted } from './file-samples.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import type { OutputOptions } from './output-options.ts';
import { orNoEnd } from './report.ts';
import { writeFile } from './write-file.ts';

const STDOUT = 1;

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}

/**
 * Writes the samples of files in another format. Returns the exit code: 1 if there are none, or if a file gave nothing.
 */
export async function convertFiles(wanted: Wanted, output: OutputOptions): Promise<number> {
  const { names } = wanted;
  const target = output.file;
  if (target !== undefined && names.some((name) => isSameFile(name, target))) {
    writeStderr(`kstack: ${target} is one of the files to convert; give another name with -o\n`);
    return FAILED;
  }
  const format = await loadFormat(output.format);
  if (format.binary && output.file === undefined && isTerminal(STDOUT)) {
    writeStderr(`kstack: ${output.format} is a binary format: write it to a file with -o, or redirect the output\n`);
    return FAILED;
  }
  const clock = systemClock();
  const { zoneAt } = clock;
  const problems = noProblems();
  let count = 0;
  async function* samples() {
    for await (const sample of fileSamples(wanted, problems, clock)) {
      count++;
      yield sample;
    }
  }
  const colour = output.file === undefined && mayColour(process.env);
  const pieces = format.write(samples(), { zoneAt, colour, full: output.full, annotate: output.annotate });
  const written = async () => {
    if (output.file !== undefined) await writeFile(output.file, pieces);
    else for await (const piece of pieces) writeStdout(piece);
    return true;
  };
  if ((await orNoEnd(written())) === undefined) return FAILED;
  tellProblems(problems);
  return count === 0 || hasFailed(problems) ? FAILED : 0;
}

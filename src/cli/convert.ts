import { realpathSync } from 'node:fs';
import { codeOf } from '../files/files.ts';
import { systemClock } from '../native/clock.ts';
import { loadFormat } from '../sinks/formats.ts';
import { isTerminal, mayColour, writeStderr, writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { mergedSamples, type Problems, tellProblems } from './merged-samples.ts';
import type { OutputOptions } from './output-options.ts';
import { inWindow, type Window } from './time-window.ts';
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

/** Writes the samples of files in another format. Returns the exit code: 1 if there are none. */
export async function convertFiles(names: readonly string[], window: Window, output: OutputOptions): Promise<number> {
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
  const problems: Problems = { lines: [], empty: [] };
  let count = 0;
  async function* samples() {
    for await (const sample of inWindow(mergedSamples(names, problems, clock), window, zoneAt)) {
      count++;
      yield sample;
    }
  }
  const colour = output.file === undefined && mayColour(process.env);
  const pieces = format.write(samples(), { zoneAt, colour, full: output.full, annotate: output.annotate });
  if (output.file !== undefined) await writeFile(output.file, pieces);
  else for await (const piece of pieces) writeStdout(piece);
  tellProblems(problems);
  return count === 0 ? FAILED : 0;
}

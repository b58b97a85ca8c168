import { closeSync, openSync, readSync } from 'node:fs';
import type { Sample } from '../model/sample.ts';
import { systemClock } from '../native/clock.ts';
import { decodeBytes } from '../native/decode.ts';
import { format } from '../sinks/explanation.ts';
import { textSamples } from '../sources/text/index.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';

const STDIN = 0;
const MOST_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Counts for the messages at the end. */
interface Found {
  stacks: number;
  guesses: number;
  lines: number;
  whole: boolean;
}

/**
 * Explains the stacks in a file or on standard input. Returns the exit code: 1 if there are none.
 * @throws Error if the file cannot be read
 */
export async function explainFile(name: string | undefined, why: boolean): Promise<number> {
  const found: Found = { stacks: 0, guesses: 0, lines: 0, whole: true };
  const context = { zoneAt: systemClock().zoneAt, colour: false, full: why, annotate: false };
  const pieces: string[] = [];
  for await (const piece of format.write(counted(textSamples(chunksOf(name, found)), found), context))
    pieces.push(String(piece));
  if (found.stacks === 0) {
    writeStderr(`kstack: nothing in ${name ?? 'the input'} looks like a kernel stack\n`);
    return 1;
  }
  for (const piece of pieces) writeStdout(piece);
  const { guesses, lines, whole } = found;
  if (guesses > 0)
    writeStderr(
      `kstack: ${guesses} frame${guesses === 1 ? '' : 's'} marked ? left out: they may be left over from earlier calls\n`,
    );
  if (lines > 0)
    writeStderr(
      `kstack: ${lines} ${lines === 1 ? 'line or stack' : 'lines or stacks'} left out: too long, or too many\n`,
    );
  if (!whole) writeStderr(`kstack: only the first ${MOST_BYTES / 1024 / 1024} MiB were read\n`);
  return 0;
}

async function* counted(samples: AsyncIterable<Sample>, found: Found): AsyncGenerator<Sample> {
  for await (const sample of samples) {
    found.stacks += sample.observations.length;
    found.guesses += sample.leftOut.guessedFrames ?? 0;
    found.lines += sample.leftOut.lines ?? 0;
    yield sample;
  }
}

/** The text in pieces that end at line ends. */
function* chunksOf(name: string | undefined, found: Found): Generator<string> {
  const fd = name === undefined ? STDIN : openSync(name, 'r');
  let rest = Buffer.alloc(0);
  let left = MOST_BYTES;
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(fd, chunk);
      if (length === 0) break;
      if (length > left) found.whole = false;
      const bytes = Buffer.concat([rest, chunk.subarray(0, Math.min(length, left))]);
      left -= Math.min(length, left);
      // A line this long is ignored anyway, so it may be split.
      const end = bytes.length > LONGEST_LINE ? bytes.length : bytes.lastIndexOf(LINE_END) + 1;
      if (end > 0) yield decodeBytes(bytes.subarray(0, end));
      rest = bytes.subarray(end);
      if (!found.whole) break;
    }
    if (rest.length > 0) yield decodeBytes(rest);
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
}

const LINE_END = 10;
const LONGEST_LINE = 2 * CHUNK_BYTES;

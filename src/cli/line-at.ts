import { InputError, inputBytes } from '../files/input-file.ts';
import { decoded, type InputNotes } from '../sources/text/wrapping/decoded.ts';
import { shownName } from '../terminal/escape.ts';
import { DASH, isReadOnce } from './read-once.ts';

/** Bounds time: what is read once more. */
const MOST_BYTES = 1 << 30;
const LINE_FEED = 10;

/** What of a classic log is torn, or not as kstack writes it: in `FILE:LINE`, or at a byte of what is read once. */
export async function toldOdd(name: string, { count, at }: NonNullable<InputNotes['odd']>): Promise<string> {
  const line = await lineAt(name, at);
  const shown = name === DASH ? 'the input' : shownName(name);
  const place = line === undefined ? shown : `${shown}:${line}`;
  const there = line === undefined ? `at byte ${at}` : 'there';
  return count === 1
    ? `${place}: the sample ${there} is torn, or was changed: it was read as far as that goes`
    : `${place}: ${count} samples are torn, or were changed, the first ${there}: they were read as far as that goes`;
}

/** The line of a place in what a file has, unpacked; undefined if that is gone, or far behind. */
async function lineAt(name: string, at: number): Promise<number | undefined> {
  if (isReadOnce(name) || at > MOST_BYTES) return undefined;
  let line = 1;
  let from = 0;
  try {
    for await (const chunk of decoded(inputBytes(name), {})) {
      const to = Math.min(chunk.length, at - from);
      for (let next = chunk.indexOf(LINE_FEED); next !== -1 && next < to; next = chunk.indexOf(LINE_FEED, next + 1))
        line++;
      from += chunk.length;
      if (from > at) return line;
    }
  } catch (error) {
    // It was there a moment ago.
    if (!(error instanceof InputError)) throw error;
  }
  return undefined;
}

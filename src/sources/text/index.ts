import type { Sample } from '../../model/sample.ts';
import { ClassicLog } from './classic/classic-log.ts';
import { InternedStacks } from './interned.ts';
import { TextParts } from './text-parts.ts';
import { decoded, type InputNotes } from './wrapping/decoded.ts';
import { encoded } from './wrapping/lines.ts';

export { InternedStacks } from './interned.ts';
export { TextParts } from './text-parts.ts';
export { decoded, type InputNotes, PackedInput } from './wrapping/decoded.ts';

export interface TextOptions {
  /** Learns about the input as a whole. */
  readonly notes?: InputNotes;
  /** Those of other texts, if equal stacks are to be one object in all of them. */
  readonly stacks?: InternedStacks;
  /** Names of functions that the kernel has, for stacks that are names and nothing else. */
  readonly known?: ReadonlySet<string>;
  /**
   * Unix milliseconds of a clock without a zone, and without a year if that is 2000. Absent: such a text has no times.
   */
  readonly assumeTimeMs?: (clockMs: number) => number;
  /** Learns what of a sample of kstack's own is not as kstack writes it, and in which line, if that is known. */
  readonly malformed?: (line: number | undefined, why: string) => void;
}

/**
 * Reads the stacks in a text of any known format, or a mix of formats, packed and encoded in any known way: see
 * docs/explain.md. Yields one sample for everything written at the same moment, and each sample of kstack's own
 * formats. What the text does not contain is absent. Memory is bounded, whatever the size of the text.
 * @param chunks the text in pieces of any size
 * @throws PackedInput if another program has to unpack it
 */
export async function* textSamples(
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  { notes = {}, stacks = new InternedStacks(), known, assumeTimeMs, malformed }: TextOptions = {},
): AsyncGenerator<Sample, void> {
  const parts = new TextParts(stacks, notes, { known, assumeTimeMs, malformed });
  const log = new ClassicLog();
  for await (const chunk of decoded(bytesOf(chunks), notes)) {
    log.take(chunk);
    yield* parts.take(log.found.splice(0));
  }
  log.end();
  if (log.odd.count > 0) notes.odd = log.odd;
  yield* parts.take(log.found.splice(0));
  yield* parts.end();
}

async function* bytesOf(
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  // Half of a character may end a piece.
  let half = '';
  for await (const chunk of chunks) {
    if (typeof chunk !== 'string') {
      yield chunk;
      continue;
    }
    const text = half + chunk;
    half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : '';
    yield encoded(text.slice(0, text.length - half.length));
  }
  if (half !== '') yield encoded(half);
}

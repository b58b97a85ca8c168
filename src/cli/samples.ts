import { inputBytes } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import { linesOf } from '../recording/lines.ts';
import { HEAD, recordedSamples } from '../recording/read.ts';
import { decoded, type InputNotes, type InternedStacks, textSamples } from '../sources/text/index.ts';

/** On the command line, the name of standard input. */
export const DASH = '-';

export interface SamplesOptions {
  /** Learns about the file as a whole. */
  readonly notes: InputNotes;
  /** Those of other files, if equal stacks are to be one object in all of them. */
  readonly stacks: InternedStacks;
  /** Names of functions that the kernel has. */
  readonly known: ReadonlySet<string>;
  /** See TextOptions. */
  readonly assumeTimeMs?: (clockMs: number) => number;
  /** Called with what is damaged in a recording. */
  damaged(text: string): void;
}

/**
 * The samples in a file, whatever wrote it: kstack record, kstack in another format, or any other tool.
 * @throws Error naming the file if it cannot be read; PackedInput if another program has to unpack it
 */
export async function* samplesOf(name: string, options: SamplesOptions): AsyncGenerator<Sample> {
  const { damaged, ...textOptions } = options;
  const { head, chunks } = await withHead(decoded(inputBytes(name === DASH ? undefined : name), options.notes));
  if (head.toString('latin1') !== HEAD) {
    yield* textSamples(chunks, textOptions);
    return;
  }
  yield* recordedSamples(linesOf(chunks), (line, why) => damaged(`${name}:${line}: ${why}`));
}

/** The first bytes, and all of them. */
async function withHead(chunks: AsyncIterable<Buffer>): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  while (length < HEAD.length) {
    const next = await iterator.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* first;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(first).subarray(0, HEAD.length), chunks: all() };
}

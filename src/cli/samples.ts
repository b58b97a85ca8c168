import { InputError, inputBytes } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import { linesOf } from '../recording/lines.ts';
import { isPackedRecording, unpackedSegments } from '../recording/members.ts';
import { HEAD, recordedSamples } from '../recording/read.ts';
import { decoded, type InputNotes, type InternedStacks, PackedInput, textSamples } from '../sources/text/index.ts';

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
  const { head, chunks } = await withHead(inputBytes(name === DASH ? undefined : name));
  const tell = (line: number, why: string) => damaged(`${name}:${line}: ${why}`);
  if (isPackedRecording(head)) {
    const lost = (offset: number) =>
      damaged(`${name}: the segment at byte ${offset} is damaged: the rest of it is lost`);
    yield* recordedSamples(linesOf(unpackedSegments(chunks, lost)), tell);
  } else if (head.toString('latin1', 0, HEAD.length) === HEAD) {
    yield* recordedSamples(linesOf(chunks), tell);
  } else {
    yield* textSamples(decoded(chunks, options.notes), textOptions);
  }
}

const HEAD_BYTES = 64 * 1024;

/** The first bytes, and all of them. */
async function withHead(chunks: AsyncIterable<Buffer>): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* first;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(first), chunks: all() };
}

/**
 * Why nothing of a file was read, with the way out; undefined for an error that is not about the file.
 * @param verb the command that is to read it
 */
export function whyUnread(error: unknown, name: string, verb: string): string | undefined {
  if (error instanceof InputError) return error.message;
  return error instanceof PackedInput ? `${error.message}: ${error.command} ${name} | kstack ${verb} -` : undefined;
}

import { CredentialsError } from '../clickhouse/credentials.ts';
import { ClickHouseFailure } from '../clickhouse/failure.ts';
import { InputError, inputBytes, type NamedBy, openSeekable } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import { beginsBundle, beginsPackedBundle, recordingIn } from '../recording/bundle.ts';
import { Interned } from '../recording/decode.ts';
import { mayHave, regionsOf } from '../recording/index.ts';
import { linesOf } from '../recording/lines.ts';
import { isPackedRecording, unpackedSegments } from '../recording/members.ts';
import { HEAD, recordedSamples } from '../recording/read.ts';
import type { InternedStacks } from '../sources/text/interned.ts';
import { decoded, type InputNotes, PackedInput } from '../sources/text/wrapping/decoded.ts';
import { escapeUnsafe, shownName } from '../terminal/escape.ts';
import { isTerminal, writeStderr } from '../terminal/output.ts';
import type { ClassicThread } from './classic-thread.ts';
import { NoThread } from './no-thread.ts';
import { DASH } from './read-once.ts';
import { endsAsRecording } from './recording-end.ts';
import type { Bounds } from './time-window.ts';

const STDIN = 0;

export interface SamplesOptions extends NamedBy {
  /** Learns about the file as a whole. */
  readonly notes: InputNotes;
  /** Those of other files, if equal stacks are to be one object in all of them. */
  readonly stacks: InternedStacks;
  /** Names of functions that the kernel has. */
  known(): ReadonlySet<string>;
  /** See TextOptions. */
  readonly assumeTimeMs?: (clockMs: number) => number;
  /** The times that are wanted: of a recording that is a file, only their segments are read. */
  readonly bounds?: Bounds;
  /** Called with what is damaged in a recording. */
  damaged(text: string): void;
  /** Called if the file is a recording of which only some segments are read. */
  sought?(): void;
  /** Called with the number of bytes of the file that were read. */
  read?(bytes: number): void;
  /** Reads the file already. */
  readonly thread?: ClassicThread;
}

/**
 * The samples in a file, whatever wrote it: kstack record, kstack in another format, or any other tool. Samples out of
 * the bounds may be among them.
 * @throws Error naming the file if it cannot be read; PackedInput if another program has to unpack it
 */
export async function* samplesOf(name: string, options: SamplesOptions): AsyncGenerator<Sample> {
  const { damaged, bounds, read = () => undefined, thread, notes, stacks, known, assumeTimeMs } = options;
  if (bounds !== undefined && name !== DASH) {
    const samples = soughtSamples(name, bounds, options);
    if (samples !== undefined) {
      options.sought?.();
      return yield* samples;
    }
  }
  if (name === DASH && isTerminal(STDIN))
    writeStderr('kstack: reading from the terminal: paste here what to read, then press Ctrl-D\n');
  if (thread !== undefined) {
    const { TextParts } = await import('../sources/text/index.ts');
    try {
      return yield* thread.samples(new TextParts(stacks, notes, { known: known(), assumeTimeMs }), { notes, read });
    } catch (error) {
      if (!(error instanceof NoThread)) throw error;
    }
  }
  let isRecording = false;
  let isBundle = false;
  const isKept = (first: Buffer) => {
    // Parts of it may look like a recording from outside.
    if (beginsPackedBundle(first)) return false;
    isBundle = beginsBundle(first);
    isRecording = isBundle || isPackedRecording(first) || (name !== DASH && endsAsRecording(name, options));
    return isRecording;
  };
  const bytes = counted(inputBytes(name === DASH ? undefined : name, options), read);
  const { head, chunks } = await withHead(decoded(bytes, notes, isKept));
  const tell = (line: number | undefined, why: string) =>
    damaged(line === undefined ? `${shownName(name)}: ${why}` : `${shownName(name)}:${line}: ${why}`);
  if (isRecording) {
    const lost = (offset: number) => damaged(damageAt(name, offset));
    const recording = isBundle ? recordingIn(chunks) : chunks;
    notes.isRecording = true;
    yield* recordedSamples(linesOf(unpackedSegments(recording, lost, cutIn(notes))), tell);
  } else if (head.toString('latin1', 0, HEAD.length) === HEAD) {
    notes.isRecording = true;
    yield* recordedSamples(linesOf(chunks), tell);
  } else {
    // Recordings do without, so it is loaded here.
    const { textSamples } = await import('../sources/text/index.ts');
    yield* textSamples(chunks, {
      notes,
      stacks,
      known: known(),
      malformed: tell,
      ...(assumeTimeMs && { assumeTimeMs }),
    });
  }
}

function damageAt(name: string, offset: number): string {
  return `${shownName(name)}: the segment at byte ${offset} is damaged: the rest of it is lost`;
}

function cutIn(notes: InputNotes): (offset: number) => void {
  return (offset) => {
    notes.cut = `it ends within a sample, at byte ${offset}: it was read as far as that goes`;
  };
}

async function* counted(chunks: AsyncIterable<Buffer>, read: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    read(chunk.length);
    yield chunk;
  }
}

/** Opens a packed recording whose trailers tell where its segments are; undefined for anything else. */
function openRecording(name: string, by: NamedBy, read: (bytes: number) => void = () => undefined) {
  const file = openSeekable(name, by);
  if (file === undefined) return undefined;
  const readAt = (offset: number, length: number) => {
    const bytes = file.readAt(offset, length);
    read(bytes.length);
    return bytes;
  };
  const begin = readAt(0, SEEK_HEAD_BYTES);
  const isPacked = isPackedRecording(begin) && !beginsPackedBundle(begin);
  const regions = isPacked ? regionsOf(readAt, file.sizeBytes) : undefined;
  if (regions === undefined) file.close();
  return regions && { regions, readAt, close: () => file.close() };
}

/** The samples of the segments within bounds; undefined if the file has no index. */
function soughtSamples(name: string, bounds: Bounds, options: SamplesOptions): AsyncGenerator<Sample> | undefined {
  const recording = openRecording(name, options, options.read);
  return recording && samplesIn(name, recording, bounds, options);
}

type Recording = NonNullable<ReturnType<typeof openRecording>>;

async function* samplesIn(
  name: string,
  { regions, readAt, close }: Recording,
  { fromMs, toMs }: Bounds,
  { damaged, notes }: Pick<SamplesOptions, 'damaged' | 'notes'>,
): AsyncGenerator<Sample> {
  const interned = new Interned();
  try {
    for (const [at, region] of regions.entries()) {
      if (!mayHave(region, regions[at - 1], fromMs, toMs)) continue;
      const chunks = async function* () {
        for (let from = region.from; from < region.to; from += CHUNK_BYTES)
          yield readAt(from, Math.min(CHUNK_BYTES, region.to - from));
      };
      const lost = (offset: number) => damaged(damageAt(name, region.from + offset));
      const tell = (line: number, why: string) =>
        damaged(
          `${shownName(name)}: line ${line} of the segment at byte ${region.entry?.offset ?? region.from}: ${why}`,
        );
      const cut = cutIn(notes);
      const segments = unpackedSegments(chunks(), lost, (offset) => cut(region.from + offset));
      yield* recordedSamples(linesOf(segments), tell, interned);
    }
  } finally {
    close();
  }
}

/** The times of the first and the last sample of a file; undefined if none has one. */
export interface Span {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * When a file begins and ends. Of a recording with an index, only its ends are read.
 * @throws Error naming the file if it cannot be read
 */
export async function spanOf(name: string, options: SamplesOptions): Promise<Span | undefined> {
  const recording = openRecording(name, options);
  if (recording !== undefined) {
    const times = recording.regions.flatMap(({ entry }) => [entry?.fromMs ?? [], entry?.toMs ?? []]).flat();
    const written = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
    for await (const { timeMs } of samplesIn(name, recording, written, options))
      if (timeMs !== undefined) times.push(timeMs);
    const [firstMs] = times;
    return firstMs === undefined ? undefined : { firstMs, lastMs: times.reduce((a, b) => Math.max(a, b), firstMs) };
  }
  let span: Span | undefined;
  for await (const sample of samplesOf(name, options)) span = spanWith(span, sample);
  return span;
}

/** The span with one more sample. */
export function spanWith(span: Span | undefined, { timeMs }: Sample): Span | undefined {
  if (timeMs === undefined) return span;
  if (span !== undefined && timeMs <= span.lastMs) return span;
  return { firstMs: span?.firstMs ?? timeMs, lastMs: timeMs };
}

const CHUNK_BYTES = 1 << 20;
const SEEK_HEAD_BYTES = 4096;
const HEAD_BYTES = 64 * 1024;

/** The first bytes, and all of them. */
async function withHead(chunks: AsyncIterable<Buffer>): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    // The next one may replace it.
    first.push(Buffer.from(next.value));
    length += next.value.length;
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* first;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { head: Buffer.concat(first), chunks: all() };
}

/** That nothing of a file was read, and why. The message of a file that cannot be read names it. */
export function toldUnread(error: unknown, shown: string, why: string): string {
  return error instanceof InputError ? why : `nothing in ${shown} was read: ${why}`;
}

/**
 * Why nothing of a file was read, with the way out; undefined for an error that is not about the file.
 * @param verb the command that is to read it
 */
export function whyUnread(error: unknown, name: string, verb: string): string | undefined {
  if (error instanceof InputError || error instanceof ClickHouseFailure || error instanceof CredentialsError)
    return escapeUnsafe(error.message);
  return error instanceof PackedInput
    ? `${error.message}: ${error.command} ${shownName(name)} | kstack ${verb} -`
    : undefined;
}

/**
 * Why there is no sample in a file, as the end of a sentence that begins with the file's name; undefined if it has a
 * form that is not known.
 */
export function whyNoSample({ isEmpty, isRecording }: InputNotes): string | undefined {
  if (isEmpty === true) return 'is empty';
  return isRecording === true ? 'is a recording that ends before its first sample is complete' : undefined;
}

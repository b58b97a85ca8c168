import { StringDecoder } from 'node:string_decoder';
import * as zlib from 'node:zlib';
import { type Kind, kindOf } from './magic.ts';

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The input has to be unpacked by another program. */
export class PackedInput extends Error {
  /** What unpacks the file to standard output, without the file's name. */
  readonly command: string;

  constructor(format: string, command: string) {
    super(`it is packed with ${format}`);
    this.command = command;
  }
}

/** Learns about the input as a whole. */
export interface InputNotes {
  /** The first bytes, after unpacking. */
  kind?: Kind;
  /** Set if the data ends early, or goes on with something that cannot be unpacked. One sentence. */
  cut?: string;
  /** Samples of a classic log that are torn, or not quite as kstack writes them, and where the first one begins. */
  odd?: { readonly count: number; readonly at: number };
  isEmpty?: true;
  isRecording?: true;
  /** Set if there are folded stacks, which have neither times nor states. */
  folded?: true;
}

/** Enough to tell UTF-16 from other bytes, and for every magic. */
const HEAD_BYTES = 512;
/** What isKept is shown, unless there is less. */
const MOST_HEAD_BYTES = 64 * 1024;
/** A file packed more often than that was made to keep its readers busy. */
const MOST_LAYERS = 3;

/**
 * Text as UTF-8, whatever it was packed and encoded with: gzip, also of several members, zstd where the runtime has it,
 * and UTF-16 of both byte orders. Other bytes are passed on. Data that is cut off is read as far as it goes, and
 * `notes` say so.
 * @param isKept whether data that begins so is passed on as it is
 * @throws PackedInput if only another program can unpack it
 */
export function decoded(
  chunks: Chunks,
  notes: InputNotes,
  isKept?: (head: Buffer) => boolean,
): AsyncGenerator<Buffer, void> {
  return decodedLayer(chunks, notes, isKept, MOST_LAYERS);
}

async function* decodedLayer(
  chunks: Chunks,
  notes: InputNotes,
  isKept: ((head: Buffer) => boolean) | undefined,
  layers: number,
): AsyncGenerator<Buffer, void> {
  const { all, rest } = await withHead(chunks, isKept === undefined ? HEAD_BYTES : MOST_HEAD_BYTES);
  if (all.length === 0) notes.isEmpty = true;
  const head = all.subarray(0, HEAD_BYTES);
  const kind = kindOf(head);
  if (kind !== undefined) notes.kind = kind;
  if (kind?.what === 'packed') throw new PackedInput(kind.name, kind.command);
  if (isKept?.(all) === true) {
    yield* rest;
    return;
  }
  if ((kind?.what === 'gzip' || kind?.what === 'zstd') && layers > 0) {
    const { what } = kind;
    const unpacker = what === 'gzip' ? zlib.createGunzip({ chunkSize: UNPACKED_PIECE }) : zstdUnpacker();
    if (unpacker === undefined) throw new PackedInput('zstd', 'zstd -dc');
    delete notes.kind;
    yield* decodedLayer(unpacked(rest, unpacker, what, notes), notes, isKept, layers - 1);
    return;
  }
  const encoding = encodingOf(head);
  if (encoding === undefined) yield* rest;
  else yield* fromUtf16(rest, encoding);
}

/** Node.js has it from 22.15 on. */
function zstdUnpacker(): zlib.Gunzip | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return isFactory(create) ? create() : undefined;
}

function isFactory(value: unknown): value is () => zlib.Gunzip {
  return typeof value === 'function';
}

/** The first bytes, and all of them again in pieces. */
async function withHead(chunks: Chunks, atLeast: number): Promise<{ all: Buffer; rest: AsyncGenerator<Buffer, void> }> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < atLeast) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    // The next one may replace it.
    first.push(Buffer.from(value));
    length += value.length;
  }
  const all = Buffer.concat(first);
  const rest = async function* () {
    try {
      if (all.length > 0) yield all;
      for (;;) {
        const { done, value } = await iterator.next();
        if (done === true) return;
        yield asBuffer(value);
      }
    } finally {
      await iterator.return?.();
    }
  };
  return { all, rest: rest() };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Bytes to unpack at once: gzip makes up to 1000 times of them, which has to fit into memory, and what a damaged piece
 * unpacks to is lost up to its beginning.
 */
const PACKED_PIECE = 4 * 1024;
/** Memory for what a piece unpacks to is taken so much at a time: with less, a log takes a third longer. */
const UNPACKED_PIECE = 128 * 1024;

/** What can be unpacked. A stream that fails has given all it could before, so nothing is lost at the end. */
async function* unpacked(
  chunks: AsyncIterable<Buffer>,
  unpacker: zlib.Gunzip,
  name: string,
  notes: InputNotes,
): AsyncGenerator<Buffer, void> {
  const pieces: Buffer[] = [];
  let failure: Error | undefined;
  unpacker.on('data', (piece: Buffer) => pieces.push(piece));
  unpacker.on('error', (error: Error) => {
    failure ??= error;
  });
  const closed = new Promise<void>((resolve) => unpacker.once('close', resolve));
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length && failure === undefined; at += PACKED_PIECE) {
        await written(unpacker, chunk.subarray(at, at + PACKED_PIECE), closed);
        yield* pieces.splice(0);
      }
      if (failure !== undefined) break;
    }
    unpacker.end();
    await closed;
    yield* pieces;
    if (failure !== undefined) notes.cut = whyCut(failure, name);
  } finally {
    unpacker.destroy();
  }
}

function written(unpacker: zlib.Gunzip, piece: Buffer, closed: Promise<void>): Promise<void> {
  // A stream that fails calls back in Node.js; in case another runtime does not, it is closed at least.
  return Promise.race([new Promise<void>((resolve) => unpacker.write(piece, () => resolve())), closed]);
}

function whyCut(failure: Error, name: string): string {
  const isShort = 'code' in failure && failure.code === 'Z_BUF_ERROR';
  return isShort
    ? `the ${name} data ends early: what comes before its end was read`
    : `the ${name} data is damaged: what comes before that was read`;
}

type Utf16 = 'little' | 'big';

/** By the byte order mark; without one, ASCII characters show themselves by their zeros. */
function encodingOf(head: Buffer): Utf16 | undefined {
  if (head.length < 2) return undefined;
  const mark = head.readUInt16BE(0);
  if (mark === 0xfffe) return 'little';
  if (mark === 0xfeff) return 'big';
  const pairs = Math.floor(head.length / 2);
  const zeros = [0, 0];
  for (let at = 0; at < 2 * pairs; at++) if (head[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (odd > 0.8 * pairs && even < 0.1 * pairs) return 'little';
  if (even > 0.8 * pairs && odd < 0.1 * pairs) return 'big';
  return undefined;
}

async function* fromUtf16(chunks: AsyncIterable<Buffer>, order: Utf16): AsyncGenerator<Buffer, void> {
  const decoder = new StringDecoder('utf16le');
  let odd = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([odd, chunk]);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 2));
    odd = Buffer.from(bytes.subarray(whole.length));
    yield Buffer.from(decoder.write(order === 'big' ? whole.swap16() : whole));
  }
  yield Buffer.from(decoder.end());
}

import { constants, crc32, createGunzip, gunzipSync } from 'node:zlib';
import { HEAD } from './read.ts';
import { entryIn, nextTrailer, TRAILER_BYTES } from './trailer.ts';

/** A segment has less, compressed. */
const MAX_REGION_BYTES = 64 << 20;
/** What a damaged segment unpacks to is kept up to a piece of this size before the damage. */
const SALVAGE_BYTES = 256;
const LINE_FEED = 10;
/** How zlib begins a member of a recording. A recording that goes on after a crash has one in the middle of a region. */
const MEMBER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

/** Whether a file that begins with these bytes is a recording, packed as kstack record writes it. */
export function isPackedRecording(head: Buffer): boolean {
  if (head[0] !== MEMBER[0] || head[1] !== MEMBER[1]) return false;
  if (nextTrailer(head, 0) !== -1) return true;
  try {
    const next = head.indexOf(MEMBER, 1);
    return unpack(head.subarray(0, next === -1 ? head.length : next)).toString('latin1', 0, HEAD.length) === HEAD;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return false;
  }
}

/**
 * The lines in the bytes of a packed recording, in pieces of whole lines. Damage costs the rest of its segment.
 * @param damaged is called with the place of a segment that could not be unpacked to its end
 */
export async function* unpackedSegments(
  chunks: AsyncIterable<Uint8Array>,
  damaged: (offset: number) => void,
): AsyncGenerator<Buffer> {
  let pending: Buffer = Buffer.alloc(0);
  let offset = 0;
  let searched = 0;
  const take = async function* (bytes: number, isLast: boolean): AsyncGenerator<Buffer> {
    let isTold = false;
    yield* membersIn(pending.subarray(0, bytes), isLast, (at) => {
      isTold = true;
      damaged(offset + at);
    });
    const entry = isLast ? undefined : entryIn(pending.subarray(bytes));
    if (entry !== undefined && !isTold && entry.bytes <= bytes) {
      const segment = pending.subarray(bytes - entry.bytes, bytes);
      if (crc32(segment) !== entry.crc) damaged(offset + bytes - entry.bytes);
    }
    pending = pending.subarray(bytes);
    offset += bytes;
    searched = 0;
  };
  let room: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const length = pending.length + chunk.length;
    // What is pending stands at the end of what is used of the room, unless that is full.
    const used = pending.byteOffset - room.byteOffset + pending.length;
    if (pending.buffer !== room.buffer || used + chunk.length > room.length) {
      room = Buffer.alloc(Math.max(1 << 17, 2 * length));
      pending.copy(room);
      pending = room.subarray(0, pending.length);
    }
    const at = pending.byteOffset - room.byteOffset;
    room.set(chunk, at + pending.length);
    pending = room.subarray(at, at + length);
    for (let at = nextTrailer(pending, searched); at !== -1; at = nextTrailer(pending, searched)) {
      yield* take(at, false);
      pending = pending.subarray(TRAILER_BYTES);
      offset += TRAILER_BYTES;
    }
    searched = Math.max(0, pending.length - TRAILER_BYTES);
    if (pending.length > MAX_REGION_BYTES) yield* take(searched, false);
  }
  yield* take(pending.length, true);
}

async function* membersIn(region: Buffer, isLast: boolean, damaged: (at: number) => void): AsyncGenerator<Buffer> {
  for (let from = 0; from < region.length; ) {
    const next = region.indexOf(MEMBER, from + 1);
    const end = next === -1 ? region.length : next;
    const { bytes, isWhole } = await salvaged(region.subarray(from, end));
    // The end of the file, and what stands before a member without a trailer, was torn by a crash.
    if (!isWhole && !(isLast && next === -1)) damaged(from);
    yield bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1);
    from = end;
  }
}

function unpack(member: Buffer): Buffer {
  return gunzipSync(member, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_REGION_BYTES });
}

async function salvaged(member: Buffer): Promise<{ bytes: Buffer; isWhole: boolean }> {
  try {
    return { bytes: unpack(member), isWhole: true };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  const pieces: Buffer[] = [];
  let length = 0;
  let isOver = false;
  gunzip.on('data', (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
  });
  let failed: () => void = () => undefined;
  gunzip.on('error', () => {
    isOver = true;
    failed();
  });
  for (let at = 0; at < member.length && !isOver && length < MAX_REGION_BYTES; at += SALVAGE_BYTES)
    await new Promise<void>((resolve) => {
      failed = resolve;
      gunzip.write(member.subarray(at, at + SALVAGE_BYTES), () => resolve());
    });
  gunzip.destroy();
  return { bytes: Buffer.concat(pieces), isWhole: false };
}

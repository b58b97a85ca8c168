import { constants, crc32, createGunzip, gunzipSync } from 'node:zlib';
import { HEAD } from './read.ts';
import { entryIn, isTornTrailer, nextTrailer, TRAILER_BYTES } from './trailer.ts';

/** A segment has less, compressed. */
const MAX_REGION_BYTES = 64 << 20;
/** What a damaged segment unpacks to is kept up to a piece of this size before the damage. */
const SALVAGE_BYTES = 256;
/** It is unpacked in pieces of so many bytes: most often in one. */
const [LEAST_PIECE_BYTES, MOST_PIECE_BYTES] = [16 << 10, 4 << 20];
/** Deflate does not make more of one byte. */
const MOST_RATIO = 1032;
const LINE_FEED = 10;
/** What says that a member is a segment stands in its first bytes. */
const LEAST_UNPACKED = 64;
const MOST_UNPACKED = 2048;
const SEGMENT_LINE = new RegExp(`^${HEAD}|^\\{"(?:place|task|stack|look)":\\d+,"(?:is|as|frames|unread)":`, 'm');
/** Bounds time: a file may have as many beginnings of members as it has room for. */
const MOST_TRIES = 64;
/**
 * What a power cut leaves at the end, which may unpack without an error; nothing packed ends so, nor does a trailer.
 */
const ZEROS = Buffer.alloc(16);
/** What zlib ends with where it was flushed, as after each sample. */
const FLUSHED = Buffer.from([0, 0, 0xff, 0xff]);
/**
 * How zlib begins a member of a recording. A recording that goes on after a crash has one in the middle of a region.
 */
const MEMBER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

/**
 * Whether a file that begins with these bytes is a recording, packed as kstack record writes it, or what is left of
 * one.
 */
export function isPackedRecording(head: Buffer): boolean {
  if (nextTrailer(head, 0) !== -1) return true;
  let tries = MOST_TRIES;
  for (let at = head.indexOf(MEMBER); at !== -1 && tries > 0; at = head.indexOf(MEMBER, at + 1), tries--)
    if (beginsSegment(head.subarray(at))) return true;
  return false;
}

/** Unpacks a little more as long as it is not clear: what is behind may be damaged. */
function beginsSegment(member: Buffer): boolean {
  for (let length = LEAST_UNPACKED; length <= MOST_UNPACKED; length *= 2)
    try {
      const text = unpack(member.subarray(0, length)).toString('latin1');
      if (SEGMENT_LINE.test(text)) return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      return false;
    }
  return false;
}

/**
 * The lines in the bytes of a packed recording, in pieces of whole lines. Damage costs the rest of its segment.
 * @param damaged is called with the place of a segment that could not be unpacked to its end
 * @param cut is called with the length, if that is within a sample, as after a crash or in the copy of a part
 */
export async function* unpackedSegments(
  chunks: AsyncIterable<Uint8Array>,
  damaged: (offset: number) => void,
  cut: (offset: number) => void = () => undefined,
): AsyncGenerator<Buffer> {
  let pending: Buffer = Buffer.alloc(0);
  let offset = 0;
  let searched = 0;
  /** The place of the last trailer. */
  let before: number | undefined;
  const take = async function* (bytes: number, isLast: boolean): AsyncGenerator<Buffer> {
    let isTold = false;
    const told = (at: number) => {
      isTold = true;
      damaged(offset + at);
    };
    yield* membersIn(pending.subarray(0, bytes), isLast, told, () => cut(offset + bytes));
    const entry = isLast ? undefined : entryIn(pending.subarray(bytes));
    if (entry !== undefined) {
      const place = offset + bytes;
      const from = Math.max(0, bytes - entry.bytes);
      const isWhole = entry.bytes <= bytes && crc32(pending.subarray(from, bytes)) === entry.crc;
      // As far as the trailer before is from this one, so far it was when they were written.
      const distance = entry.previous === undefined ? undefined : entry.offset + entry.bytes - entry.previous;
      const isNext = before === undefined || distance === undefined || distance === place - before;
      if (!isTold && !(isWhole && isNext)) damaged(offset + (isWhole ? 0 : from));
      before = place;
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

async function* membersIn(
  region: Buffer,
  isLast: boolean,
  damaged: (at: number) => void,
  cut: () => void,
): AsyncGenerator<Buffer> {
  for (let from = 0; from < region.length; ) {
    const next = region.indexOf(MEMBER, from + 1);
    const end = next === -1 ? region.length : next;
    const member = region.subarray(from, end);
    const { bytes, isWhole } = await salvaged(withHeader(member));
    // What a crash has torn off has no error in what is there.
    if (!isWhole || !isGzip(member)) damaged(from);
    // What is behind a trailer is checked by its sum.
    else if (isLast && end === region.length) {
      const rest = behind(member, bytes);
      if (rest !== undefined && !isTornTrailer(rest)) damaged(end - rest.length);
      else if (region.length >= ZEROS.length && region.subarray(-ZEROS.length).equals(ZEROS)) damaged(from);
      else if (rest === undefined && !member.subarray(-FLUSHED.length).equals(FLUSHED)) cut();
    }
    yield bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1);
    from = end;
  }
}

/** Every segment begins with the same header: if that is damaged, no more is lost. */
function withHeader(member: Buffer): Buffer {
  return isGzip(member) ? member : Buffer.concat([MEMBER, member.subarray(MEMBER.length)]);
}

function isGzip(member: Buffer): boolean {
  const start = member.subarray(0, 3);
  return start.equals(MEMBER.subarray(0, start.length));
}

/** What stands behind a member, which zlib skips without a word; undefined if the member has no end. */
function behind(member: Buffer, bytes: Buffer): Buffer | undefined {
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(bytes));
  end.writeUInt32LE(bytes.length, 4);
  const at = member.indexOf(end);
  return at === -1 ? undefined : member.subarray(at + end.length);
}

function unpack(member: Buffer): Buffer {
  // A finished member ends with its length (RFC 1952, ISIZE). What else is there is no length, and bounded alike.
  const told = member.length < 4 ? 0 : member.readUInt32LE(member.length - 4);
  const chunkSize = Math.min(MOST_PIECE_BYTES, Math.max(LEAST_PIECE_BYTES, Math.min(told, MOST_RATIO * member.length)));
  return gunzipSync(member, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_REGION_BYTES, chunkSize });
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

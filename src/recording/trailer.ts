/** Where a segment is in a recording, and what it holds. */
export interface SegmentEntry {
  /** The place of its first byte in the file. */
  readonly offset: number;
  /** Its length, compressed. */
  readonly bytes: number;
  /** The earliest and the latest time of its samples; both absent if none of them has one. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly samples: number;
  /** CRC-32 of its compressed bytes. */
  readonly crc: number;
  /** The place of the trailer before. */
  readonly previous?: number;
}

// A trailer is an empty gzip member (RFC 1952), so that zcat skips it. Its extra field, of the subfield KS, says where
// the segment before it is. All numbers are little-endian.
const PAYLOAD_BYTES = 44;
const EXTRA_BYTES = 4 + PAYLOAD_BYTES;
const SIGNATURE = Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, EXTRA_BYTES, 0, 0x4b, 0x53, PAYLOAD_BYTES, 0);
const EMPTY_DEFLATE = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const NONE = 0xffff_ffff_ffff_ffffn;

export const TRAILER_BYTES = SIGNATURE.length + PAYLOAD_BYTES + EMPTY_DEFLATE.length;

export function trailerOf({ offset, bytes, fromMs, toMs, samples, crc, previous }: SegmentEntry): Uint8Array {
  const trailer = new Uint8Array(TRAILER_BYTES);
  trailer.set(SIGNATURE);
  trailer.set(EMPTY_DEFLATE, SIGNATURE.length + PAYLOAD_BYTES);
  const view = new DataView(trailer.buffer, SIGNATURE.length, PAYLOAD_BYTES);
  view.setBigUint64(0, BigInt(offset), true);
  view.setUint32(8, bytes, true);
  view.setFloat64(12, fromMs ?? Number.NaN, true);
  view.setFloat64(20, toMs ?? Number.NaN, true);
  view.setUint32(28, samples, true);
  view.setUint32(32, crc, true);
  view.setBigUint64(36, previous === undefined ? NONE : BigInt(previous), true);
  return trailer;
}

/** The entry in a trailer that begins at the first of these bytes; undefined if none does. */
export function entryIn(bytes: Uint8Array): SegmentEntry | undefined {
  if (bytes.length < TRAILER_BYTES || SIGNATURE.some((byte, at) => bytes[at] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + SIGNATURE.length, PAYLOAD_BYTES);
  const [offset, previous] = [view.getBigUint64(0, true), view.getBigUint64(36, true)];
  const [fromMs, toMs] = [view.getFloat64(12, true), view.getFloat64(20, true)];
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return {
    offset: Number(offset),
    bytes: view.getUint32(8, true),
    ...(!Number.isNaN(fromMs) && { fromMs }),
    ...(!Number.isNaN(toMs) && { toMs }),
    samples: view.getUint32(28, true),
    crc: view.getUint32(32, true),
    ...(previous <= BigInt(Number.MAX_SAFE_INTEGER) && { previous: Number(previous) }),
  };
}

/** Whether these bytes are the beginning of a trailer, which a crash has torn off. */
export function isTornTrailer(bytes: Uint8Array): boolean {
  return bytes.length < TRAILER_BYTES && SIGNATURE.subarray(0, bytes.length).every((byte, at) => bytes[at] === byte);
}

/** The place of the next trailer from `from` on that is whole; -1 if there is none. */
export function nextTrailer(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(SIGNATURE, from);
  return at === -1 || at + TRAILER_BYTES > bytes.length ? -1 : at;
}

/** The place of the last trailer that is whole; -1 if there is none. */
export function lastTrailer(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.lastIndexOf(SIGNATURE); at !== -1; at = at === 0 ? -1 : buffer.lastIndexOf(SIGNATURE, at - 1))
    if (at + TRAILER_BYTES <= buffer.length) return at;
  return -1;
}

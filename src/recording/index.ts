import { entryIn, lastTrailer, type SegmentEntry, TRAILER_BYTES } from './trailer.ts';

/** The bytes of a file at a place; fewer at its end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** A part of a recording that is read for itself: one segment with its trailer, and what a crash has left before it. */
export interface Region {
  readonly from: number;
  readonly to: number;
  /** Absent behind the last trailer, where a segment was being written. */
  readonly entry?: SegmentEntry;
}

/** A segment that is being written is shorter. */
const MOST_TAIL = 64 << 20;
const FIRST_STEP = 1 << 16;
const MOST_SEGMENTS = 1_000_000;

/**
 * The regions of a packed recording, from its trailers, which name one another from the last one back. Reads one
 * trailer for each segment. Undefined if they do not lead to the beginning: then all of it has to be read.
 */
export function regionsOf(readAt: ReadAt, sizeBytes: number): Region[] | undefined {
  const last = findLast(readAt, sizeBytes);
  if (last === undefined) return undefined;
  const regions: Region[] = [];
  if (last + TRAILER_BYTES < sizeBytes) regions.push({ from: last + TRAILER_BYTES, to: sizeBytes });
  for (let at: number | undefined = last; at !== undefined; ) {
    const entry: SegmentEntry | undefined = entryIn(readAt(at, TRAILER_BYTES));
    if (entry === undefined || entry.offset + entry.bytes !== at || regions.length > MOST_SEGMENTS) return undefined;
    const { previous } = entry;
    const from: number = previous === undefined ? 0 : previous + TRAILER_BYTES;
    if (from > entry.offset) return undefined;
    regions.push({ from, to: at + TRAILER_BYTES, entry });
    at = previous;
  }
  return regions.reverse();
}

function findLast(readAt: ReadAt, sizeBytes: number): number | undefined {
  // A finished recording ends with one.
  const end = sizeBytes - TRAILER_BYTES;
  if (end >= 0 && entryIn(readAt(end, TRAILER_BYTES)) !== undefined) return end;
  for (let [to, step] = [sizeBytes, FIRST_STEP]; to > 0 && to > sizeBytes - MOST_TAIL; to -= step, step *= 2) {
    const from = Math.max(0, to - step);
    // A step overlaps the one before it by a trailer.
    const at = lastTrailer(readAt(from, Math.min(sizeBytes, to + TRAILER_BYTES) - from));
    if (at !== -1) return from + at;
  }
  return undefined;
}

/** Whether samples of a region may be in a window. */
export function mayHave({ from, entry }: Region, before: Region | undefined, fromMs: number, toMs: number): boolean {
  if (entry === undefined) return true;
  const isTorn = from < entry.offset;
  if (entry.fromMs === undefined || entry.toMs === undefined || (isTorn && before?.entry?.toMs === undefined))
    return true;
  const earliest = isTorn ? Math.min(entry.fromMs, before?.entry?.toMs ?? 0) : entry.fromMs;
  return earliest <= toMs && entry.toMs >= fromMs;
}

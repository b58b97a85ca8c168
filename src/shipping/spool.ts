import { constants } from 'node:fs';
import type { LogDirectory } from '../background/log-directory.ts';
import { codeOf, isRegular } from '../files/files.ts';
import { nextTrailer, TRAILER_BYTES } from '../recording/trailer.ts';
import { CHECKED_BYTES, checkOf, type Position } from './positions.ts';

/** A recording of a directory, held open: it may be renamed or removed meanwhile. */
export interface SpoolFile {
  readonly name: string;
  /** The host in its name. */
  readonly host: string;
  /** When it was rotated, in Unix seconds; undefined if it may be written to. */
  readonly seconds: number | undefined;
  readonly fd: number;
  readonly inode: string;
  readonly size: number;
}

/** A part of a recording that is read for itself: up to a trailer, or what is behind the last one. */
export interface Part {
  readonly from: number;
  readonly end: number;
  readonly isTail: boolean;
}

const NAME = /^kstack_((.+?)-(\d{1,12})|.+)\.kstack$/;
const CHUNK_BYTES = 64 << 10;
/** A segment has less, compressed. */
const MOST_PART_BYTES = 64 << 20;

/** Calls `use` with the recordings of a directory, those of a host in the order in which they were written. */
export async function withSpool<Result>(
  directory: LogDirectory,
  use: (files: readonly SpoolFile[]) => Promise<Result>,
): Promise<Result> {
  const files: SpoolFile[] = [];
  try {
    const names = new Set(await directory.list());
    for (const name of names) {
      const file = await openRecording(directory, name, names);
      if (file !== undefined) files.push(file);
    }
    return await use(files.sort(inOrder));
  } finally {
    for (const { fd } of files) await directory.files.close(fd);
  }
}

/** The same file with what was written to it meanwhile. */
export async function grown({ files }: LogDirectory, file: SpoolFile): Promise<SpoolFile> {
  return { ...file, size: (await files.statusOf(file.fd)).size };
}

function inOrder(one: SpoolFile, other: SpoolFile): number {
  const late = Number.POSITIVE_INFINITY;
  if (one.host !== other.host) return one.host < other.host ? -1 : 1;
  return (one.seconds ?? late) < (other.seconds ?? late) ? -1 : 1;
}

/** Undefined if it is no recording, a link, or gone by now. */
async function openRecording(
  { files, fd: folder }: LogDirectory,
  name: string,
  others: ReadonlySet<string>,
): Promise<SpoolFile | undefined> {
  const [, whole, stem = whole ?? '', seconds] = NAME.exec(name) ?? [];
  if (whole === undefined) return undefined;
  // A host may be called as if its file were rotated.
  const isRotated = seconds !== undefined && !others.has(`.kstack_${whole}.run`);
  let fd: number;
  try {
    fd = await files.open(folder, name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return undefined;
    throw error;
  }
  const status = await files.statusOf(fd);
  if (isRegular(status)) {
    const { inode, size } = status;
    const told = isRotated ? { host: stem, seconds: Number(seconds) } : { host: whole, seconds: undefined };
    return { ...told, name, fd, inode: String(inode), size };
  }
  await files.close(fd);
  return undefined;
}

/** The position of a file; undefined if nothing of it was sent. */
export async function positionOf(
  { files }: LogDirectory,
  { fd, inode, size }: SpoolFile,
  positions: readonly Position[],
): Promise<Position | undefined> {
  const likely = positions.filter((position) => position.inode === inode);
  const others = positions.filter((position) => position.inode !== inode);
  for (const position of [...likely, ...others]) {
    const { end, check } = position;
    if (end > size) continue;
    const from = Math.max(0, end - CHECKED_BYTES);
    if (checkOf(await files.read(fd, from, end - from)) === check) return position;
  }
  return undefined;
}

/** What tells a file, and that it was sent as far as the end of a part. */
export async function placeBehind(
  { files }: LogDirectory,
  { fd, inode }: SpoolFile,
  { from, end }: Part,
): Promise<Pick<Position, 'from' | 'end' | 'check' | 'inode'>> {
  const checked = Math.max(0, end - CHECKED_BYTES);
  return { from, end, check: checkOf(await files.read(fd, checked, end - checked)), inode };
}

/** The part that begins there; undefined at the end. */
export async function partAt(directory: LogDirectory, file: SpoolFile, from: number): Promise<Part | undefined> {
  if (from >= file.size) return undefined;
  let before: Buffer = Buffer.alloc(0);
  for await (const chunk of bytesOf(directory, file, { from, end: file.size })) {
    const bytes = Buffer.concat([before, chunk.bytes]);
    const at = nextTrailer(bytes, 0);
    const end = chunk.at - before.length + at + TRAILER_BYTES;
    if (at !== -1) return { from, end, isTail: false };
    before = bytes.subarray(-TRAILER_BYTES);
    // It is not of kstack; it is read all the same.
    if (chunk.at - from > MOST_PART_BYTES) return { from, end: chunk.at, isTail: false };
  }
  return { from, end: file.size, isTail: true };
}

/** The bytes of a part, and where they are. */
export async function* bytesOf(
  { files }: LogDirectory,
  { fd }: SpoolFile,
  { from, end }: Pick<Part, 'from' | 'end'>,
): AsyncGenerator<{ readonly at: number; readonly bytes: Buffer }> {
  for (let at = from; at < end; ) {
    const bytes = await files.read(fd, at, Math.min(CHUNK_BYTES, end - at));
    // Somebody has truncated it.
    if (bytes.length === 0) return;
    yield { at, bytes };
    at += bytes.length;
  }
}

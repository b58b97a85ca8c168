/**
 * The tar format of POSIX.1-1988 (ustar, see pax(1)), as far as bundles need it: regular files with short names in
 * ASCII. GNU tar, bsdtar, busybox and Python read it.
 */
const BLOCK_BYTES = 512;
const MOST_NAME_BYTES = 100;
const MODE = 0o600;
const MAGIC = 'ustar\x0000';
const REGULAR_FILE = '0';

/** Offsets of fields of a header, and the lengths of numbers. */
const FIELD = {
  name: 0,
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  modified: [136, 12],
  checksum: [148, 8],
  type: 156,
  magic: 257,
} as const;

/** What follows the last file. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

/**
 * A file as it is in an archive: header, content and padding.
 * @throws RangeError if the name is too long
 */
export function tarFile(name: string, content: Uint8Array, modifiedMs: number): Buffer {
  if (Buffer.byteLength(name) > MOST_NAME_BYTES) throw new RangeError(`${name} is too long a name for tar`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const number = ([at, length]: readonly [number, number], value: number) =>
    header.write(value.toString(8).padStart(length - 1, '0'), at);
  header.write(name, FIELD.name);
  number(FIELD.mode, MODE);
  number(FIELD.uid, 0);
  number(FIELD.gid, 0);
  number(FIELD.size, content.length);
  number(FIELD.modified, Math.floor(modifiedMs / 1000));
  header.write(REGULAR_FILE, FIELD.type);
  header.write(MAGIC, FIELD.magic);
  number(FIELD.checksum, checksumOf(header));
  return Buffer.concat([header, content, Buffer.alloc(-content.length & (BLOCK_BYTES - 1))]);
}

/** The sum of all bytes, those of its own field taken for blanks. */
function checksumOf(header: Buffer): number {
  const [at, length] = FIELD.checksum;
  return header.reduce((sum, byte, place) => sum + (place >= at && place < at + length ? 0x20 : byte), 0);
}

interface Entry {
  readonly name: string;
  readonly sizeBytes: number;
  /** Not a link, a folder or a device. */
  readonly isFile: boolean;
}

/** What a header says; undefined if it is none. */
function entryIn(header: Buffer): Entry | undefined {
  const text = (at: number, length: number) => /^[^\0]*/.exec(header.toString('latin1', at, at + length))?.[0] ?? '';
  const number = ([at, length]: readonly [number, number]) => {
    const digits = text(at, length).trim();
    return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
  };
  const sizeBytes = number(FIELD.size);
  if (header.length < BLOCK_BYTES || !text(FIELD.magic, 6).startsWith('ustar')) return undefined;
  if (sizeBytes === undefined || number(FIELD.checksum) !== checksumOf(header.subarray(0, BLOCK_BYTES)))
    return undefined;
  const type = text(FIELD.type, 1);
  return { name: text(FIELD.name, MOST_NAME_BYTES), sizeBytes, isFile: type === '' || type === REGULAR_FILE };
}

/** The name of the first file of an archive that begins so; undefined if it is no archive. */
export function firstNameIn(head: Buffer): string | undefined {
  return entryIn(head.subarray(0, BLOCK_BYTES))?.name;
}

/** The content of the first file with such a name, in pieces; nothing if there is none. */
export async function* contentIn(
  chunks: AsyncIterable<Buffer>,
  isWanted: (name: string) => boolean,
): AsyncGenerator<Buffer, void> {
  let header = Buffer.alloc(0);
  let [left, padding, isFound] = [0, 0, false];
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + (left || padding || BLOCK_BYTES - header.length));
      at += piece.length;
      if (left > 0) {
        left -= piece.length;
        if (isFound) yield piece;
      } else if (padding > 0) padding -= piece.length;
      else {
        header = Buffer.concat([header, piece]);
        if (header.length < BLOCK_BYTES) continue;
        const entry = entryIn(header);
        if (entry === undefined || isFound) return;
        header = Buffer.alloc(0);
        left = entry.sizeBytes;
        padding = -left & (BLOCK_BYTES - 1);
        isFound = entry.isFile && isWanted(entry.name);
      }
      if (isFound && left === 0) return;
    }
}

/** What a file is that is no text, by its first bytes. */
export type Kind =
  | { readonly what: 'gzip' | 'zstd' }
  /** `command` writes what is in it to its standard output. */
  | { readonly what: 'packed'; readonly name: string; readonly command: string }
  /** The memory of a kernel or of a process. */
  | { readonly what: 'dump' }
  /** Something else without a text in it. */
  | { readonly what: 'other'; readonly name: string };

const packed = (name: string, command: string): Kind => ({ what: 'packed', name, command });
const other = (name: string): Kind => ({ what: 'other', name });

/** As file(1) knows them: magic(5). */
const MAGIC: readonly (readonly [bytes: string, kind: Kind])[] = [
  ['\x1f\x8b', { what: 'gzip' }],
  ['\x28\xb5\x2f\xfd', { what: 'zstd' }],
  ['\xfd7zXZ\0', packed('xz', 'xz -dc')],
  ['BZh', packed('bzip2', 'bzip2 -dc')],
  ['\x04\x22\x4d\x18', packed('lz4', 'lz4 -dc')],
  ['\x89LZO\0', packed('lzop', 'lzop -dc')],
  ['LZIP', packed('lzip', 'lzip -dc')],
  ['\x1f\x9d', packed('compress', 'uncompress -c')],
  ['PK\x03\x04', packed('zip', 'unzip -p')],
  ['7z\xbc\xaf\x27\x1c', packed('7-Zip', '7z x -so')],
  ['LPKSHHRH', packed('systemd-journald', 'journalctl -o short-iso-precise --file')],
  ['PERFILE2', packed('perf', 'perf script -i')],
  // makedumpfile, diskdump and its parts, and ELF with the type of a core file.
  ['KDUMP   ', { what: 'dump' }],
  ['DISKDUMP', { what: 'dump' }],
  ['makedumpfile\0', { what: 'dump' }],
  ['\x7fELF', { what: 'dump' }],
  ['\x89PNG', other('an image: kstack reads no pictures of text')],
  ['\xff\xd8\xff', other('an image: kstack reads no pictures of text')],
  ['GIF8', other('an image: kstack reads no pictures of text')],
  ['%PDF', other('a PDF: copy the text out of it')],
];

/** Undefined for a text, and for all that is not known. */
export function kindOf(head: Buffer): Kind | undefined {
  // Longer than the longest magic.
  const start = head.toString('latin1', 0, 16);
  const [, kind] = MAGIC.find(([bytes]) => start.startsWith(bytes)) ?? [];
  return kind;
}

import { gzipSync } from 'node:zlib';
import { BUNDLE_FILES, type BundleFile } from '../../recording/bundle.ts';
import { TAR_END, tarFile } from '../../recording/tar.ts';

/** What the manifest may take, compressed: it is written last, and comes first. */
const MANIFEST_BYTES = 16 << 10;
const LONGEST_NOTE = 500;

/** A file of a bundle, as its manifest tells. */
interface BundledFile {
  readonly name: BundleFile;
  readonly is: string;
  readonly bytes: number;
  /** What is missing in it, or what else there is to say. */
  readonly notes: readonly string[];
}

export interface FileToBundle {
  readonly name: BundleFile;
  /** What it is, for the manifest. */
  readonly is: string;
  readonly content: string | Uint8Array;
  readonly notes?: readonly string[];
}

/**
 * Files of a bundle, which together never take more than a given size. Each of them is a gzip member of its own, so that
 * what it takes is known at once; to whoever unpacks it, members behind each other are one stream (RFC 1952, 2.2).
 */
export class BundleArchive {
  readonly #folder: string;
  readonly #madeMs: number;
  readonly #members: Buffer[] = [];
  readonly #files: BundledFile[] = [];
  readonly #leftOut: { readonly name: BundleFile; readonly why: string }[] = [];
  readonly #end = gzipSync(TAR_END);
  #roomBytes: number;

  /** @param folder that it unpacks to */
  constructor(folder: string, madeMs: number, mostBytes: number) {
    this.#folder = folder;
    this.#madeMs = madeMs;
    this.#roomBytes = mostBytes - MANIFEST_BYTES - this.#end.length;
  }

  /** What further files may take, compressed. */
  get roomBytes(): number {
    return this.#roomBytes;
  }

  get files(): readonly BundledFile[] {
    return this.#files;
  }

  get leftOut(): readonly { readonly name: BundleFile; readonly why: string }[] {
    return this.#leftOut;
  }

  /**
   * Adds a file, or leaves it out if it is too large.
   * @param mostBytes compressed
   */
  add({ name, is, content, notes = [] }: FileToBundle, mostBytes = this.#roomBytes): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const member = this.#member(name, bytes);
    if (member.length > Math.min(mostBytes, this.#roomBytes)) {
      this.leave(name, `it takes ${member.length} bytes, for which --max-size leaves no room`);
      return;
    }
    this.#roomBytes -= member.length;
    this.#members.push(member);
    this.#files.push({ name, is, bytes: bytes.length, notes: notes.map(cut) });
  }

  leave(name: BundleFile, why: string): void {
    this.#leftOut.push({ name, why: cut(why) });
  }

  /** The whole bundle. @param about what its manifest tells beside its files */
  bytes(about: Readonly<Record<string, unknown>>): Buffer {
    const manifest = { ...about, files: this.#files, leftOut: this.#leftOut };
    const first = this.#member(BUNDLE_FILES.manifest, Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`));
    if (first.length > MANIFEST_BYTES) throw new Error(`a manifest of ${first.length} bytes is too large`);
    return Buffer.concat([first, ...this.#members, this.#end]);
  }

  #member(name: string, bytes: Uint8Array): Buffer {
    return gzipSync(tarFile(`${this.#folder}/${name}`, bytes, this.#madeMs));
  }
}

function cut(text: string): string {
  return text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE)}...` : text;
}

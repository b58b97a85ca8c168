import type { CommandLineLimits } from '../../model/command-line.ts';

// The protocol between kstack and its reader (reader/protocol.h), in native byte order.

/** The files of a task, in the order in which they are read. The index is the file's bit in a set. */
export const TASK_FILES = ['stat', 'status', 'stack', 'syscall', 'wchan', 'cgroup', 'cmdline'] as const;
export type TaskFile = (typeof TASK_FILES)[number];

/** What a record is about. Lower numbers are indexes of TASK_FILES. */
export const WHAT = { list: 7, read: 8, link: 9, call: 10, descriptors: 11, end: 12 } as const;
export const FLAG = { more: 1, cut: 2, late: 4, skipped: 8 } as const;
export const KIND = { scan: 0, get: 1, paths: 2, calls: 3 } as const;

/** struct record: offsets in 32-bit words. */
export const RECORD = { bytes: 0, job: 1, pid: 2, tid: 3, what: 4, flags: 5, result: 6, words: 8 } as const;

/** The most bytes that one read, or a call with an output, returns. */
export const MOST_BYTES = 64 * 1024;

export interface Scan {
  /** Files read of every task. */
  readonly first: readonly TaskFile[];
  /** Further files, read of the tasks in one of `states`. */
  readonly ofSelected: readonly TaskFile[];
  /** Letters; empty for any. */
  readonly states: string;
  readonly threads: boolean;
  readonly commandLines: CommandLineLimits;
}

export interface GetOptions extends Pick<Scan, 'threads' | 'commandLines'> {
  /** Whether descriptors include those of files with a path. */
  readonly paths?: boolean;
}

export interface Numbers {
  readonly pid: number;
  readonly tid: number;
  readonly files: readonly TaskFile[];
}

export function bitsOf(files: readonly TaskFile[]): number {
  return files.reduce((bits, file) => bits | (1 << TASK_FILES.indexOf(file)), 0);
}

export function encodeScan({ first, ofSelected, states, threads, commandLines }: Scan): Buffer {
  const body = Buffer.alloc(32);
  const words = [bitsOf(first), bitsOf(ofSelected), Number(threads), commandLines.allBytes, commandLines.leastBytes];
  for (const [at, word] of words.entries()) body.writeUInt32LE(word, at * 4);
  body.write(states, 20, 12, 'latin1');
  return body;
}

/** What to get of a process, as a bit set: its descriptors, see DESCRIPTORS of reader/protocol.h. */
export const DESCRIPTORS_BIT = 1 << WHAT.descriptors;

/** A request to read files of the given tasks. `files` returns a bit set for the task at an index. */
export function encodeGet(
  tasks: readonly { readonly pid: number; readonly tid: number }[],
  files: (at: number) => number,
  { threads, commandLines, paths = false }: GetOptions,
): Buffer {
  const body = Buffer.alloc(16 + tasks.length * 12);
  body.writeUInt32LE(commandLines.allBytes, 0);
  body.writeUInt32LE(commandLines.leastBytes, 4);
  body.writeUInt32LE(Number(threads), 8);
  body.writeUInt32LE(Number(paths), 12);
  for (const [index, { pid, tid }] of tasks.entries()) {
    body.writeUInt32LE(pid, 16 + index * 12);
    body.writeUInt32LE(tid, 20 + index * 12);
    body.writeUInt32LE(files(index), 24 + index * 12);
  }
  return body;
}

/** A read of up to `limit` bytes of a file from a position on, or of the target of a symbolic link. */
export interface PathRead {
  readonly what: 'read' | 'link';
  /** Relative to the procfs root unless it begins with a slash. */
  readonly path: string | Buffer;
  readonly position: bigint;
  readonly limit: number;
}

const PATH = { position: 0, limit: 8, kind: 12, number: 16, bytes: 20, size: 24 } as const;

/** A request for these reads. The records of each have its index in the place of the TID. */
export function encodePaths(reads: readonly PathRead[]): Buffer {
  const names = reads.map(({ path }) => Buffer.from(path));
  const sizes = names.map(({ length }) => (PATH.size + length + 8) & ~7);
  const body = Buffer.alloc(sizes.reduce((sum, bytes) => sum + bytes, 0));
  let at = 0;
  for (const [number, { what, position, limit }] of reads.entries()) {
    const bytes = sizes[number] ?? 0;
    body.writeBigUInt64LE(position, at + PATH.position);
    body.writeUInt32LE(limit, at + PATH.limit);
    body.writeUInt32LE(WHAT[what], at + PATH.kind);
    body.writeUInt32LE(number, at + PATH.number);
    body.writeUInt32LE(bytes, at + PATH.bytes);
    names[number]?.copy(body, at + PATH.size);
    at += bytes;
  }
  return body;
}

/** An argument of a system call: a number, bytes that the call reads, or the size of a buffer that it fills. */
export type CallArgument = number | bigint | Uint8Array | { readonly out: number };

const VALUE = 0;
const INPUT = 1;
const OUTPUT = 2;
const CALL_BYTES = 64;

export function encodeCall(number: number, callArguments: readonly CallArgument[]): Buffer {
  const inputs: Uint8Array[] = [];
  let inputBytes = 0;
  let out = 0;
  const head = Buffer.alloc(CALL_BYTES);
  for (const [at, argument] of callArguments.entries()) {
    let value: bigint;
    let kind = VALUE;
    if (typeof argument === 'object' && 'out' in argument) {
      kind = OUTPUT;
      value = BigInt(out);
      out += Math.ceil(argument.out / 8) * 8;
    } else if (typeof argument === 'object') {
      kind = INPUT;
      value = BigInt(inputBytes);
      const padding = (8 - (argument.length % 8)) % 8;
      inputs.push(argument, Buffer.alloc(padding));
      inputBytes += argument.length + padding;
    } else value = BigInt.asUintN(64, BigInt(argument));
    head.writeBigUInt64LE(value, at * 8);
    head.writeUInt8(kind, 56 + at);
  }
  head.writeUInt32LE(number, 48);
  head.writeUInt32LE(out, 52);
  return Buffer.concat([head, ...inputs]);
}

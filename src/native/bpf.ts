import { closeSync, readSync } from 'node:fs';
import { errnoName, lastErrno } from './errno.ts';
import type { NativeFunction } from './ffi.ts';
import { libcFunction } from './libc.ts';
import { addressOf } from './memory.ts';

/** __NR_bpf, by Node.js's name of the architecture. */
const CALL_NUMBERS: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
/** enum bpf_cmd of include/uapi/linux/bpf.h. */
export const BPF = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  programLoad: 5,
  programRun: 10,
  mapUpdateBatch: 26,
  linkCreate: 28,
  iteratorCreate: 33,
} as const;
/** BPF_TRACE_ITER of enum bpf_attach_type. */
const TRACE_ITERATOR = 28;
/**
 * The kernel returns up to eight pages, of up to 64 KiB, per read of an iterator. A smaller buffer would cut a record
 * (kernel/bpf/bpf_iter.c, bpf_seq_read).
 */
const BUFFER_BYTES = 1 << 19;

/** A call to bpf(2) or libbpf failed. */
export class BpfError extends Error {
  /** The errno's name. */
  readonly code: string;

  constructor(what: string, errno: number) {
    const code = errnoName(Math.abs(errno));
    super(`${what}: ${code}`);
    this.code = code;
  }
}

/** A field of union bpf_attr: its offset, and a 32-bit number, a 64-bit one, or a buffer to point at. */
export type Attribute = readonly [offset: number, value: number | bigint | Buffer];

/**
 * Calls bpf(2) and returns its result, for most commands a descriptor. The kernel may write to `attributes`.
 * @throws BpfError, whose message begins with `what`
 */
export function callBpf(
  what: string,
  command: number,
  parts: readonly Attribute[],
  attributes = Buffer.alloc(128),
): number {
  const number = CALL_NUMBERS[process.arch];
  if (number === undefined) throw new Error(`kstack does not know the number of bpf(2) on ${process.arch}`);
  inFlight = parts;
  for (const [offset, value] of parts) {
    if (typeof value === 'number') attributes.writeUInt32LE(value, offset);
    else attributes.writeBigUInt64LE(typeof value === 'bigint' ? value : addressOf(value), offset);
  }
  systemCall ??= libcFunction('long syscall(long number, int command, void *attributes, unsigned int bytes)');
  const result = Number(systemCall(number, command, attributes, attributes.length));
  if (inFlight !== parts) throw new Error('nested calls to bpf(2)');
  if (result < 0) throw new BpfError(what, lastErrno());
  return result;
}

/** Keeps buffers that the kernel is pointed at from being collected before the kernel has read them. */
let inFlight: readonly Attribute[] = [];

let systemCall: NativeFunction | undefined;

/**
 * Descriptors of loaded maps and programs, by name. Nothing is pinned, so they end with the process.
 */
export interface LoadedBpf {
  readonly maps: ReadonlyMap<string, number>;
  readonly programs: ReadonlyMap<string, number>;
}

/** Unloads the maps and programs. */
export function unloadBpf({ maps, programs }: LoadedBpf): void {
  for (const fd of [...maps.values(), ...programs.values()]) closeSync(fd);
}

/** @throws Error if the object has none of that name */
export function descriptorOf(descriptors: ReadonlyMap<string, number>, name: string): number {
  const fd = descriptors.get(name);
  if (fd === undefined) throw new Error(`the BPF object has no ${name}`);
  return fd;
}

export function updateElement(mapFd: number, key: Buffer, value: Buffer): void {
  callBpf('cannot write to a BPF map', BPF.mapUpdate, [...elementOf(mapFd, key), [16, value]]);
}

/** Reads a map's element into `value`. */
export function lookUpElement(mapFd: number, key: Buffer, value: Buffer): void {
  callBpf('cannot read a BPF map', BPF.mapLookup, [...elementOf(mapFd, key), [16, value]]);
}

export function deleteElement(mapFd: number, key: Buffer): void {
  callBpf('cannot delete from a BPF map', BPF.mapDelete, elementOf(mapFd, key));
}

/** Runs a program of type BPF_PROG_TYPE_SYSCALL (Linux 5.14) on `context`. Returns what the program returns. */
export function runProgram(what: string, programFd: number, context?: Buffer): number {
  const attributes = Buffer.alloc(80);
  const parts: Attribute[] = [[0, programFd]];
  if (context !== undefined) parts.push([40, context.length], [48, context]);
  callBpf(what, BPF.programRun, parts, attributes);
  return attributes.readInt32LE(4);
}

/** Updates `count` elements in one call (Linux 5.6). Keys and values are packed. */
export function updateElements(mapFd: number, keys: Buffer, values: Buffer, count: number): void {
  callBpf('cannot write to a BPF map', BPF.mapUpdateBatch, [
    [16, keys],
    [24, values],
    [32, count],
    [36, mapFd],
  ]);
}

function elementOf(mapFd: number, key: Buffer): Attribute[] {
  return [
    [0, mapFd],
    [8, key],
  ];
}

/** Makes ready an iterator: over tasks, or over the elements of a map. Returns what {@link readIterator} takes. */
export function attachIterator(programFd: number, mapFd?: number): number {
  const target = mapFd === undefined ? undefined : Buffer.alloc(16);
  target?.writeUInt32LE(mapFd ?? 0);
  return callBpf('cannot attach a BPF iterator', BPF.linkCreate, [
    [0, programFd],
    [8, TRACE_ITERATOR],
    [16, target ?? 0n],
    [24, target?.length ?? 0],
  ]);
}

/** @throws BpfError where the kernel does not let an iterator begin that it let be attached */
export function tryIterator(linkFd: number): void {
  closeSync(startIterator(linkFd));
}

function startIterator(linkFd: number): number {
  return callBpf('cannot start a BPF iterator', BPF.iteratorCreate, [[0, linkFd]]);
}

let buffer: Buffer | undefined;

/**
 * Runs an iterator once and yields its output in pieces of whole records. The bytes are valid until the next piece and
 * aligned to 8.
 */
export function* readIterator(linkFd: number): Generator<Buffer, void> {
  buffer ??= Buffer.alloc(BUFFER_BYTES);
  const fd = startIterator(linkFd);
  try {
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) yield buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

import { closeSync } from 'node:fs';
import { BPF, BpfError, callBpf, type LoadedBpf, runProgram, updateElement } from './bpf.ts';
import { loadByLibbpf, NoLibbpf } from './libbpf.ts';

/**
 * What bpf/build.sh makes of one BPF program: its object file, and a loader that makes the kernel load it without
 * libbpf (bpf/make-loader.c).
 */
export interface BpfObject {
  readonly maps: readonly string[];
  readonly programs: readonly string[];
  /** The loader program (libbpf's light skeleton): instructions of 8 bytes each, base64. */
  readonly instructions: string;
  /** The data that the loader program loads, base64. */
  readonly data: string;
  /** The object file, compressed by gzip, base64. */
  readonly elf: string;
}

/** The kernel ran the loader program but refused the programs that it loads. */
export class ObjectRefused extends BpfError {}

const ARRAY = 2;
/** BPF_PROG_TYPE_SYSCALL, since Linux 5.14. */
const SYSTEM_CALLS = 31;
const SLEEPABLE = 1 << 4;
const INSTRUCTION_BYTES = 8;

/** struct bpf_loader_ctx, struct bpf_map_desc and struct bpf_prog_desc of libbpf's skel_internal.h. */
const CONTEXT = { size: 0, maps: 24, mapBytes: 16, programBytes: 4 } as const;

/** A signal interrupts the verifier, which then returns EAGAIN. */
const MOST_TRIES = 5;

/**
 * Loads a BPF object: through the kernel alone if it can (Linux 5.14, or 5.17 for objects that refer to kernel types),
 * else through libbpf.
 * @throws BpfError with the errno of the step that failed; Error if libbpf is needed but not installed
 */
export function loadObject(object: BpfObject): LoadedBpf {
  try {
    return loadByKernel(object);
  } catch (refusal) {
    if (!isCurable(refusal)) throw refusal;
    try {
      return loadByLibbpf(elfOf(object), object.maps, object.programs);
    } catch (error) {
      if (!(error instanceof NoLibbpf)) throw error;
      throw new Error(`${refusal.message}, and libbpf.so.1 cannot be loaded: ${error.message}`);
    }
  }
}

/**
 * Whether libbpf may succeed where the kernel alone failed. A kernel before 5.14 does not know the loader's program
 * type (EINVAL). One before 5.17 finds the attributes too long (E2BIG), because they hold relocations. Any other
 * refusal is final, and libbpf would take 100 ms to get the same one: it reads all of the kernel's types, then tries
 * again with a log of 16 MB.
 */
export function isCurable(error: unknown): error is BpfError {
  if (!(error instanceof BpfError)) return false;
  return error.code === 'E2BIG' || (error.code === 'EINVAL' && !(error instanceof ObjectRefused));
}

/**
 * Has the kernel load BPF programs and look up its own types for them (CO-RE). libbpf is not needed, and would take
 * four times as long: it reads all of the kernel's types, five megabytes, and searches them.
 */
function loadByKernel(object: BpfObject): LoadedBpf {
  for (let tries = 1; ; tries++) {
    try {
      return load(object);
    } catch (error) {
      if (!(error instanceof BpfError) || error.code !== 'EAGAIN' || tries >= MOST_TRIES) throw error;
    }
  }
}

function load({ instructions, data, maps, programs }: BpfObject): LoadedBpf {
  const blob = Buffer.from(data, 'base64');
  const code = Buffer.from(instructions, 'base64');
  const blobFd = callBpf('cannot create a BPF map', BPF.mapCreate, [
    [0, ARRAY],
    [4, 4],
    [8, blob.length],
    [12, 1],
  ]);
  let programFd: number | undefined;
  try {
    updateElement(blobFd, Buffer.alloc(4), blob);
    const descriptors = Buffer.alloc(4);
    descriptors.writeUInt32LE(blobFd);
    programFd = callBpf('the kernel refuses the loader program', BPF.programLoad, [
      [0, SYSTEM_CALLS],
      [4, code.length / INSTRUCTION_BYTES],
      [8, code],
      [16, Buffer.from('Dual BSD/GPL\0')],
      [44, SLEEPABLE],
      [120, descriptors],
    ]);
    const programsAt = CONTEXT.maps + maps.length * CONTEXT.mapBytes;
    const context = Buffer.alloc(Math.ceil((programsAt + programs.length * CONTEXT.programBytes) / 8) * 8);
    context.writeUInt32LE(context.length, CONTEXT.size);
    const result = runProgram('cannot run the loader program', programFd, context);
    if (result < 0) throw new ObjectRefused(`the kernel refuses ${programs.join(', ')}`, result);
    const fdAt = (offset: number) => context.readInt32LE(offset);
    return {
      maps: new Map(maps.map((name, index) => [name, fdAt(CONTEXT.maps + index * CONTEXT.mapBytes)])),
      programs: new Map(programs.map((name, index) => [name, fdAt(programsAt + index * CONTEXT.programBytes)])),
    };
  } finally {
    closeSync(blobFd);
    if (programFd !== undefined) closeSync(programFd);
  }
}

/** Compressed, since it is read with the rest of the bundle and seldom needed; so is what decompresses it. */
function elfOf({ elf }: BpfObject): Buffer {
  return process.getBuiltinModule('node:zlib').gunzipSync(Buffer.from(elf, 'base64'));
}

import { closeSync } from 'node:fs';
import { BPF, BpfError, callBpf, type LoadedBpf, updateElement } from './bpf.ts';

/** A program that makes the kernel load others (bpf/make-loader.c): what libbpf calls a light skeleton. */
export interface BpfLoader {
  /** Of 8 bytes each, base64. */
  readonly instructions: string;
  /** What it loads, base64. */
  readonly data: string;
  readonly maps: readonly string[];
  readonly programs: readonly string[];
}

const ARRAY = 2;
/** BPF_PROG_TYPE_SYSCALL, since Linux 5.14. */
const SYSTEM_CALLS = 31;
const SLEEPABLE = 1 << 4;
const INSTRUCTION_BYTES = 8;

/** struct bpf_loader_ctx, struct bpf_map_desc and struct bpf_prog_desc of libbpf's skel_internal.h. */
const CONTEXT = { size: 0, maps: 24, mapBytes: 16, programBytes: 4 } as const;

/** A signal breaks off the kernel's check of a program, with EAGAIN. */
const MOST_TRIES = 5;

/**
 * Has the kernel load BPF programs and look up its own types for them (CO-RE, Linux 5.17). libbpf would read all of the kernel's types, five megabytes, and
 * search them: that takes four times as long, and it need not be there.
 * @throws BpfError with the errno of the step that failed
 */
export function loadByKernel(loader: BpfLoader): LoadedBpf {
  for (let tries = 1; ; tries++) {
    try {
      return load(loader);
    } catch (error) {
      if (!(error instanceof BpfError) || error.code !== 'EAGAIN' || tries >= MOST_TRIES) throw error;
    }
  }
}

function load({ instructions, data, maps, programs }: BpfLoader): LoadedBpf {
  const blob = Buffer.from(data, 'base64');
  const code = Buffer.from(instructions, 'base64');
  const blobFd = callBpf('cannot make a BPF map', BPF.mapCreate, [
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
    programFd = callBpf('the kernel does not take the program that loads the others', BPF.programLoad, [
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
    const attributes = Buffer.alloc(80);
    const run: Parameters<typeof callBpf>[2] = [
      [0, programFd],
      [40, context.length],
      [48, context],
    ];
    callBpf('cannot run the program that loads the others', BPF.programRun, run, attributes);
    const result = attributes.readInt32LE(4);
    if (result < 0) throw new BpfError('the kernel does not take the BPF program', result);
    return {
      maps: new Map(maps.map((name, index) => [name, context.readInt32LE(CONTEXT.maps + index * CONTEXT.mapBytes)])),
      programs: new Map(programs.map((name, index) => [name, context.readInt32LE(programsAt + index * CONTEXT.programBytes)])),
    };
  } finally {
    closeSync(blobFd);
    if (programFd !== undefined) closeSync(programFd);
  }
}

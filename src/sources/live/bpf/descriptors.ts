import type { FoundFiles, OpenFile, SharedFile } from '../edges/open-file.ts';
import { IteratorProgram } from './iterator-program.ts';
import { DESCRIPTORS } from './object.ts';
import { RequestMap } from './request-map.ts';

/** The enum and the structures of bpf/descriptors.h. */
const MOST_WANTED = 16384;
const OPEN_FILE = { inode: 0, device: 8, size: 16 } as const;
const DESCRIPTOR = { inode: 0, device: 8, peer: 16, pid: 24, tid: 28, fd: 32, mode: 36, size: 40 } as const;
const MODE = { read: 1, write: 2 } as const;
/** MAJOR and MINOR of include/linux/kdev_t.h. */
const MINOR_BITS = 20;

/** Finds who has files open, by the program of bpf/descriptors.bpf.c. */
export class BpfDescriptors {
  readonly #program: IteratorProgram;
  /** By the bytes of a struct open_file, as latin1 text. */
  readonly #wanted: RequestMap<string>;

  /** @throws Error naming why the kernel refuses the program */
  constructor() {
    this.#program = new IteratorProgram(DESCRIPTORS, 'descriptors');
    this.#wanted = new RequestMap(this.#program.map('wanted'), (key) => Buffer.from(key, 'latin1'));
  }

  close(): void {
    this.#program.close();
  }

  /**
   * One pass over all descriptors of the host, broken off when it may not go on. FIFOs need their inode.
   * @throws BpfError
   */
  find(wanted: readonly SharedFile[], mayGoOn: () => boolean): FoundFiles {
    const targets = targetsOf(wanted.slice(0, MOST_WANTED));
    this.#wanted.set(new Map(Array.from(targets.keys(), (key) => [key, 1])));
    const files = new Map<string, OpenFile[]>();
    const peers = new Map<string, string>();
    let missing = wanted.length > MOST_WANTED ? `${wanted.length - MOST_WANTED} pipes and sockets` : undefined;
    for (const bytes of this.#program.read()) {
      takeDescriptors(bytes, targets, files, peers);
      if (mayGoOn()) continue;
      missing = 'the descriptors of some processes: no time left';
      break;
    }
    return { files, peers, missing, place: 'BPF iterator task_file' };
  }
}

/** The targets of the wanted files, by the bytes of their struct open_file. */
function targetsOf(wanted: readonly SharedFile[]): Map<string, string> {
  const targets = new Map<string, string>();
  for (const { target, fifo } of wanted) {
    const key = Buffer.alloc(OPEN_FILE.size);
    const inode = fifo?.inode ?? /^(?:pipe|socket):\[(\d+)\]$/.exec(target)?.[1];
    if (inode === undefined) continue;
    key.writeBigUInt64LE(BigInt(inode), OPEN_FILE.inode);
    if (fifo !== undefined) key.writeBigUInt64LE(BigInt(fifo.major * 2 ** MINOR_BITS + fifo.minor), OPEN_FILE.device);
    targets.set(key.toString('latin1'), target);
  }
  return targets;
}

/**
 * Takes the records of the program.
 * @param targets of the wanted files, by the bytes of their struct open_file
 */
export function takeDescriptors(
  bytes: Buffer,
  targets: ReadonlyMap<string, string>,
  files: Map<string, OpenFile[]>,
  peers: Map<string, string>,
): void {
  for (let at = 0; at + DESCRIPTOR.size <= bytes.length; at += DESCRIPTOR.size) {
    const pid = bytes.readUInt32LE(at + DESCRIPTOR.pid);
    // A sign of life.
    if (pid === 0) continue;
    const inode = bytes.readBigUInt64LE(at + DESCRIPTOR.inode);
    const peer = bytes.readBigUInt64LE(at + DESCRIPTOR.peer);
    // Sockets that no one has asked for are there because of their peer.
    const target = targets.get(bytes.toString('latin1', at, at + OPEN_FILE.size)) ?? `socket:[${inode}]`;
    const mode = bytes.readUInt32LE(at + DESCRIPTOR.mode);
    const file = {
      pid,
      tid: bytes.readUInt32LE(at + DESCRIPTOR.tid),
      fd: bytes.readUInt32LE(at + DESCRIPTOR.fd),
      reads: (mode & MODE.read) !== 0,
      writes: (mode & MODE.write) !== 0,
    };
    const others = files.get(target);
    if (others === undefined) files.set(target, [file]);
    else others.push(file);
    if (peer !== 0n) peers.set(target, `socket:[${peer}]`);
  }
}

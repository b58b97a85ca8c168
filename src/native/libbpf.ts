import { closeSync, readSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { allocate } from './memory.ts';

const LIBRARY = 'libbpf.so.1';

/** A call of libbpf failed. */
export class BpfError extends Error {
  /** The errno's name. */
  readonly code: string;

  constructor(what: string, errno: number) {
    const code = getSystemErrorName(-Math.abs(errno));
    super(`${what}: ${code}`);
    this.code = code;
  }
}

/** libbpf is not on this system. */
export class NoLibbpf extends Error {}

/** A BPF object that the kernel has taken. All of it goes with the process: nothing is pinned. */
export interface BpfObject {
  /** The descriptor of a map. */
  mapFd(name: string): number;
  /** Gives a map's element a value. */
  update(mapFd: number, key: Uint8Array, value: Uint8Array): void;
  /** Takes an element out of a map; nothing happens where there is none. */
  remove(mapFd: number, key: Uint8Array): void;
  /** Reads a map's element into `value`. */
  lookup(mapFd: number, key: Uint8Array, value: Uint8Array): void;
  /** Makes ready an iterator: over tasks, or over the elements of a map. Returns what {@link readIterator} takes. */
  attachIterator(program: string, mapFd?: number): number;
  /** Runs an iterator once and hands over what it writes, in pieces that end with a whole record. The bytes are valid during the call only. */
  readIterator(linkFd: number, take: (bytes: Buffer) => void): void;
}

const BUFFER_BYTES = 1 << 20;

/**
 * Loads a BPF object by libbpf (its API: libbpf.h).
 * @param elf the object file's content
 * @throws NoLibbpf where the library is missing; BpfError naming the step and the errno
 */
export function loadBpfObject(elf: Uint8Array): BpfObject {
  const library = openLibrary();
  const call = (declaration: string) => library.func(declaration);
  // What fails is said by whoever asked, in one line.
  call('void *libbpf_set_print(void *print)')(null);
  const object: bigint | null = call('void *bpf_object__open_mem(const void *elf, size_t bytes, const void *options)')(
    elf,
    elf.length,
    null,
  );
  if (!object) throw new BpfError('cannot read the BPF object', koffi.errno());
  const loaded: number = call('int bpf_object__load(void *object)')(object);
  if (loaded !== 0) throw new BpfError('the kernel does not take the BPF program', loaded);

  const findProgram = call('void *bpf_object__find_program_by_name(void *object, const char *name)');
  const findMapFd = call('int bpf_object__find_map_fd_by_name(void *object, const char *name)');
  const updateElement = call('int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)');
  const deleteElement = call('int bpf_map_delete_elem(int fd, const void *key)');
  const lookupElement = call('int bpf_map_lookup_elem(int fd, const void *key, _Out_ void *value)');
  const attach = call('void *bpf_program__attach_iter(void *program, const void *options)');
  const linkFd = call('int bpf_link__fd(void *link)');
  const createIterator = call('int bpf_iter_create(int link)');
  const buffer = Buffer.from(allocate(BUFFER_BYTES, false).bytes);
  const check = (what: string, result: number) => {
    if (result < 0) throw new BpfError(what, result);
    return result;
  };
  return {
    mapFd: (name) => check(`no BPF map ${name}`, findMapFd(object, name)),
    update: (fd, key, value) => void check('cannot write to a BPF map', updateElement(fd, key, value, 0n)),
    remove: (fd, key) => void deleteElement(fd, key),
    lookup: (fd, key, value) => void check('cannot read a BPF map', lookupElement(fd, key, value)),
    attachIterator: (name, mapFd) => {
      const link: bigint | null = attach(findProgram(object, name), mapFd === undefined ? null : mapOptions(mapFd));
      if (!link) throw new BpfError(`cannot attach the BPF iterator ${name}`, koffi.errno());
      return linkFd(link);
    },
    readIterator: (link, take) => {
      const fd = check('cannot start the BPF iterator', createIterator(link));
      try {
        for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) take(buffer.subarray(0, length));
      } finally {
        closeSync(fd);
      }
    },
  };
}

function openLibrary(): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(LIBRARY);
  } catch (error) {
    throw new NoLibbpf(error instanceof Error ? error.message : String(error));
  }
}

/** struct bpf_iter_attach_opts: its size, a pointer to union bpf_iter_link_info (a map's descriptor first) and that one's length. */
function mapOptions(mapFd: number): bigint {
  const info = allocate(16);
  new Int32Array(info.bytes)[0] = mapFd;
  const options = allocate(24);
  const fields = new BigUint64Array(options.bytes);
  fields[0] = 24n;
  fields[1] = info.address;
  fields[2] = 16n;
  return options.address;
}

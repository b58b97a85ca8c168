import { BpfError, type LoadedBpf } from './bpf.ts';
import { lastErrno } from './errno.ts';
import type { NativeFunction, NativeLibrary, NativeResult } from './ffi.ts';
import { openLibrary } from './ffi-koffi.ts';

const LIBRARY = 'libbpf.so.1';

/** libbpf is not installed, or lacks a function. */
export class NoLibbpf extends Error {}

/**
 * Loads a BPF object through libbpf (libbpf.h).
 * @param elf the object file's content
 * @throws NoLibbpf if the library is missing; BpfError naming the step and the errno
 */
export function loadByLibbpf(elf: Uint8Array, maps: readonly string[], programs: readonly string[]): LoadedBpf {
  const library = openLibbpf();
  const call = <const Declaration extends string>(
    declaration: Declaration,
  ): NativeFunction<NativeResult<Declaration>> => {
    const found = library.find(declaration);
    if (found === undefined) throw new NoLibbpf(`${LIBRARY} has no function '${declaration}'`);
    return found;
  };
  // libbpf would print pages to standard error; the caller reports a failure in one line.
  call('void *libbpf_set_print(void *print)')(null);
  const object = call('void *bpf_object__open_mem(const void *elf, size_t bytes, const void *options)')(
    elf,
    elf.length,
    null,
  );
  if (!object) throw new BpfError('cannot read the BPF object', lastErrno());
  const loaded = call('int bpf_object__load(void *object)')(object);
  if (loaded !== 0) throw new BpfError('the kernel refuses the BPF program', loaded);
  const mapFd = call('int bpf_object__find_map_fd_by_name(void *object, const char *name)');
  const findProgram = call('void *bpf_object__find_program_by_name(void *object, const char *name)');
  const programFd = call('int bpf_program__fd(void *program)');
  return {
    maps: new Map(maps.map((name) => [name, mapFd(object, name)])),
    programs: new Map(programs.map((name) => [name, programFd(findProgram(object, name))])),
  };
}

function openLibbpf(): NativeLibrary {
  try {
    return openLibrary(LIBRARY);
  } catch (error) {
    throw new NoLibbpf(error instanceof Error ? error.message : String(error));
  }
}

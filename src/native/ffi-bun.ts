// Calls into C from the executable, by Bun itself: no file is unpacked for it, and no library but glibc needed. Stands
// there for ffi-koffi.ts.
import { type Call, CFunction, CString, dlopen, ptr, read, type Signature, type Type, toArrayBuffer } from 'bun:ffi';
import { type CType, parseDeclaration } from './declaration.ts';
import type { NativeFunction, NativeLibrary, NativeMemory, NativeResult } from './ffi.ts';

/** Loads all that a library refers to (dlfcn.h). */
const RTLD_NOW = 2;

const PARAMETERS: Readonly<Record<CType, Type>> = {
  void: 'void',
  int: 'i32',
  'unsigned int': 'u32',
  long: 'i64',
  size_t: 'u64',
  pointer: 'ptr',
  string: 'ptr',
};
/** Numbers of 64 bits come back as numbers, as long as they are safe integers. */
const RESULTS: Readonly<Record<CType, Type>> = { ...PARAMETERS, long: 'i64_fast', size_t: 'u64_fast' };

/** The C library's parts, in the order in which to look: before glibc 2.34, librt was one of its own. */
export const LIBC = ['libc.so.6', 'librt.so.1'] as const;

/** What all else is found by. Before glibc 2.34, libdl was a library of its own, which the runtime has loaded. */
const linker = (() => {
  const signatures = {
    dlopen: { args: ['ptr', 'i32'], returns: 'ptr' },
    dlsym: { args: ['ptr', 'ptr'], returns: 'ptr' },
    dlerror: { args: [], returns: 'ptr' },
  } as const satisfies Record<string, Signature>;
  try {
    return dlopen('libc.so.6', signatures).symbols;
  } catch {
    return dlopen('libdl.so.2', signatures).symbols;
  }
})();

/**
 * Opens a library by its name. Not by Bun's own dlopen, which looks for what is missing in the current folder too,
 * where anybody may have put it.
 * @throws Error where there is none
 */
export function openLibrary(name: string): NativeLibrary {
  const handle = linker.dlopen(nullTerminated(name), RTLD_NOW);
  if (typeof handle !== 'number') throw new Error(String(new CString(Number(linker.dlerror()))));
  return {
    find<const Declaration extends string>(
      declaration: Declaration,
    ): NativeFunction<NativeResult<Declaration>> | undefined {
      const { name: symbol, result, parameters } = parseDeclaration(declaration);
      const address = linker.dlsym(handle, nullTerminated(symbol));
      if (typeof address !== 'number') return undefined;
      const call = CFunction({
        args: parameters.map((type) => PARAMETERS[type]),
        returns: RESULTS[result],
        ptr: address,
      });
      return adapt(call, parameters.includes('string'), result === 'pointer') as NativeFunction<
        NativeResult<Declaration>
      >;
    },
  };
}

/** Most functions are Bun's own. To the others strings go as C has them, and addresses come back as bigints. */
function adapt(call: Call, takesStrings: boolean, returnsAddress: boolean): NativeFunction<unknown> {
  if (!takesStrings && !returnsAddress) return call as NativeFunction<unknown>;
  return (...values) => {
    const result = call(...values.map((value) => (typeof value === 'string' ? nullTerminated(value) : value)));
    return returnsAddress && typeof result === 'number' ? BigInt(result) : result;
  };
}

function nullTerminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The place of the main thread's errno, and malloc(3). */
const { errnoAddress, malloc } = (() => {
  const { __errno_location: locate, malloc } = dlopen('libc.so.6', {
    __errno_location: { args: [], returns: 'ptr' },
    malloc: { args: ['u64'], returns: 'ptr' },
  }).symbols;
  return { errnoAddress: Number(locate()), malloc };
})();

/** errno of the call before, which must have been the last. */
export function lastErrno(): number {
  return read.i32(errnoAddress, 0);
}

/** Where a buffer's bytes are. They stay there for as long as the buffer is referred to. */
export function addressOf(buffer: ArrayBufferView): bigint {
  // The bytes of a small one move when its ArrayBuffer is first asked for: that is done before, then.
  void buffer.buffer;
  return BigInt(ptr(buffer));
}

/** Allocates memory that is never freed. Its content is undefined. @throws Error where there is none left */
export function allocateBytes(bytes: number): NativeMemory {
  const address = malloc(bytes);
  if (typeof address !== 'number') throw new Error(`out of memory: ${bytes} bytes`);
  return { address: BigInt(address), bytes: toArrayBuffer(address, 0, bytes) };
}

/** The bytes at an address, shared, not copied. */
export function viewAt(address: bigint, bytes: number): ArrayBuffer {
  return toArrayBuffer(Number(address), 0, bytes);
}

/** The string at an address, up to its NUL. */
export function stringAt(address: bigint): string {
  return String(new CString(Number(address)));
}

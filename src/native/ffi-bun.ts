// Calls into C from the executable, through Bun's own FFI: it unpacks no file and needs no library but glibc. Replaces
// ffi-koffi.ts there.
import { type Call, CFunction, CString, dlopen, ptr, read, type Signature, type Type, toArrayBuffer } from 'bun:ffi';
import { type CType, parseDeclaration } from './declaration.ts';
import type { NativeFunction, NativeLibrary, NativeMemory, NativeResult } from './ffi.ts';

/** dlfcn.h */
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
/** 64-bit results are numbers if they are safe integers, else bigints. */
const RESULTS: Readonly<Record<CType, Type>> = { ...PARAMETERS, long: 'i64_fast', size_t: 'u64_fast' };

/** The libraries to search, in this order. librt was separate before glibc 2.34. */
export const LIBC = ['libc.so.6', 'librt.so.1'] as const;

/** dlopen(3) and its kin. libdl was separate before glibc 2.34; the runtime has it loaded there. */
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
 * Opens a library by name. Not through Bun's own dlopen, which falls back to the current folder, where anybody may have
 * put a library.
 * @throws Error if there is none
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

/** Wraps a call only if it takes strings, which get a NUL, or returns an address, which becomes a bigint. */
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

/** The address of the main thread's errno, and malloc(3). */
const { errnoAddress, malloc } = (() => {
  const { __errno_location: locate, malloc } = dlopen('libc.so.6', {
    __errno_location: { args: [], returns: 'ptr' },
    malloc: { args: ['u64'], returns: 'ptr' },
  }).symbols;
  return { errnoAddress: Number(locate()), malloc };
})();

/** The errno of the last call. Valid only right after it. */
export function lastErrno(): number {
  return read.i32(errnoAddress, 0);
}

/** The address of a buffer's bytes. Valid for as long as the buffer is referenced. */
export function addressOf(buffer: ArrayBufferView): bigint {
  // The bytes of a small buffer move when its ArrayBuffer is first accessed, so this accesses it first.
  void buffer.buffer;
  return BigInt(ptr(buffer));
}

/** Allocates memory that is never freed. Its content is undefined. @throws Error if memory is short */
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

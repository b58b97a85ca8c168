// Calls into C from Node.js, through koffi. The executable has ffi-bun.ts instead (build-standalone.mjs).
import koffi from 'koffi';
import { type CType, parseDeclaration } from './declaration.ts';
import type { NativeFunction, NativeLibrary, NativeMemory, NativeResult } from './ffi.ts';

/**
 * The libraries to search, in this order. null is what the process has loaded already, which is all of the C library
 * in musl and since glibc 2.34.
 */
export const LIBC = [null, 'librt.so.1'] as const;

const TYPES: Readonly<Record<CType, string>> = {
  void: 'void',
  int: 'int',
  'unsigned int': 'unsigned int',
  long: 'long',
  size_t: 'size_t',
  pointer: 'void *',
  string: 'const char *',
};

/**
 * Opens a library by name; null is what the process has loaded already.
 * @throws Error if there is none, or if pointers are not 64 bits wide
 */
export function openLibrary(name: string | null): NativeLibrary {
  if (koffi.sizeof('void *') !== 8)
    throw new Error(`kstack needs a 64-bit system; this Node.js is built for ${process.arch}`);
  const library = koffi.load(name);
  return {
    find<const Declaration extends string>(
      declaration: Declaration,
    ): NativeFunction<NativeResult<Declaration>> | undefined {
      const { name: symbol, result, parameters } = parseDeclaration(declaration);
      try {
        return library.func(
          symbol,
          TYPES[result],
          parameters.map((type) => TYPES[type]),
        );
      } catch {
        return undefined;
      }
    },
  };
}

/** The errno of the last call. Valid only right after it. */
export function lastErrno(): number {
  return koffi.errno();
}

/** The address of a buffer's bytes. Valid for as long as the buffer is referenced. */
export function addressOf(buffer: ArrayBufferView): bigint {
  return koffi.address(buffer);
}

/** Allocates memory that is never freed. Its content is undefined. @throws Error if memory is short */
export function allocateBytes(bytes: number): NativeMemory {
  const address: bigint = koffi.alloc('uint8_t', bytes);
  return { address, bytes: koffi.view(address, bytes) };
}

/** The bytes at an address, shared, not copied. */
export function viewAt(address: bigint, bytes: number): ArrayBuffer {
  return koffi.view(address, bytes);
}

/** The string at an address, up to its NUL. */
export function stringAt(address: bigint): string {
  return koffi.decode(address, 'char', -1);
}

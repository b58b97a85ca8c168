import koffi from 'koffi';

export type NativeFunction = ReturnType<ReturnType<typeof koffi.load>['func']>;

/** Where the C library's functions are: since glibc 2.34, and in musl, all is in what the process has loaded already. */
const LIBRARIES = [null, 'librt.so.1'];

/** A function of the C library, by its C declaration (`int aio_error(void *)`); undefined where the library does not have it. */
export function findLibcFunction(declaration: string): NativeFunction | undefined {
  for (const library of LIBRARIES) {
    try {
      return koffi.load(library).func(declaration);
    } catch {
      // Not in this one, or there is no such library: the next may have it, and the caller says when none has.
    }
  }
  return undefined;
}

/** @throws Error naming the function where the C library does not have it, or where pointers are not 64 bits wide. */
export function libcFunction(declaration: string): NativeFunction {
  if (koffi.sizeof('void *') !== 8) throw new Error(`kstack needs a 64-bit system; this Node.js is built for ${process.arch}`);
  const found = findLibcFunction(declaration);
  if (found === undefined) throw new Error(`the C library has no function '${declaration}'`);
  return found;
}

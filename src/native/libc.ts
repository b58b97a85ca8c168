import type { NativeFunction, NativeLibrary, NativeResult } from './ffi.ts';
import { LIBC, openLibrary } from './ffi-koffi.ts';

/** A function of the C library by its C declaration, such as `int aio_error(void *)`; undefined if it has none. */
export function findLibcFunction<const Declaration extends string>(
  declaration: Declaration,
): NativeFunction<NativeResult<Declaration>> | undefined {
  for (const name of LIBC) {
    const found = openIfThere(name)?.find(declaration);
    if (found !== undefined) return found;
  }
  return undefined;
}

const opened = new Map<(typeof LIBC)[number], NativeLibrary | undefined>();

/** Not every C library has each of these libraries; a function that none of them has is the caller's to report. */
function openIfThere(name: (typeof LIBC)[number]): NativeLibrary | undefined {
  if (opened.has(name)) return opened.get(name);
  let library: NativeLibrary | undefined;
  try {
    library = openLibrary(name);
  } catch {
    // That of glibc before 2.34 only.
  }
  opened.set(name, library);
  return library;
}

/** @throws Error naming the function if the C library lacks it */
export function libcFunction<const Declaration extends string>(
  declaration: Declaration,
): NativeFunction<NativeResult<Declaration>> {
  const found = findLibcFunction(declaration);
  if (found === undefined) throw new Error(`the C library has no function '${declaration}'`);
  return found;
}

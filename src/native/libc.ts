import type { NativeFunction, NativeLibrary, NativeResult } from './ffi.ts';
import { LIBC, openLibrary } from './ffi-koffi.ts';

/**
 * A function of the C library, by its C declaration (`int aio_error(void *)`); undefined where the library does not
 * have it.
 */
export function findLibcFunction<const Declaration extends string>(
  declaration: Declaration,
): NativeFunction<NativeResult<Declaration>> | undefined {
  for (const name of LIBC) {
    const found = openIfThere(name)?.find(declaration);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * A part that is not there is none of this C library's: another has what is looked for, or the caller says that none
 * has.
 */
function openIfThere(name: (typeof LIBC)[number]): NativeLibrary | undefined {
  try {
    return openLibrary(name);
  } catch {
    return undefined;
  }
}

/** @throws Error naming the function where the C library does not have it */
export function libcFunction<const Declaration extends string>(
  declaration: Declaration,
): NativeFunction<NativeResult<Declaration>> {
  const found = findLibcFunction(declaration);
  if (found === undefined) throw new Error(`the C library has no function '${declaration}'`);
  return found;
}

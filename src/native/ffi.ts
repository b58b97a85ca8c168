/**
 * An argument of a C function: a number, memory (a buffer or an address), or a string, which C gets NUL-terminated.
 * 64-bit numbers may be bigints.
 */
export type NativeArgument = number | bigint | string | null | ArrayBufferView;

/** What a C function with this declaration returns: an address (null for NULL), nothing, or a number. */
export type NativeResult<Declaration extends string> = Declaration extends `${infer Head}(${string}`
  ? Head extends `${string}*${string}`
    ? bigint | null
    : Head extends `void ${string}`
      ? undefined
      : number
  : never;

export type NativeFunction<Result = number> = (...values: NativeArgument[]) => Result;

/** A shared library. It stays loaded until the process ends. */
export interface NativeLibrary {
  /**
   * A function by its C declaration, such as `int close(int fd)`; undefined if the library lacks it. Declare a variadic
   * function with the arguments it is called with: on x64 and arm64 that is the same call, as long as no argument is a
   * floating-point number.
   */
  find<const Declaration extends string>(
    declaration: Declaration,
  ): NativeFunction<NativeResult<Declaration>> | undefined;
}

/** Memory outside the JavaScript heap, for the C library. */
export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: ArrayBuffer;
}

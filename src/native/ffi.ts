/**
 * What a C function takes: a number, memory (a buffer, or an address), a string that ends with NUL in C. Numbers of 64
 * bits may be bigints.
 */
export type NativeArgument = number | bigint | string | null | ArrayBufferView;

/** What a C function of that declaration returns: an address (null for NULL), nothing, or a number. */
export type NativeResult<Declaration extends string> = Declaration extends `${infer Head}(${string}`
  ? Head extends `${string}*${string}`
    ? bigint | null
    : Head extends `void ${string}`
      ? undefined
      : number
  : never;

export type NativeFunction<Result = number> = (...values: NativeArgument[]) => Result;

/** A shared library that is loaded, for as long as the process lives. */
export interface NativeLibrary {
  /**
   * A function by its C declaration, such as `int close(int fd)`; undefined where the library does not have it.
   * Functions with `...` are declared with what they are called with: on x64 and arm64 that is the same call, as long
   * as no argument is a floating-point number.
   */
  find<const Declaration extends string>(
    declaration: Declaration,
  ): NativeFunction<NativeResult<Declaration>> | undefined;
}

/** A piece of memory outside of the JavaScript heap, for the C library. */
export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: ArrayBuffer;
}

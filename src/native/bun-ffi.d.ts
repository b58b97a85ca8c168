/** What ffi-bun.ts uses of https://bun.sh/docs/runtime/ffi. */
declare module 'bun:ffi' {
  export type Type = 'i32' | 'u32' | 'i64' | 'u64' | 'i64_fast' | 'u64_fast' | 'ptr' | 'void';
  export type Value = number | bigint | null | ArrayBufferView;
  export type Call = (...values: Value[]) => number | bigint | null | undefined;
  export interface Signature {
    readonly args: readonly Type[];
    readonly returns: Type;
  }
  export function dlopen<Name extends string>(
    library: string,
    signatures: Readonly<Record<Name, Signature>>,
  ): { readonly symbols: Readonly<Record<Name, Call>> };
  export function CFunction(signature: Signature & { readonly ptr: number }): Call;
  export class CString extends String {
    constructor(address: number);
  }
  export function ptr(view: ArrayBufferView): number;
  export function toArrayBuffer(address: number, offset: number, bytes: number): ArrayBuffer;
  export const read: { i32(address: number, offset: number): number };
}

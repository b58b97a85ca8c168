import type { SystemCall } from '../../model/system-call.ts';
export type Question =
  | { readonly kind: 'fd'; readonly fd: number }
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: number; readonly as: 'path' };
export type Part = string | Question;
export interface DecodedCall {
  readonly name: string;
  readonly parts: readonly (readonly Part[])[];
}
export function decodeSystemCall(call: SystemCall, _architecture: string): DecodedCall {
  const a = call.arguments;
  if (call.number === 83) return { name: 'mkdir', parts: [[{ kind: 'memory', address: a[0] ?? 0n, bytes: 4096, as: 'path' }]] };
  if (call.number === 0) return { name: 'read', parts: [[{ kind: 'fd', fd: Number(a[0]) }]] };
  return { name: `call${call.number}`, parts: [] };
}
export function questionsOf(call: DecodedCall): Question[] {
  return call.parts.flat().filter((p) => typeof p !== 'string');
}
export type Answer = string | Uint8Array | undefined;
export function printSystemCall(call: DecodedCall, answer: (question: Question) => Answer): string {
  return `${call.name}(${call.parts.map((parts) => parts.map((p) => (typeof p === 'string' ? p : `${p.kind === 'fd' ? p.fd : p.address}<${answer(p)}>`)).join('')).join(', ')})`;
}

import type { Stack } from '../model/stack.ts';
import { functionName } from './function-name.ts';

const signatures = new WeakMap<Stack, string>();

/**
 * 16 hexadecimal digits that are equal for stacks with the same functions. Offsets, compiler suffixes and modules are
 * ignored, so the same wait has the same signature on every kernel and host. Made of two 32-bit hashes: FNV-1a, and
 * the same with another factor.
 */
export function signatureOf(stack: Stack): string {
  let signature = signatures.get(stack);
  if (signature === undefined) {
    const text = stack.frames.map(({ symbol }) => functionName(symbol)).join('\n');
    signature = hash(text, 0x01000193) + hash(text, 0x5bd1e995);
    signatures.set(stack, signature);
  }
  return signature;
}

const BASIS = 0x811c9dc5;

function hash(text: string, prime: number): string {
  let value = BASIS;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), prime);
  return (value >>> 0).toString(16).padStart(8, '0');
}

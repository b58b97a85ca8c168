import type { Stack } from '../model/stack.ts';
import { functionName } from './function-name.ts';

const signatures = new WeakMap<Stack, string>();

/**
 * The same 16 hexadecimal digits for stacks of the same functions, whatever their offsets, compiler suffixes and
 * modules: the same wait on every kernel and host. Two hashes of 32 bits each (FNV-1a, and with another factor).
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

import type { Finding } from '../model/finding.ts';
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
    signature = digitsOf(text);
    signatures.set(stack, signature);
  }
  return signature;
}

/**
 * 16 hexadecimal digits for a wait: of the rule that explains it and the functions of its stack, or of what is waited
 * for where there is no stack. Equal on every kernel and host, like {@link signatureOf}.
 */
export function waitSignature(
  { rule, waitsFor }: Pick<Finding, 'rule' | 'waitsFor'>,
  stack: Stack | undefined,
): string {
  return digitsOf(`${rule ?? ''}\n${stack === undefined ? waitsFor : signatureOf(stack)}`);
}

function digitsOf(text: string): string {
  return hash(text, 0x01000193) + hash(text, 0x5bd1e995);
}

const BASIS = 0x811c9dc5;

function hash(text: string, prime: number): string {
  let value = BASIS;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), prime);
  return (value >>> 0).toString(16).padStart(8, '0');
}

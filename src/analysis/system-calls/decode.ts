import type { SystemCall } from '../../model/system-call.ts';
import { type ArgumentContext, KINDS } from './arguments.ts';
import { printMemory } from './memory.ts';
import { ARM64, I386, X64 } from './names.ts';
import { SIGNATURES } from './signatures.ts';

/** Something about a task that only a look at it can answer. */
export type Question =
  | { readonly kind: 'fd'; readonly fd: number }
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: number; readonly as: MemoryKind };

export type MemoryKind = 'path' | 'sockaddr' | 'timespec' | 'pollfds';

/** Text as it is to be printed, or what is to be asked first. */
export type Part = string | Question;

export interface DecodedCall {
  readonly name: string;
  /** One entry an argument. */
  readonly parts: readonly Part[];
}

/** To `fd`: what the descriptor is. To `memory`: the bytes that could be read, perhaps fewer. Undefined: not known, printed as the bare number or address. */
export type Answer = string | Uint8Array | undefined;

const FOUR_GIB = 1n << 32n;

/**
 * What a task asked of the kernel: the call's name and its arguments, those left out that don't count (the mode of an open that makes nothing).
 *
 * @param architecture the host's, as process.arch names it: of others than x64 and arm64 the names are not known. A task of 32 bits has numbers of its
 * own, and /proc does not tell which tasks are: both stack and program counter below 4 GiB are taken as the sign, as no 64-bit program's stack is there.
 */
export function decodeSystemCall(
  { number, arguments: values, stackPointer, programCounter }: SystemCall,
  architecture: string,
): DecodedCall {
  const bits = stackPointer < FOUR_GIB && programCounter < FOUR_GIB ? 32 : 64;
  const name = namesOf(architecture, bits)?.get(number);
  const kinds = name === undefined ? undefined : SIGNATURES[name];
  if (name === undefined || kinds === undefined) {
    const shown = name ?? `system call ${number}${bits === 32 ? ' (32-bit)' : ''}`;
    return { name: shown, parts: values.map((value) => `0x${value.toString(16)}`) };
  }
  const context: ArgumentContext = { values, architecture, bits };
  const parts: Part[] = [];
  for (const [at, kind] of kinds.split(' ').entries()) {
    const decode = KINDS[kind];
    if (kind === '' || decode === undefined) continue;
    for (const part of decode(values[at] ?? 0n, at, context)) parts.push(part);
  }
  return { name, parts };
}

function namesOf(architecture: string, bits: 32 | 64): ReadonlyMap<number, string> | undefined {
  if (architecture === 'x64') return bits === 32 ? I386 : X64;
  return architecture === 'arm64' && bits === 64 ? ARM64 : undefined;
}

export function questionsOf({ parts }: DecodedCall): Question[] {
  return parts.filter((part) => typeof part !== 'string');
}

/** `openat(AT_FDCWD, "/data/f", O_WRONLY|O_CREAT, 0644)`. Names of files and the like are not made safe to show. */
export function printSystemCall({ name, parts }: DecodedCall, answer: (question: Question) => Answer): string {
  return `${name}(${parts.map((part) => (typeof part === 'string' ? part : print(part, answer(part)))).join(', ')})`;
}

function print(question: Question, answer: Answer): string {
  if (question.kind === 'fd') return typeof answer === 'string' ? `${question.fd}<${answer}>` : `${question.fd}`;
  const read = answer instanceof Uint8Array ? printMemory(question.as, answer, question.bytes) : undefined;
  return read ?? `0x${question.address.toString(16)}`;
}

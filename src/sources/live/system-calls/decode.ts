import type { Stack } from '../../../model/stack.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import { type Answers, printPart } from './answers.ts';
import { argumentsOf, type Registers } from './arguments.ts';
import { arm64Names, i386Names, x64Names } from './names.ts';
import { hex, type Part } from './question.ts';
import { resumedCall } from './restarts.ts';
import { signatureOf } from './variants.ts';

export type { Answers } from './answers.ts';
export { type Answer, keyOf, type Part, type Question } from './question.ts';

/** A system call with the arguments it was given, as far as its registers tell. */
export interface DecodedCall {
  readonly name: string;
  readonly parts: readonly Part[];
}

/** `0x` and eight digits. */
const FOUR_GIB_DIGITS = 10;

/**
 * Names a system call and its arguments.
 *
 * On x64 and arm64, a call is taken for that of a 32-bit task where both the stack pointer and the program counter are
 * below 4 GiB, as /proc/PID/syscall does not tell. Few 64-bit tasks have both there: those that are linked to a fixed
 * address without shared libraries and make their stacks on the heap. Nor does it tell of 64-bit tasks that ask by the
 * 32-bit numbers (int 0x80).
 *
 * The number stands for the name, and all six registers are shown, where the name is not known: in calls newer than
 * Linux 6.18, of 32-bit tasks on arm64, and on all other architectures.
 *
 * @param architecture process.arch of the host whose kernel it was
 * @param stack tells what a restart_syscall resumes, whose registers are not its arguments
 */
export function decodeSystemCall(call: SystemCall, architecture: string, stack?: Stack): DecodedCall {
  const registers = registersOf(call, architecture);
  const { words, bits } = registers;
  const name = namesOf(architecture, bits)?.get(call.number);
  if (name === undefined) {
    return {
      name: `system call ${call.number}${architecture === 'arm64' && bits === 32 ? ' (32-bit)' : ''}`,
      parts: words.map(hex),
    };
  }
  const resumed = name === 'restart_syscall' && stack !== undefined ? resumedCall(stack) : undefined;
  if (resumed !== undefined) return { name, parts: [`<... resuming interrupted ${resumed} ...>`] };
  const signature = signatureOf(name, registers);
  return { name, parts: signature === undefined ? words.map(hex) : argumentsOf(signature, registers) };
}

/** The argument registers of a call. */
export function registersOf(call: SystemCall, architecture: string): Registers {
  const bits = isNarrow(call, architecture) ? 32 : 64;
  const words = Array.from({ length: 6 }, (_, at) => BigInt.asUintN(bits, BigInt(call.arguments[at] ?? 0)));
  return { words, bits, architecture };
}

/** The name of a system call; undefined where it is not known for the architecture. */
export function nameOfCall(call: SystemCall, architecture: string): string | undefined {
  return namesOf(architecture, isNarrow(call, architecture) ? 32 : 64)?.get(call.number);
}

/**
 * The call in one line of safe text, much as strace(1) prints it: `read(3</var/lib/db/wal>, ..., 8192)`. Asks all that
 * its arguments and the answers raise.
 */
export function printSystemCall(call: DecodedCall, answers: Answers): string {
  return `${call.name}(${call.parts.map((part) => printPart(part, answers)).join(', ')})`;
}

function isNarrow({ stackPointer, programCounter }: SystemCall, architecture: string): boolean {
  return (
    (architecture === 'x64' || architecture === 'arm64') &&
    isBelowFourGib(stackPointer) &&
    isBelowFourGib(programCounter)
  );
}

/** As the kernel prints it: without zeros in front. */
function isBelowFourGib(address: string | undefined): boolean {
  return address !== undefined && address.length <= FOUR_GIB_DIGITS;
}

function namesOf(architecture: string, bits: 32 | 64): ReadonlyMap<number, string> | undefined {
  if (architecture === 'x64') return bits === 32 ? i386Names() : x64Names();
  return architecture === 'arm64' && bits === 64 ? arm64Names() : undefined;
}

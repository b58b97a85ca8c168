import { formatIpv6 } from '../../../model/ip-address.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { CONSTANTS } from './constants.ts';
import { nameOf, printSignals } from './naming.ts';
import {
  type Answer,
  descriptor,
  hex,
  type MemoryQuestion,
  MOST_DESCRIPTORS,
  type Part,
  type Question,
  signalSet,
} from './question.ts';
import { escapeTarget, quote } from './quote.ts';

/** What is known about a task. An answer may lead to another question: memory says which descriptors a poll is for. */
export type Answers = (question: Question) => Answer;

/**
 * An argument of a call, with the answer where it is a question: the bare number or address where nothing is known.
 */
export function printPart(part: Part, answers: Answers): string {
  if (typeof part === 'string') return part;
  const answer = answers(part);
  if (part.kind === 'fd') return `${part.fd}${printTarget(answer)}`;
  if (part.kind === 'cwd') return printTarget(answer);
  const memory = answer instanceof Uint8Array ? Buffer.from(answer).subarray(0, part.bytes) : Buffer.alloc(0);
  if (part.as === 'path') return printPath(part, memory, answers);
  return (memory.length === 0 ? undefined : printMemory(part, memory, answers)) ?? hex(part.address);
}

/** What a descriptor, or the working directory, refers to; nothing where that is not known. */
function printTarget(answer: Answer): string {
  if (answer === undefined) return '';
  if (answer instanceof Uint8Array) return `<${escapeTarget(decodeBytes(Buffer.from(answer)))}>`;
  if (typeof answer === 'string') return `<${escapeTarget(answer)}>`;
  return `<${escapeTarget(answer.local)} -> ${escapeTarget(answer.peer)}>`;
}

const SLASH = 0x2f;

/** The directory that a relative path starts from stands where strace(1) has it, or behind the path. */
function printPath(question: MemoryQuestion & { readonly as: 'path' }, memory: Buffer, answers: Answers): string {
  const path = memory.length === 0 ? hex(question.address) : printString(memory);
  const isRelative = memory.length > 0 && memory[0] !== SLASH;
  const folder = isRelative ? printPart({ kind: 'cwd' }, answers) : '';
  if (question.from === 'AT_FDCWD') return `AT_FDCWD${folder}, ${path}`;
  return folder === '' ? path : `${path} in ${folder}`;
}

/** Undefined where there are too few bytes to tell anything. */
function printMemory(
  question: Exclude<MemoryQuestion, { readonly as: 'path' }>,
  memory: Buffer,
  answers: Answers,
): string | undefined {
  switch (question.as) {
    case 'string':
      return printString(memory);
    case 'sockaddr':
      return printSocketAddress(memory, question.bytes);
    case 'pollfds':
      return printPollfds(memory, question.count, answers);
    case 'fdset':
      return printFdset(memory, question.count, answers);
    default:
      // The others are of one size.
      return memory.length < question.bytes ? undefined : printStructure(question.as, memory, answers);
  }
}

function printStructure(
  as: 'timespec' | 'timeval' | 'flock' | 'sigset' | 'sigsetpointer',
  memory: Buffer,
  answers: Answers,
): string {
  switch (as) {
    case 'flock':
      return printFlock(memory);
    case 'sigset':
      return printSignals(memory.readBigUInt64LE(0), 64);
    case 'sigsetpointer':
      return printSignalSetPointer(memory, answers);
    default:
      return printTime(memory, as === 'timespec' ? 9 : 6);
  }
}

/** struct sigset_argpack and struct __aio_sigset: an address and a size, of 64 bits each or of 32. */
function printSignalSetPointer(memory: Buffer, answers: Answers): string {
  const word = (at: number) =>
    memory.length === 16 ? memory.readBigUInt64LE(8 * at) : BigInt(memory.readUInt32LE(4 * at));
  return `{${printPart(signalSet(word(0), word(1)), answers)}, ${word(1)}}`;
}

/** Three dots behind it say that it does not end in what could be read. */
function printString(memory: Buffer): string {
  const end = memory.indexOf(0);
  return end === -1 ? `${quote(memory)}...` : quote(memory.subarray(0, end));
}

/** struct timespec and struct timeval, of two words of 64 bits or, for tasks of 32 bits, of 32. */
function printTime(memory: Buffer, digits: number): string {
  const wide = memory.length === 16;
  const seconds = wide ? memory.readBigInt64LE(0) : BigInt(memory.readInt32LE(0));
  // Of 64 bits, the kernel ignores the upper half where a task of 32 bits gives them; anything in it is an error of
  // others.
  const fraction = memory.readInt32LE(wide ? 8 : 4);
  if (seconds < 0n || fraction < 0 || fraction >= 10 ** digits)
    return `{${seconds} s, ${fraction} ${digits === 9 ? 'ns' : 'us'}}`;
  const decimals = `${fraction}`.padStart(digits, '0').replace(/0+$/, '');
  return `{${seconds}${decimals === '' ? '' : `.${decimals}`} s}`;
}

/**
 * struct flock with fields of 64 bits; of 32 bits; and struct flock64 of 32-bit x86, which leaves no gap behind the
 * first two fields.
 */
function printFlock(memory: Buffer): string {
  const type = nameOf(CONSTANTS.locktype, memory.readUInt16LE(0));
  const whence = nameOf(CONSTANTS.whence, memory.readUInt16LE(2));
  const [start, length] =
    memory.length === 16
      ? [memory.readInt32LE(4), memory.readInt32LE(8)]
      : memory.length === 24
        ? [memory.readBigInt64LE(4), memory.readBigInt64LE(12)]
        : [memory.readBigInt64LE(8), memory.readBigInt64LE(16)];
  return `{${type}, ${whence}, start ${start}, length ${length}}`;
}

/** struct pollfd: a descriptor, the events that are waited for, those that have come. */
function printPollfds(memory: Buffer, count: number, answers: Answers): string | undefined {
  const known = Math.min(Math.floor(memory.length / 8), MOST_DESCRIPTORS);
  if (known === 0) return undefined;
  const entries = Array.from({ length: known }, (_, at) => {
    const events = nameOf(CONSTANTS.pollevents, memory.readUInt16LE(8 * at + 4));
    return `{${printPart(descriptor(memory.readInt32LE(8 * at)), answers)}, ${events}}`;
  });
  return `[${[...entries, ...(known < count ? ['...'] : [])].join(', ')}]`;
}

/** fd_set: a bit for each descriptor. */
function printFdset(memory: Buffer, count: number, answers: Answers): string {
  const known = Math.min(8 * memory.length, count);
  const members = Array.from({ length: known }, (_, fd) => fd).filter(
    (fd) => memory.readUInt8(fd >> 3) & (1 << (fd & 7)),
  );
  const shown = members.slice(0, MOST_DESCRIPTORS).map((fd) => printPart(descriptor(fd), answers));
  return `[${[...shown, ...(shown.length < members.length || known < count ? ['...'] : [])].join(' ')}]`;
}

/** The addresses of include/uapi/linux/un.h, in.h, in6.h, netlink.h and vm_sockets.h; of other families, the family. */
function printSocketAddress(memory: Buffer, bytes: number): string | undefined {
  if (memory.length < 2) return undefined;
  const family = nameOf(CONSTANTS.domain, memory.readUInt16LE(0));
  const address = memory.length < bytes ? undefined : addressOf(family, memory);
  return address === undefined ? `{${family}${memory.length > 2 ? ' ...' : ''}}` : `{${family} ${address}}`;
}

/** Undefined where it is of a family that is not known here, or too short for its family. */
function addressOf(family: string, memory: Buffer): string | undefined {
  const { length } = memory;
  if (family === 'AF_UNIX' && length > 2) return unixAddress(memory.subarray(2));
  if (family === 'AF_INET' && length >= 8) return `${[...memory.subarray(4, 8)].join('.')}:${memory.readUInt16BE(2)}`;
  if (family === 'AF_INET6' && length >= 24) {
    const scope = length >= 28 ? memory.readUInt32LE(24) : 0;
    return `[${formatIpv6([...memory.subarray(8, 24)])}${scope === 0 ? '' : `%${scope}`}]:${memory.readUInt16BE(2)}`;
  }
  if (family === 'AF_NETLINK' && length >= 12)
    return `port ${memory.readUInt32LE(4)} groups ${hex(memory.readUInt32LE(8))}`;
  if (family === 'AF_VSOCK' && length >= 12) return `${memory.readUInt32LE(8)}:${memory.readUInt32LE(4)}`;
  return undefined;
}

/** A path; or, where it begins with NUL, an abstract name, which has any bytes up to its end (unix(7)). */
function unixAddress(path: Buffer): string {
  if (path[0] === 0 && path.length > 1) return `@${quote(path.subarray(1))}`;
  const end = path.indexOf(0);
  return quote(end === -1 ? path : path.subarray(0, end));
}

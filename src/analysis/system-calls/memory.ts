import { formatIpv6 } from '../../model/address.ts';
import { decodeBytes } from '../../model/text.ts';
import type { MemoryKind } from './decode.ts';
import { flags, POLL_EVENTS } from './flags.ts';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
/** struct pollfd: int fd, short events, short revents. */
const POLLFD_BYTES = 8;

/** What bytes of a task's memory mean; `wanted` were asked for. Undefined where there are too few to tell. */
export function printMemory(kind: MemoryKind, bytes: Uint8Array, wanted: number): string | undefined {
  const memory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (kind) {
    case 'path':
      return printString(memory);
    case 'sockaddr':
      return printAddress(memory);
    case 'timespec':
      return printTime(memory);
    case 'pollfds':
      return printPollfds(memory, wanted);
  }
}

/** In quotes, as in C. `...` behind them says that it does not end within what was read. */
function printString(memory: Buffer): string {
  const end = memory.indexOf(0);
  const text = decodeBytes(end < 0 ? memory : memory.subarray(0, end));
  const quoted = text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${quoted}"${end < 0 ? '...' : ''}`;
}

/** struct sockaddr_in, sockaddr_in6, sockaddr_un and sockaddr_nl: unix(7), ip(7), ipv6(7), netlink(7). */
function printAddress(memory: Buffer): string | undefined {
  if (memory.length < 2) return undefined;
  const family = memory.readUInt16LE(0);
  if (family === AF_INET && memory.length >= 8) return `{AF_INET ${[...memory.subarray(4, 8)].join('.')}:${memory.readUInt16BE(2)}}`;
  if (family === AF_INET6 && memory.length >= 24) return `{AF_INET6 [${formatIpv6(memory.subarray(8, 24))}]:${memory.readUInt16BE(2)}}`;
  if (family === AF_NETLINK && memory.length >= 8) return `{AF_NETLINK port ${memory.readUInt32LE(4)}}`;
  if (family !== AF_UNIX) return `{family ${family}}`;
  const path = memory.subarray(2);
  if (path.length === 0) return '{AF_UNIX}';
  // An abstract name begins with a NUL, ends where the address does, and is shown as /proc/net/unix shows it.
  if (path[0] === 0) return `{AF_UNIX ${printString(Buffer.concat([Buffer.from('@'), path.subarray(1), Buffer.from([0])]))}}`;
  return `{AF_UNIX ${printString(Buffer.concat([path, Buffer.from([0])]))}}`;
}

/** struct timespec of 64 bits. */
function printTime(memory: Buffer): string | undefined {
  if (memory.length < 16) return undefined;
  const nanoseconds = memory.readBigInt64LE(8);
  const fraction = nanoseconds === 0n ? '' : `.${nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${memory.readBigInt64LE(0)}${fraction} s`;
}

function printPollfds(memory: Buffer, wanted: number): string | undefined {
  if (memory.length < POLLFD_BYTES) return undefined;
  const shown: string[] = [];
  for (let at = 0; at + POLLFD_BYTES <= memory.length; at += POLLFD_BYTES)
    shown.push(`{${memory.readInt32LE(at)}, ${flags(memory.readUInt16LE(at + 4), POLL_EVENTS)}}`);
  const more = memory.length < wanted || shown.length > MOST_POLLFDS;
  return `[${shown.slice(0, MOST_POLLFDS).join(', ')}${more ? ', ...' : ''}]`;
}

const MOST_POLLFDS = 16;

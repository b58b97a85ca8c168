import type { Observation } from '../../../model/sample.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { nameOfCall } from '../system-calls/decode.ts';
import { waitsIn } from './edge-source.ts';

/** `any`: a poll to read and to write. */
type Does = 'read' | 'write' | 'connect' | 'open' | 'any';

/** A task that waits at a pipe, a FIFO or a socket until somebody at the other end does something. */
export interface StreamWait {
  readonly tid: number;
  readonly pid: number;
  readonly call: SystemCall;
  readonly does: Does;
  /** Of which kind its file is. A poll does not tell. */
  readonly at: 'pipe' | 'unix' | 'tcp' | undefined;
  /** Undefined if it opens a FIFO. */
  readonly fd: number | undefined;
  /** An address that it sends or connects to, in its memory. */
  readonly address?: { readonly at: bigint; readonly bytes: number };
  readonly polls?: true;
  /** Set if it opens a FIFO to write. */
  readonly opensToWrite?: boolean;
}

/**
 * Where tasks sleep: fs/pipe.c, fs/splice.c; net/unix/af_unix.c; net/ipv4/tcp.c, net/core/stream.c, net/ipv4/af_inet.c,
 * net/tls/tls_sw.c. The innermost of them decides: a splice may read here and write there.
 */
const FUNCTIONS: ReadonlyMap<string, Pick<StreamWait, 'does' | 'at'>> = new Map([
  ...named({ does: 'read', at: 'pipe' }, [
    'pipe_read',
    'anon_pipe_read', // since 6.15
    'fifo_pipe_read', // since 6.15
    'pipe_wait_readable',
    'splice_from_pipe_next',
    'ipipe_prep',
  ]),
  ...named({ does: 'write', at: 'pipe' }, [
    'pipe_write',
    'anon_pipe_write', // since 6.15
    'fifo_pipe_write', // since 6.15
    'pipe_wait_writable',
    'wait_for_space',
    'opipe_prep',
  ]),
  ...named({ does: 'open', at: 'pipe' }, ['wait_for_partner', 'fifo_open']),
  ...named({ does: 'read', at: 'unix' }, [
    'unix_stream_read_generic',
    'unix_stream_recvmsg',
    'unix_dgram_recvmsg',
    '__unix_dgram_recvmsg',
    'unix_seqpacket_recvmsg',
  ]),
  ...named({ does: 'write', at: 'unix' }, ['unix_stream_sendmsg', 'unix_dgram_sendmsg', 'unix_seqpacket_sendmsg']),
  ...named({ does: 'connect', at: 'unix' }, ['unix_stream_connect']),
  ...named({ does: 'read', at: 'tcp' }, [
    'tcp_recvmsg',
    'tcp_recvmsg_locked',
    'tcp_splice_read',
    'sk_wait_data',
    'tls_sw_recvmsg',
  ]),
  ...named({ does: 'write', at: 'tcp' }, [
    'sk_stream_wait_memory',
    'sk_stream_wait_connect',
    'tcp_sendmsg',
    'tcp_sendmsg_locked',
  ]),
  ...named({ does: 'connect', at: 'tcp' }, ['inet_stream_connect', '__inet_stream_connect']),
]);
const STREAMS = new Set(FUNCTIONS.keys());
const POLLS = new Set(['do_poll', 'do_sys_poll']);

function named(wait: Pick<StreamWait, 'does' | 'at'>, functions: readonly string[]) {
  return functions.map((name) => [name, wait] as const);
}

/** Which argument is the descriptor that is read from, and which the one that is written to, by system call. */
const READS: Readonly<Record<string, number>> = {
  read: 0,
  readv: 0,
  preadv2: 0,
  recvfrom: 0,
  recvmsg: 0,
  recvmmsg: 0,
  splice: 0,
  tee: 0,
  vmsplice: 0,
  sendfile: 1,
};
const WRITES: Readonly<Record<string, number>> = {
  write: 0,
  writev: 0,
  pwritev2: 0,
  sendto: 0,
  sendmsg: 0,
  sendmmsg: 0,
  splice: 2,
  tee: 1,
  vmsplice: 0,
  sendfile: 0,
};

const CONNECTS: Readonly<Record<string, number>> = { connect: 0 };

/**
 * Whether the task may be in such a wait, also where its system call is not known yet. All of them are in S; one in D
 * in these functions waits for a lock.
 */
export function mayBeStreamWait(observation: Observation): boolean {
  const { state, facts, systemCall } = observation;
  if (state !== 'S' || facts?.lock !== undefined) return false;
  if (waitsIn(observation, STREAMS)) return true;
  if (!waitsIn(observation, POLLS)) return false;
  if (systemCall === undefined) return true;
  return 'value' in systemCall && typeof systemCall.value === 'object' && isPollOfOne(systemCall.value);
}

/** poll(2) or ppoll(2) of one descriptor without a timeout. One with a timeout likely has something else to do, too. */
function isPollOfOne(call: SystemCall): boolean {
  const name = nameOfCall(call, process.arch);
  const [, count = 0n, timeout = 0n] = call.arguments.map(BigInt);
  if (count !== 1n) return false;
  return (name === 'poll' && BigInt.asIntN(32, timeout) < 0n) || (name === 'ppoll' && timeout === 0n);
}

/**
 * What a task waits at, by its stack and the arguments of its system call; undefined if it is in none of these waits. A
 * poll has its descriptor in memory: `fd` is undefined, and `address` is that of its struct pollfd.
 */
export function streamWaitOf(observation: Observation): StreamWait | undefined {
  const { task, systemCall, stack } = observation;
  const { tid } = task.id;
  if (tid === undefined || task.pid === undefined || !mayBeStreamWait(observation)) return undefined;
  if (systemCall === undefined || 'unread' in systemCall || typeof systemCall.value === 'string') return undefined;
  const call = systemCall.value;
  const name = nameOfCall(call, process.arch) ?? '';
  const numbers = { tid, pid: task.pid, call };
  const words = call.arguments.map(BigInt);
  const symbols = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol.split('.', 1)[0] ?? '') : [];
  const wait = FUNCTIONS.get(symbols.find((symbol) => STREAMS.has(symbol)) ?? '');
  if (wait === undefined) {
    const address = { at: words[0] ?? 0n, bytes: POLLFD_BYTES };
    return { ...numbers, does: 'any', at: undefined, fd: undefined, address, polls: true };
  }
  if (wait.does === 'open') {
    const [at, flags = 0n] = name === 'open' ? words : name === 'openat' ? words.slice(1) : [];
    if (at === undefined) return undefined;
    const opensToWrite = (flags & ACCESS_MODE) !== 0n;
    return { ...numbers, ...wait, fd: undefined, address: { at, bytes: PATH_BYTES }, opensToWrite };
  }
  const place = wait.does === 'connect' ? CONNECTS[name] : (wait.does === 'read' ? READS : WRITES)[name];
  const word = place === undefined ? undefined : words[place];
  if (word === undefined) return undefined;
  const address = addressOf(name, words);
  return { ...numbers, ...wait, fd: Number(BigInt.asIntN(32, word)), ...(address !== undefined && { address }) };
}

/** O_ACCMODE of include/uapi/asm-generic/fcntl.h; O_RDONLY is 0. */
const ACCESS_MODE = 3n;
const PATH_BYTES = 4096;
const POLLFD_BYTES = 8;
/** struct sockaddr_un (include/uapi/linux/un.h). */
const MOST_ADDRESS_BYTES = 110n;

/** The address given to connect(2) or sendto(2). */
function addressOf(name: string, words: readonly bigint[]): StreamWait['address'] {
  const place = name === 'connect' ? 1 : name === 'sendto' ? 4 : undefined;
  if (place === undefined) return undefined;
  const [at = 0n, bytes = 0n] = words.slice(place);
  return at === 0n || bytes < 3n || bytes > MOST_ADDRESS_BYTES ? undefined : { at, bytes: Number(bytes) };
}

/** POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM and the like of include/uapi/asm-generic/poll.h. */
const POLL = { in: 0x1 | 0x2 | 0x40 | 0x80 | 0x2000, out: 0x4 | 0x100 | 0x200 } as const;

/** The descriptor of a struct pollfd, and what is waited for; undefined if for nothing. */
export function parsePollfd(memory: Uint8Array): Pick<StreamWait, 'fd' | 'does'> | undefined {
  if (memory.length < POLLFD_BYTES) return undefined;
  const view = Buffer.from(memory);
  const fd = view.readInt32LE(0);
  const events = view.readUInt16LE(4);
  const [reads, writes] = [(events & POLL.in) !== 0, (events & POLL.out) !== 0];
  if (fd < 0 || !(reads || writes)) return undefined;
  return { fd, does: reads && writes ? 'any' : reads ? 'read' : 'write' };
}

/** The name in a struct sockaddr_un, as /proc/net/unix has it; undefined if it is of another family, or has none. */
export function parseUnixAddress(memory: Uint8Array): string | undefined {
  const view = Buffer.from(memory);
  if (view.length < 3 || view.readUInt16LE(0) !== AF_UNIX) return undefined;
  const path = view.subarray(2);
  const end = path.indexOf(0);
  return path[0] === 0
    ? decodeBytes(path).replaceAll('\0', '@')
    : decodeBytes(path.subarray(0, end < 0 ? undefined : end));
}

const AF_UNIX = 1;

import type { Reading } from '../../model/reading.ts';
import { decodeBytes } from '../../native/decode.ts';
import { type CallArgument, FLAG, WHAT } from '../../native/reader/protocol.ts';
import type { Reader } from '../../native/reader/reader.ts';
import { numberOf, type SystemCall } from '../../native/reader/system-calls.ts';
import { FileReads } from './procfs/file-reads.ts';

/** include/linux/socket.h, include/uapi/linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const NETLINK_SOCK_DIAG = 4;
/** struct nlmsghdr: offsets in bytes. */
const HEADER = { length: 0, type: 4, flags: 6, bytes: 16 } as const;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_DONE = 3;
/** include/uapi/linux/sock_diag.h, unix_diag.h: struct unix_diag_req, struct unix_diag_msg, attributes. */
const SOCK_DIAG_BY_FAMILY = 20;
const REQUEST = { family: 0, states: 4, show: 12, bytes: 24 } as const;
const MESSAGE = { family: 0, state: 2, inode: 4, bytes: 16 } as const;
/** TCP_LISTEN of include/net/tcp_states.h, which UNIX sockets use, too. */
const LISTENS = 10;
const ATTRIBUTE = { length: 0, type: 2, bytes: 4 } as const;
const AF_UNIX = 1;
const ALL_STATES = 0xffffffff;
const SHOW_NAME = 1;
const SHOW_PEER = 4;
const SHOW_PENDING = 8;
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_PEER = 2;
const UNIX_DIAG_ICONS = 3;

/** The largest answer (net/netlink/af_netlink.c, netlink_dump). */
const ANSWER_BYTES = 32 * 1024;
/** The most answers taken: enough for more than 100,000 sockets. */
const MOST_ANSWERS = 512;
const CONFIG_BYTES = 1 << 20;
const MOST_CONFIG_BYTES = 16 << 20;

export interface UnixSocket {
  /** As in /proc/net/unix, with `@` for each NUL of an abstract name; empty if it has no name. */
  readonly name: string;
  /** The inode of the socket it is connected to. Absent if that is not accepted yet or already closed. */
  readonly peer?: string;
  /** Of a socket that accepts connections: the inodes of those that are connected, or connect, and not accepted yet. */
  readonly pending?: readonly string[];
}

/**
 * The UNIX sockets in kstack's own network namespace, from sock_diag(7) (net/unix/diag.c). Unlike /proc/net/unix, it
 * tells which sockets are connected, and its names cannot be forged. Only a task inside a namespace may ask for its
 * sockets.
 *
 * Asks only if unix_diag is built in or loaded: otherwise the request would load it, and modprobe(8) may hang on a sick
 * host.
 */
export class UnixSockets {
  readonly #root: string;
  readonly #reader: Reader;
  readonly #reads: FileReads;
  #isBuiltIn: Promise<boolean> | undefined;
  #namespace: Promise<Reading<Buffer>> | undefined;

  constructor(root: string, reader: Reader) {
    this.#root = root;
    this.#reader = reader;
    this.#reads = new FileReads(reader);
  }

  /** The network namespace of these sockets, named as in the links in /proc: `net:[4026531840]`. */
  async namespace(): Promise<string | undefined> {
    this.#namespace ??= this.#reads.link('/proc/self/ns/net');
    const own = await this.#namespace;
    if ('value' in own) return own.value.toString('latin1');
    this.#namespace = undefined;
    return undefined;
  }

  /** The sockets by inode. `areAll` is false if the kernel does not list all of them. */
  async read(): Promise<{ readonly sockets: ReadonlyMap<string, UnixSocket>; readonly areAll: boolean }> {
    const sockets = new Map<string, UnixSocket>();
    const opened = (await this.#isThere()) ? await this.#open() : undefined;
    if (opened === undefined) return { sockets, areAll: false };
    const request = encodeRequest();
    let answer = await this.#call('write', [opened, request, request.length]);
    let areAll = false;
    for (let answers = 0; answer !== undefined && answer.result > 0 && answers < MOST_ANSWERS && !areAll; answers++) {
      answer = await this.#call('read', [opened, { out: ANSWER_BYTES }, ANSWER_BYTES]);
      if (answer !== undefined && answer.result > 0)
        areAll = takeSockets(answer.bytes.subarray(0, answer.result), sockets) === 'done';
    }
    await this.#call('close', [opened]);
    return { sockets, areAll };
  }

  async #open(): Promise<number | undefined> {
    const opened = await this.#call('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_SOCK_DIAG]);
    return opened === undefined || opened.result < 0 ? undefined : opened.result;
  }

  /** A loaded module has a folder in /sys/module. A built-in one is in the kernel's configuration. */
  async #isThere(): Promise<boolean> {
    const state = await this.#reads.bytes('/sys/module/unix_diag/initstate', 0n, 16);
    if ('value' in state && state.value.toString('latin1') === 'live\n') return true;
    this.#isBuiltIn ??= this.#isConfigured();
    return this.#isBuiltIn;
  }

  async #isConfigured(): Promise<boolean> {
    const config = await this.#reads.bytes(`${this.#root}/config.gz`, 0n, CONFIG_BYTES);
    if ('unread' in config) return false;
    try {
      // Loaded on demand: most runs do without it, and in Bun it takes as long as all of kstack's own files.
      const { gunzipSync } = process.getBuiltinModule('node:zlib');
      const text = gunzipSync(config.value, { maxOutputLength: MOST_CONFIG_BYTES }).toString('latin1');
      return /^CONFIG_UNIX_DIAG=y$/m.test(text);
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  }

  /** Undefined if the call does not return in time. */
  async #call(call: SystemCall, callArguments: readonly CallArgument[]) {
    let answer: { readonly result: number; readonly bytes: Buffer } | undefined;
    await this.#reader.call(numberOf(call), callArguments, ({ what, flags, result, bytes }) => {
      if (what === WHAT.call && (flags & (FLAG.late | FLAG.skipped)) === 0)
        answer = { result, bytes: Buffer.from(bytes) };
    });
    return answer;
  }
}

/** A request for the names and peers of all UNIX sockets, and for who waits to be accepted. */
function encodeRequest(): Buffer {
  const request = Buffer.alloc(HEADER.bytes + REQUEST.bytes);
  request.writeUInt32LE(request.length, HEADER.length);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, HEADER.type);
  request.writeUInt16LE(NLM_F_REQUEST_DUMP, HEADER.flags);
  request.writeUInt8(AF_UNIX, HEADER.bytes + REQUEST.family);
  request.writeUInt32LE(ALL_STATES, HEADER.bytes + REQUEST.states);
  request.writeUInt32LE(SHOW_NAME | SHOW_PEER | SHOW_PENDING, HEADER.bytes + REQUEST.show);
  return request;
}

/**
 * Takes the sockets from an answer of sock_diag(7). Returns whether more answers follow; after an error, none do.
 */
export function takeSockets(bytes: Buffer, sockets: Map<string, UnixSocket>): 'done' | 'more' {
  for (let at = 0; at + HEADER.bytes <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + HEADER.length);
    const type = bytes.readUInt16LE(at + HEADER.type);
    if (type === NLMSG_DONE) return 'done';
    if (length < HEADER.bytes || at + length > bytes.length) return 'more';
    if (type === SOCK_DIAG_BY_FAMILY) takeSocket(bytes.subarray(at + HEADER.bytes, at + length), sockets);
    at += aligned(length);
  }
  return 'more';
}

function takeSocket(message: Buffer, sockets: Map<string, UnixSocket>): void {
  if (message.length < MESSAGE.bytes || message.readUInt8(MESSAGE.family) !== AF_UNIX) return;
  const inode = message.readUInt32LE(MESSAGE.inode);
  if (inode === 0) return;
  let name = '';
  let peer = 0;
  let pending: string[] | undefined = message.readUInt8(MESSAGE.state) === LISTENS ? [] : undefined;
  for (let at = MESSAGE.bytes; at + ATTRIBUTE.bytes <= message.length; ) {
    const length = message.readUInt16LE(at + ATTRIBUTE.length);
    if (length < ATTRIBUTE.bytes || at + length > message.length) return;
    const type = message.readUInt16LE(at + ATTRIBUTE.type);
    const value = message.subarray(at + ATTRIBUTE.bytes, at + length);
    if (type === UNIX_DIAG_NAME) name = nameIn(value);
    if (type === UNIX_DIAG_PEER && value.length === 4) peer = value.readUInt32LE(0);
    if (type === UNIX_DIAG_ICONS) pending = inodesIn(value);
    at += aligned(length);
  }
  sockets.set(`${inode}`, {
    name,
    ...(peer !== 0 && { peer: `${peer}` }),
    ...(pending !== undefined && { pending }),
  });
}

/** Some may be closed again, and have none. */
function inodesIn(value: Buffer): string[] {
  const inodes: string[] = [];
  for (let at = 0; at + 4 <= value.length; at += 4) {
    const inode = value.readUInt32LE(at);
    if (inode !== 0) inodes.push(`${inode}`);
  }
  return inodes;
}

/** sun_path: an abstract name, which begins with a NUL, or a path that ends with one (unix(7)). */
function nameIn(path: Buffer): string {
  const end = path.indexOf(0);
  return decodeBytes(end > 0 ? path.subarray(0, end) : path).replaceAll('\0', '@');
}

/** NLMSG_ALIGN, RTA_ALIGN. */
function aligned(length: number): number {
  return Math.ceil(length / 4) * 4;
}

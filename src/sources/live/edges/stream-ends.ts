import { decodeBytes } from '../../../native/decode.ts';
import { type Fdinfo, parseFdinfo } from '../procfs/descriptors.ts';
import { parseTcpRows, parseUnixNames } from '../procfs/sockets.ts';
import type { UnixSocket } from '../unix-sockets.ts';
import type { EdgeContext } from './edge-source.ts';
import { NetworkNamespaces } from './network-namespaces.ts';
import type { SharedFile } from './open-file.ts';
import { parsePollfd, parseUnixAddress, type StreamWait } from './stream-wait.ts';
import { TcpTable } from './tcp-ends.ts';

/** A wait with the file it is at, and what is at the other end of that. */
export interface StreamAt {
  readonly wait: StreamWait;
  readonly file: SharedFile;
  /** Of a socket: the sockets at the other end, by target. Empty if they are not known, and of a pipe. */
  readonly others: readonly OtherEnd[];
  /** The address at the other end, if that is not on this host. */
  readonly server?: string;
}

export interface OtherEnd {
  readonly target: string;
  /** What shows that it is the other end. */
  readonly place: string;
  readonly text: string;
  readonly inferred?: true;
}

const SOCKET = /^socket:\[(\d+)\]$/;
const TABLE_BYTES = 4 << 20;
const FDINFO_BYTES = 4096;
const MOUNTS_BYTES = 1 << 20;

/** Looks up what waits are at. Remembers the tables of sockets: it is for one moment. */
export class StreamEnds {
  readonly #context: EdgeContext;
  readonly #networks: NetworkNamespaces;
  readonly #tcp = new Map<string, Promise<TcpTable>>();
  readonly #named = new Map<string, Promise<UnixNames>>();
  /** Of the network, by PID. */
  readonly #namespaces = new Map<number, string>();
  #unix: Promise<UnixPeers> | undefined;

  constructor(context: EdgeContext) {
    this.#context = context;
    this.#networks = new NetworkNamespaces(context);
  }

  /** Without those of which it cannot be found out, and those that wait at neither a pipe nor such a socket. */
  async ofAll(asked: readonly StreamWait[]): Promise<StreamAt[]> {
    const { files } = this.#context;
    const known = await Promise.all(asked.map((wait) => (wait.polls === true ? this.#polled(wait) : wait)));
    const waits = known.flatMap((wait) => (wait?.fd === undefined ? [] : wait));
    const links = await files.links(waits.map((wait) => `${this.#folder(wait)}/fd/${wait.fd}`));
    const at = waits.flatMap((wait, number) => {
      const link = links[number];
      return link === undefined ? [] : { wait, target: decodeBytes(link) };
    });
    await this.#readNamespaces(at.flatMap(({ wait, target }) => (SOCKET.test(target) ? wait : [])));
    const streams = await Promise.all(at.map(({ wait, target }) => this.#streamAt(wait, target)));
    return streams.flatMap((stream) => stream ?? []);
  }

  async #streamAt(wait: StreamWait, target: string): Promise<StreamAt | undefined> {
    if (/^pipe:\[\d+\]$/.test(target)) return { wait, file: { target }, others: [] };
    const inode = SOCKET.exec(target)?.[1];
    if (inode !== undefined) return this.#socket(wait, target, inode);
    if (wait.at !== 'pipe' || !target.startsWith('/')) return undefined;
    const fifo = await this.#fifo(wait);
    return { wait, file: { target, ...(fifo !== undefined && { fifo }) }, others: [] };
  }

  /** The path of a FIFO that a task opens. */
  async pathOf(wait: StreamWait): Promise<string | undefined> {
    if (wait.address === undefined) return undefined;
    const memory = await this.#context.details.memory(wait, wait.address.at, wait.address.bytes);
    const end = memory?.indexOf(0) ?? -1;
    if (memory === undefined || end <= 0) return undefined;
    const path = decodeBytes(Buffer.from(memory.subarray(0, end)));
    if (path.startsWith('/')) return path;
    const folder = await this.#context.details.workingDirectory(wait);
    return folder === undefined ? undefined : `${folder}/${path}`;
  }

  async #polled(wait: StreamWait): Promise<StreamWait | undefined> {
    if (wait.address === undefined) return undefined;
    const memory = await this.#context.details.memory(wait, wait.address.at, wait.address.bytes);
    const polled = memory === undefined ? undefined : parsePollfd(memory);
    return polled === undefined ? undefined : { ...wait, ...polled };
  }

  async #socket(wait: StreamWait, target: string, inode: string): Promise<StreamAt | undefined> {
    const file = { target };
    if (wait.at !== 'tcp') {
      const others = await this.#unixEnds(wait, inode);
      if (others.length > 0 || wait.at === 'unix') return { wait, file, others };
    }
    const ends = (await this.#tcpTable(wait)).endsOf(inode);
    const others = ends.flatMap((end): OtherEnd[] => {
      if ('server' in end) return [];
      const place = `/proc/${wait.pid}/net/tcp`;
      return [{ target: `socket:[${end.socket}]`, place, text: end.text, ...(end.accepts && { inferred: true }) }];
    });
    const [away] = ends.flatMap((end) => ('server' in end ? end : []));
    if (away === undefined) return { wait, file, others };
    const elsewhere = await this.#networks.endsOf(away.connection);
    return elsewhere.length > 0 ? { wait, file, others: elsewhere } : { wait, file, others, server: away.server };
  }

  /** Without these, a BPF program may still tell the peer. */
  async #unixEnds(wait: StreamWait, inode: string): Promise<OtherEnd[]> {
    const namespace = this.#namespace(wait);
    const isOwn = namespace === (await this.#context.unixSockets.namespace());
    this.#unix ??= isOwn ? this.#context.unixSockets.read().then(unixPeers) : undefined;
    const unix = isOwn ? await this.#unix : undefined;
    const peer = unix?.sockets.get(inode)?.peer;
    const place = 'sock_diag';
    if (peer !== undefined)
      return [{ target: `socket:[${peer}]`, place, text: `socket:[${inode}] is connected to socket:[${peer}]` }];
    const listener = unix?.accepts.get(inode);
    if (listener !== undefined) {
      const text = `socket:[${inode}] is in the queue of socket:[${listener}], accepted by nobody yet`;
      return [{ target: `socket:[${listener}]`, place, text }];
    }
    if (wait.address === undefined) return [];
    return this.#unixEndsByName(wait, namespace, unix);
  }

  /** Sockets that have the name which a task connects or sends to. */
  async #unixEndsByName(wait: StreamWait, namespace: string, unix: UnixPeers | undefined): Promise<OtherEnd[]> {
    const { address } = wait;
    if (address === undefined) return [];
    const memory = await this.#context.details.memory(wait, address.at, address.bytes);
    const name = memory === undefined ? undefined : parseUnixAddress(memory);
    if (name === undefined) return [];
    const place = unix?.areAll ? 'sock_diag' : `/proc/${wait.pid}/net/unix`;
    const names = unix?.areAll ? unix.names : await this.#unixNames(wait, namespace);
    const sockets = names.get(name)?.filter(({ listens }) => listens === (wait.does === 'connect')) ?? [];
    return sockets.map(({ inode }) => ({
      target: `socket:[${inode}]`,
      place,
      text: `socket:[${inode}] has the name ${name}`,
      inferred: true,
    }));
  }

  async #unixNames(wait: StreamWait, namespace: string): Promise<UnixNames> {
    const known = this.#named.get(namespace);
    if (known !== undefined) return known;
    const read = this.#table(wait, 'unix').then((text) =>
      namesOf(Array.from(parseUnixNames(text), ([inode, { name, listens }]) => ({ inode, name, listens }))),
    );
    this.#named.set(namespace, read);
    return read;
  }

  async #tcpTable(wait: StreamWait): Promise<TcpTable> {
    const namespace = this.#namespace(wait);
    const known = this.#tcp.get(namespace);
    if (known !== undefined) return known;
    const read = Promise.all([this.#table(wait, 'tcp'), this.#table(wait, 'tcp6')]).then(
      (texts) => new TcpTable(texts.flatMap(parseTcpRows)),
    );
    this.#tcp.set(namespace, read);
    return read;
  }

  async #table(wait: StreamWait, table: 'tcp' | 'tcp6' | 'unix'): Promise<string> {
    const { files, tell } = this.#context;
    const read = await files.bytes(`${this.#folder(wait)}/net/${table}`, 0n, TABLE_BYTES);
    if ('unread' in read) return '';
    if (read.value.length >= TABLE_BYTES)
      tell(`the first ${TABLE_BYTES >> 20} MiB of /proc/PID/net/${table} were read`);
    return decodeBytes(read.value);
  }

  async #readNamespaces(waits: readonly StreamWait[]): Promise<void> {
    const unknown = [...new Map(waits.map((wait) => [wait.pid, wait])).values()].filter(
      ({ pid }) => !this.#namespaces.has(pid),
    );
    const links = await this.#context.files.links(unknown.map((wait) => `${this.#folder(wait)}/ns/net`));
    for (const [number, { pid }] of unknown.entries()) {
      const link = links[number]?.toString('latin1');
      if (link !== undefined) this.#namespaces.set(pid, link);
    }
  }

  #namespace({ pid }: StreamWait): string {
    return this.#namespaces.get(pid) ?? `of ${pid}`;
  }

  /** Which FIFO a descriptor is of: its inode (since Linux 5.14), and the device of its mount. */
  async #fifo(wait: StreamWait): Promise<SharedFile['fifo']> {
    const { files } = this.#context;
    const folder = this.#folder(wait);
    const told = await files.bytes(`${folder}/fdinfo/${wait.fd}`, 0n, FDINFO_BYTES);
    const fdinfo: Fdinfo | undefined = 'value' in told ? parseFdinfo(told.value.toString('latin1')) : undefined;
    if (fdinfo?.inode === undefined || fdinfo.mountId === undefined) return undefined;
    const mounts = await files.bytes(`${folder}/mountinfo`, 0n, MOUNTS_BYTES);
    if ('unread' in mounts) return undefined;
    const device = deviceOf(fdinfo.mountId, mounts.value.toString('latin1'));
    return device && { inode: fdinfo.inode, ...device };
  }

  #folder({ pid, tid }: Pick<StreamWait, 'pid' | 'tid'>): string {
    return `${this.#context.root}/${pid}/task/${tid}`;
  }
}

/** The device of a mount, from /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function deviceOf(mountId: string, mountinfo: string) {
  for (const line of mountinfo.split('\n')) {
    const [, id, major = '', minor = ''] = /^(\d+) \d+ (\d+):(\d+) /.exec(line) ?? [];
    if (id === mountId) return { major: Number(major), minor: Number(minor) };
  }
  return undefined;
}

type UnixNames = ReadonlyMap<string, readonly NamedSocket[]>;

interface NamedSocket {
  readonly inode: string;
  readonly name: string;
  readonly listens: boolean;
}

interface UnixPeers {
  readonly sockets: ReadonlyMap<string, UnixSocket>;
  readonly areAll: boolean;
  /** The socket that has yet to accept one, by the inode of that. */
  readonly accepts: ReadonlyMap<string, string>;
  readonly names: UnixNames;
}

function unixPeers({ sockets, areAll }: Pick<UnixPeers, 'sockets' | 'areAll'>): UnixPeers {
  const accepts = new Map<string, string>();
  const named: NamedSocket[] = [];
  for (const [inode, { name, pending }] of sockets) {
    for (const client of pending ?? []) accepts.set(client, inode);
    if (name !== '') named.push({ inode, name, listens: pending !== undefined });
  }
  return { sockets, areAll, accepts, names: namesOf(named) };
}

function namesOf(sockets: readonly NamedSocket[]): UnixNames {
  const names = new Map<string, NamedSocket[]>();
  for (const socket of sockets) {
    const others = names.get(socket.name);
    if (others === undefined) names.set(socket.name, [socket]);
    else others.push(socket);
  }
  return names;
}

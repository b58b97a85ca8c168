import { formatIpv6 } from '../../../model/ip-address.ts';
import type { Connection } from '../system-calls/question.ts';
import type { UnixSocket } from '../unix-sockets.ts';

/** Descriptions of sockets, by their inode. */
export type Sockets = ReadonlyMap<string, string | Connection>;

/** The tables of /proc/PID/net that say what a socket is, and how each is read. */
export const SOCKET_TABLES = ['tcp', 'tcp6', 'udp', 'udp6', 'unix', 'netlink', 'raw', 'raw6', 'packet'] as const;
export type SocketTable = (typeof SOCKET_TABLES)[number];

/** TCP_LISTEN of include/net/tcp_states.h. */
const LISTEN = '0A';

/** Protocols of include/uapi/linux/netlink.h. */
const NETLINK: Readonly<Record<string, string>> = {
  0: 'route',
  2: 'usersock',
  4: 'sock_diag',
  6: 'xfrm',
  7: 'selinux',
  9: 'audit',
  10: 'fib_lookup',
  11: 'connector',
  12: 'netfilter',
  15: 'kobject_uevent',
  16: 'generic',
  21: 'crypto',
};

/**
 * Describes the sockets of one table, by inode: `tcp 10.0.0.1:443` with its peer `10.0.0.2:50000`, `udp 0.0.0.0:53`,
 * `unix /run/dbus/socket`, `netlink route`. Skips lines that do not have exactly the kernel's format: they are cut or
 * forged.
 */
export function parseSockets(table: SocketTable, text: string): Sockets {
  if (table === 'unix') return parseUnix(text);
  const sockets = new Map<string, string | Connection>();
  for (const { line } of linesOf(text)) {
    const { inode, description, peer } = describe(table, line) ?? {};
    if (inode === undefined || inode === '0') continue;
    const local = `${table} ${description}`;
    sockets.set(inode, peer === undefined ? local : { local, peer });
  }
  return sockets;
}

/** Describes UNIX sockets from sock_diag(7). A peer has its name or, without one, `socket:[4711]`. */
export function describeUnixSockets(known: ReadonlyMap<string, UnixSocket>): Sockets {
  const sockets = new Map<string, string | Connection>();
  for (const [inode, { name, peer }] of known) {
    const local = `unix ${name}`.trimEnd();
    sockets.set(inode, peer === undefined ? local : { local, peer: known.get(peer)?.name || `socket:[${peer}]` });
  }
  return sockets;
}

/** The complete lines after the heading, and their positions. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly at: number }> {
  let at = text.indexOf('\n') + 1;
  for (let end = text.indexOf('\n', at); at > 0 && end >= 0; end = text.indexOf('\n', at)) {
    yield { line: text.slice(at, end), at };
    at = end + 1;
  }
}

/** net/unix/af_unix.c, unix_seq_show. The inode is padded to five places. The shortest line has 58 characters. */
const UNIX = joined(
  /^[0-9a-f]{16}: [0-9A-F]{8} 0{8} (?<flags>[0-9A-F]{8}) [0-9A-F]{4} [0-9A-F]{2} /,
  /(?: {4}(?=\d\b)| {3}(?=\d\d\b)| {2}(?=\d{3}\b)| (?=\d{4}\b)|(?=\d{5}))(?<inode>\d+)(?: (?<name>[\s\S]*))?$/,
);
/** The size of sun_path in struct sockaddr_un, which no name exceeds (unix(7)). */
const LONGEST_NAME = 108;

/**
 * Anybody may give a socket a name with line ends and text that looks like lines of this table. A name has no room for
 * two such lines, though: a line that ends more than LONGEST_NAME bytes after the start of the previous name cannot be
 * part of that name, so it is genuine. Any other line may be forged, and is left out.
 */
function parseUnix(text: string): Map<string, string> {
  return new Map(Array.from(parseUnixNames(text), ([inode, { name }]) => [inode, `unix ${name}`.trimEnd()]));
}

export interface UnixName {
  readonly name: string;
  /** Whether it accepts connections. */
  readonly listens: boolean;
}

/** __SO_ACCEPTCON of include/linux/net.h. */
const ACCEPTS = '00010000';

/** The UNIX sockets of /proc/PID/net/unix by their inodes, see {@link parseUnix}. */
export function parseUnixNames(text: string): Map<string, UnixName> {
  const sockets = new Map<string, UnixName>();
  let lastName = Number.NEGATIVE_INFINITY;
  let last: string | undefined;
  for (const { line, at } of linesOf(text)) {
    const { inode, name, flags } = UNIX.exec(line)?.groups ?? {};
    if (inode === undefined) {
      // The rest of a name with a line end in it.
      const begun = last === undefined ? undefined : sockets.get(last);
      if (last !== undefined && begun !== undefined) sockets.set(last, { ...begun, name: `${begun.name}\n${line}` });
      continue;
    }
    const end = at + line.length;
    last = end - lastName > LONGEST_NAME && inode !== '0' ? inode : undefined;
    if (last !== undefined) sockets.set(last, { name: name ?? '', listens: flags === ACCEPTS });
    if (name !== undefined) lastName = end - name.length;
  }
  return sockets;
}

/** net/ipv4/tcp_ipv4.c, tcp4_seq_show, and its counterparts in udp.c, raw.c and net/ipv6. */
const INTERNET = joined(
  /^ *\d+: (?<local>[0-9A-F:]+) (?<remote>[0-9A-F:]+) (?<state>[0-9A-F]{2}) /,
  /[0-9A-F]{8}:[0-9A-F]{8} [0-9A-F]{2}:[0-9A-F]{8,} [0-9A-F]{8} +\d+ +-?\d+ (?<inode>\d+) \d+ /,
);
/** A connection of /proc/PID/net/tcp or tcp6, or what is left of it. IPv4 addresses in IPv6 are as those of IPv4. */
export interface TcpRow {
  /** `127.0.0.1:8080`, `[::1]:8080`. */
  readonly local: string;
  readonly remote: string;
  /** As in include/net/tcp_states.h. */
  readonly state: number;
  /** `0` if no program has it open: it is not accepted yet, or closed already. */
  readonly inode: string;
}

/** The rows of /proc/PID/net/tcp or tcp6, without those that are not whole. */
export function parseTcpRows(text: string): TcpRow[] {
  const rows: TcpRow[] = [];
  for (const { line } of linesOf(text)) {
    const { inode, local = '', remote = '', state = '' } = INTERNET.exec(line)?.groups ?? {};
    const [from, to] = [address(local), address(remote)];
    if (inode === undefined || from === undefined || to === undefined) continue;
    rows.push({ local: unmapped(from), remote: unmapped(to), state: Number.parseInt(state, 16), inode });
  }
  return rows;
}

function unmapped(text: string): string {
  return text.replace(/^\[::ffff:(\d+\.\d+\.\d+\.\d+)\]/, '$1');
}

/** net/netlink/af_netlink.c, netlink_seq_show. */
const NETLINK_LINE = joined(
  /^[0-9a-f]{16} (?<protocol>\d+) +(?<port>-?\d+) +[0-9a-f]{8}/,
  / +-?\d+ +-?\d+ +-?\d+ +\d+ +\d+ +(?<inode>\d+) *$/,
);
/** net/packet/af_packet.c, packet_seq_show. */
const PACKET = /^[0-9a-f]{16} \d+ +\d+ +(?<protocol>[0-9a-f]{4}) +-?\d+ +\d +\d+ +\d+ +(?<inode>\d+) *$/;

function joined(...parts: readonly RegExp[]): RegExp {
  return new RegExp(parts.map(({ source }) => source).join(''));
}

interface Described {
  readonly inode: string;
  readonly description: string;
  readonly peer?: string;
}

function describe(table: Exclude<SocketTable, 'unix'>, line: string): Described | undefined {
  const form = table === 'netlink' ? NETLINK_LINE : table === 'packet' ? PACKET : INTERNET;
  const { inode, protocol = '', port, local = '', remote = '', state } = form.exec(line)?.groups ?? {};
  if (inode === undefined) return undefined;
  if (table === 'netlink') return { inode, description: `${NETLINK[protocol] ?? protocol} port ${port}` };
  if (table === 'packet') return { inode, description: `protocol 0x${protocol}` };
  const from = address(local);
  const to = address(remote);
  if (from === undefined || to === undefined) return undefined;
  if (table.startsWith('tcp') && state === LISTEN) return { inode, description: `${from} listening` };
  return /:0$/.test(to) ? { inode, description: from } : { inode, description: from, peer: to };
}

/** `0100007F:1F90` is 127.0.0.1:8080. The 32-bit words are in host byte order, little-endian wherever kstack runs. */
function address(text: string): string | undefined {
  const [, hex = '', port = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex === '') return undefined;
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).toReversed(),
  );
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`;
  return `[${formatIpv6(bytes)}]:${number}`;
}

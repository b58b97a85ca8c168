import { formatIpv6 } from '../../model/ip-address.ts';

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
 * Describes the sockets of one table by their inode: `tcp 10.0.0.1:443 -> 10.0.0.2:50000`, `udp 0.0.0.0:53`, `unix /run/dbus/socket`, `netlink route`.
 * The columns are those of net/ipv4/tcp_ipv4.c (tcp4_seq_show), net/unix/af_unix.c (unix_seq_show), net/netlink/af_netlink.c (netlink_seq_show) and
 * net/packet/af_packet.c (packet_seq_show). Lines of another form are left out.
 */
export function parseSockets(table: SocketTable, text: string): Map<string, string> {
  const sockets = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    const [inode, description] = describe(table, line) ?? [];
    if (inode !== undefined && description !== undefined && inode !== '0') sockets.set(inode, `${table} ${description}`.trimEnd());
  }
  return sockets;
}

function describe(table: SocketTable, line: string): [inode: string, description: string] | undefined {
  const fields = line.trim().split(/ +/);
  if (table === 'unix') {
    // A path may have spaces.
    const [, inode, path = ''] = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+)(?: (.*))?$/.exec(line) ?? [];
    return inode === undefined ? undefined : [inode, path];
  }
  if (table === 'netlink') {
    const [, protocol = '', port = ''] = fields;
    const inode = fields[9];
    return inode === undefined ? undefined : [inode, `${NETLINK[protocol] ?? protocol} port ${port}`];
  }
  if (table === 'packet') {
    const inode = fields[8];
    return inode === undefined ? undefined : [inode, `protocol 0x${fields[3]}`];
  }
  const [, local, remote, state] = fields;
  const inode = fields[9];
  const from = local === undefined ? undefined : address(local);
  const to = remote === undefined ? undefined : address(remote);
  if (inode === undefined || from === undefined || to === undefined) return undefined;
  if (table.startsWith('tcp') && state === LISTEN) return [inode, `${from} listening`];
  return [inode, /:0$/.test(to) ? from : `${from} -> ${to}`];
}

/** `0100007F:1F90` is 127.0.0.1:8080: words of 32 bits, each in the order of the host, which is the reverse of the network's on what kstack runs on. */
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

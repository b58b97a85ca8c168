import { decodeBytes } from '../../../native/decode.ts';
import { listPids } from '../procfs/files.ts';
import { parseTcpRows } from '../procfs/sockets.ts';
import type { EdgeContext } from './edge-source.ts';
import type { OtherEnd } from './stream-ends.ts';
import { type TcpAddresses, TcpTable } from './tcp-ends.ts';

const TABLE_BYTES = 4 << 20;
/** Bounds the work: a node of a cluster has a namespace for each of its pods. */
const MOST_NAMESPACES = 256;
const AT_ONCE = 16;

interface Network {
  readonly pid: number;
  readonly table: TcpTable;
}

/** The TCP sockets of all network namespaces of the host: those of its containers. For one moment. */
export class NetworkNamespaces {
  readonly #context: EdgeContext;
  #networks: Promise<readonly Network[]> | undefined;

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /**
   * The other end of a connection that leads out of its own namespace. It is inferred: two namespaces that do not see
   * each other may use the same addresses.
   */
  async endsOf(connection: TcpAddresses): Promise<OtherEnd[]> {
    this.#networks ??= this.#read();
    return (await this.#networks).flatMap(({ pid, table }) =>
      table.endsFor(connection).map(({ socket, text }) => ({
        target: `socket:[${socket}]`,
        place: `/proc/${pid}/net/tcp`,
        text,
        inferred: true,
      })),
    );
  }

  async #read(): Promise<readonly Network[]> {
    const { root, files, clock, untilMs, tell } = this.#context;
    const pids = listPids(root);
    const links = await files.links(pids.map((pid) => `${root}/${pid}/ns/net`));
    const first = new Map<string, number>();
    for (const [at, pid] of pids.entries()) {
      const link = links[at]?.toString('latin1');
      if (link !== undefined && !first.has(link)) first.set(link, pid);
    }
    const all = [...first.values()];
    const networks: Network[] = [];
    for (let from = 0; from < Math.min(all.length, MOST_NAMESPACES); from += AT_ONCE) {
      if (clock.monotonicMs() > untilMs) break;
      const some = all.slice(from, Math.min(from + AT_ONCE, MOST_NAMESPACES));
      for (const network of await Promise.all(some.map((pid) => this.#network(pid)))) networks.push(network);
    }
    if (networks.length < all.length)
      tell(`sockets: the TCP tables of ${networks.length} of ${all.length} network namespaces were read`);
    return networks;
  }

  async #network(pid: number): Promise<Network> {
    const { root, files } = this.#context;
    const reads = await Promise.all(
      ['tcp', 'tcp6'].map((table) => files.bytes(`${root}/${pid}/net/${table}`, 0n, TABLE_BYTES)),
    );
    const rows = reads.flatMap((read) => ('unread' in read ? [] : parseTcpRows(decodeBytes(read.value))));
    return { pid, table: new TcpTable(rows) };
  }
}

import type { TcpRow } from '../procfs/sockets.ts';

/** include/net/tcp_states.h */
const STATES = { established: 1, synSent: 2, synReceived: 3, listens: 10 } as const;

/** What is at the other end of a TCP socket. */
export type TcpEnd =
  /** A socket that a program has open: the other end itself, or one that has yet to accept it. */
  | { readonly socket: string; readonly accepts?: true; readonly text: string }
  /** An address that is not of this host, as far as this network namespace tells. */
  | { readonly server: string; readonly connection: TcpAddresses };

/** Those of a socket: `10.0.0.1:50000`. */
export interface TcpAddresses {
  readonly local: string;
  readonly remote: string;
}

/** The TCP sockets of a network namespace, for looking up the other ends. */
export class TcpTable {
  readonly #byInode = new Map<string, TcpRow>();
  readonly #byAddresses = new Map<string, TcpRow>();
  readonly #listeners = new Map<string, TcpRow[]>();

  constructor(rows: readonly TcpRow[]) {
    for (const row of rows) {
      if (row.inode !== '0') this.#byInode.set(row.inode, row);
      if (row.state !== STATES.listens) this.#byAddresses.set(`${row.local} ${row.remote}`, row);
      else {
        const port = portOf(row.local);
        this.#listeners.set(port, [...(this.#listeners.get(port) ?? []), row]);
      }
    }
  }

  /** The other ends of a socket, by its inode: several if several sockets accept at its address. */
  endsOf(inode: string): TcpEnd[] {
    const row = this.#byInode.get(inode);
    if (row === undefined || row.state === STATES.listens) return [];
    const { local, remote, state } = row;
    const other = this.#byAddresses.get(`${remote} ${local}`);
    const text = `tcp ${local} -> ${remote}`;
    if (other !== undefined && other !== row && other.inode !== '0') return [{ socket: other.inode, text }];
    if (other === undefined || other === row) {
      if (!isOfThisHost(local, remote)) return [{ server: remote, connection: { local, remote } }];
      if (state !== STATES.established && state !== STATES.synSent) return [];
    } else if (other.state !== STATES.established && other.state !== STATES.synReceived) return [];
    return this.#accepting(remote, text);
  }

  /** The other ends of a socket of another network namespace, if they are in this one. */
  endsFor({ local, remote }: TcpAddresses): { readonly socket: string; readonly text: string }[] {
    const other = this.#byAddresses.get(`${remote} ${local}`);
    const text = `tcp ${local} -> ${remote}`;
    if (other === undefined) return [];
    if (other.inode !== '0') return [{ socket: other.inode, text }];
    const isWaiting = other.state === STATES.established || other.state === STATES.synReceived;
    return isWaiting ? this.#accepting(remote, text) : [];
  }

  /** In the queue of a socket that listens, or not even there. */
  #accepting(remote: string, text: string) {
    return this.#listenersAt(remote).map((listener) => ({
      socket: listener.inode,
      accepts: true as const,
      text: `${text}, accepted by nobody yet; ${listener.local} listens`,
    }));
  }

  /** Those of this address only, else those of any. */
  #listenersAt(address: string): TcpRow[] {
    const listeners = (this.#listeners.get(portOf(address)) ?? []).filter(({ inode }) => inode !== '0');
    const own = listeners.filter(({ local }) => local === address);
    return own.length > 0 ? own : listeners.filter(({ local }) => /^(?:0\.0\.0\.0|\[::\]):/.test(local));
  }
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

/** A socket that connects to an address of its own host has that address itself. */
function isOfThisHost(local: string, remote: string): boolean {
  return /^(?:127\.|\[::1\])/.test(remote) || hostOf(local) === hostOf(remote);
}

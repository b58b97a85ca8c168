import type { SystemCall, SystemCallState } from '../../../model/system-call.ts';
import { decodeBytes } from '../../../native/decode.ts';
import { pageBytes } from '../../../native/page.ts';
import type { Reader } from '../../../native/reader/reader.ts';
import type { Connection } from '../system-calls/question.ts';
import type { UnixSockets } from '../unix-sockets.ts';
import { FileReads } from './file-reads.ts';
import { unlessMalformed } from './malformed.ts';
import { describeUnixSockets, parseSockets, SOCKET_TABLES, type Sockets } from './sockets.ts';
import { parseSystemCall } from './system-call.ts';

/** The most bytes read of a table in /proc/PID/net: a host with many sockets takes seconds to print one. */
const TABLE_BYTES = 4 << 20;
const CALL_BYTES = 1024;

export interface TaskNumbers {
  readonly pid: number;
  readonly tid: number;
}

/** Looks up what the arguments of a task's system call refer to. */
export class TaskDetails {
  readonly #root: string;
  readonly #reads: FileReads;
  readonly #unixSockets: UnixSockets;
  /** The sockets of each network namespace. */
  readonly #sockets = new Map<string, Promise<Sockets>>();
  readonly #pageBytes = pageBytes();
  /** Processes whose memory could not be read in time. */
  readonly #stuck = new Set<number>();

  constructor(root: string, reader: Reader, unixSockets: UnixSockets) {
    this.#root = root;
    this.#reads = new FileReads(reader);
    this.#unixSockets = unixSockets;
  }

  /** Whether the task is still in the same call. If not, its descriptors and memory may have changed. */
  async isStillIn(task: TaskNumbers, call: SystemCall): Promise<boolean> {
    const read = await this.#reads.bytes(`${this.#folder(task)}/syscall`, 0n, CALL_BYTES);
    if ('unread' in read) return false;
    return isSameCall(
      unlessMalformed(() => parseSystemCall(read.value.toString('latin1'))),
      call,
    );
  }

  /** The file, pipe or socket behind a descriptor; undefined if it cannot be found out. */
  async descriptor(task: TaskNumbers, fd: number): Promise<string | Connection | undefined> {
    const read = await this.#reads.link(`${this.#folder(task)}/fd/${fd}`);
    if ('unread' in read) return undefined;
    const target = decodeBytes(read.value);
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode === undefined) return target;
    return (await this.#socketsOf(task)).get(inode) ?? target;
  }

  /** The working directory (fs/proc/base.c, proc_cwd_link); undefined if it cannot be found out. */
  async workingDirectory(task: TaskNumbers): Promise<string | undefined> {
    const read = await this.#reads.link(`${this.#folder(task)}/cwd`);
    return 'unread' in read ? undefined : decodeBytes(read.value);
  }

  /**
   * At most `bytes` of the process's memory, up to the first page that is not present. Undefined if there are none, or
   * if they cannot be read in time (mm/memory.c, access_remote_vm, takes the mmap lock). Does not read pages that would
   * have to be fetched: if a device or a file system does not answer, nothing ends the wait.
   */
  async memory({ pid, tid }: TaskNumbers, address: bigint, bytes: number): Promise<Uint8Array | undefined> {
    if (this.#stuck.has(pid) || address > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    const there = await this.#present({ pid, tid }, Number(address), bytes);
    if (there === 0) return undefined;
    const read = await this.#reads.bytes(`${this.#folder({ pid, tid })}/mem`, address, there);
    if ('value' in read) return read.value.length === 0 ? undefined : read.value;
    if (read.unread === 'timeout') this.#stuck.add(pid);
    return undefined;
  }

  /**
   * How many of these bytes are in memory, up to the first page that is not: bit 63 of a page's word in
   * /proc/PID/pagemap (fs/proc/task_mmu.c; proc_pid_pagemap(5)).
   */
  async #present(task: TaskNumbers, address: number, bytes: number): Promise<number> {
    const pageBytes = this.#pageBytes;
    const first = Math.floor(address / pageBytes);
    const pages = Math.floor((address + bytes - 1) / pageBytes) - first + 1;
    const read = await this.#reads.bytes(`${this.#folder(task)}/pagemap`, BigInt(first * 8), pages * 8);
    if ('unread' in read) {
      if (read.unread === 'timeout') this.#stuck.add(task.pid);
      return 0;
    }
    let there = 0;
    while (there < pages && there * 8 + 8 <= read.value.length && (read.value.readUInt8(there * 8 + 7) & 0x80) !== 0)
      there++;
    return Math.max(0, Math.min(bytes, (first + there) * pageBytes - address));
  }

  #folder({ pid, tid }: TaskNumbers): string {
    return `${this.#root}/${pid}/task/${tid}`;
  }

  async #socketsOf(task: TaskNumbers): Promise<Sockets> {
    const namespace = await this.#reads.link(`${this.#folder(task)}/ns/net`);
    if ('unread' in namespace) return new Map();
    const name = namespace.value.toString('latin1');
    let sockets = this.#sockets.get(name);
    if (sockets === undefined) {
      sockets = this.#readSockets(task, name);
      this.#sockets.set(name, sockets);
    }
    return sockets;
  }

  async #readSockets(task: TaskNumbers, namespace: string): Promise<Sockets> {
    const all = new Map<string, string | Connection>();
    const isOwn = namespace === (await this.#unixSockets.namespace());
    const unix = isOwn ? await this.#unixSockets.read() : undefined;
    for (const table of SOCKET_TABLES) {
      if (table === 'unix' && unix?.areAll) continue;
      const read = await this.#reads.bytes(`${this.#folder(task)}/net/${table}`, 0n, TABLE_BYTES);
      if ('value' in read)
        for (const [inode, description] of parseSockets(table, decodeBytes(read.value))) all.set(inode, description);
    }
    if (unix !== undefined)
      for (const [inode, description] of describeUnixSockets(unix.sockets)) all.set(inode, description);
    return all;
  }
}

export function isSameCall(now: SystemCallState | undefined, then: SystemCall): boolean {
  if (typeof now !== 'object') return false;
  return (
    now.number === then.number &&
    now.stackPointer === then.stackPointer &&
    now.arguments.every((value, at) => value === then.arguments[at])
  );
}

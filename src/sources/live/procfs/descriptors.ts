import { decodeBytes } from '../../../native/decode.ts';
import { DESCRIPTORS_BIT, FLAG, WHAT } from '../../../native/reader/protocol.ts';
import type { FoundFiles, OpenFile, SearchContext, SharedFile } from '../edges/open-file.ts';
import { FileReads } from './file-reads.ts';
import { listPids } from './files.ts';

/** How long all of it may take. */
const SEARCH_MS = 700;
/** Processes per request: after each, the time is looked at. */
const AT_A_TIME = 1024;
const FDINFO_BYTES = 4096;
/** Descriptors found whose flags are read at once, and in all: most files have few ends. */
const FLAGS_AT_ONCE = 512;
const MOST_FLAGS = 5000;

type Access = Pick<OpenFile, 'reads' | 'writes'>;

interface Link {
  readonly target: string;
  readonly pid: number;
  readonly fd: number;
  /** Undefined if the link does not tell. */
  readonly access: Access | undefined;
}

/** Finds who has files open, by the links in /proc/PID/fd (proc_pid_fd(5)) of all processes, as far as time allows. */
export async function findByLinks(wanted: readonly SharedFile[], context: SearchContext): Promise<FoundFiles> {
  const { clock } = context;
  const untilMs = Math.min(context.untilMs, clock.monotonicMs() + SEARCH_MS);
  const left = () => untilMs - clock.monotonicMs();
  const targets = new Map(wanted.map((file) => [file.target, file]));
  const pids = byDistance(
    listPids(context.root).filter((pid) => !context.isKernelThread(pid)),
    context.near,
  );
  const links: Link[] = [];
  const reasons = new Map<string, number>();
  const miss = (reason: string, count = 1) => reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  for (let from = 0; from < pids.length; from += AT_A_TIME) {
    if (left() <= 0) {
      miss('no time left', pids.length - from);
      break;
    }
    await readLinks(pids.slice(from, from + AT_A_TIME), targets, context, links, miss);
  }
  const files = await withFlags(links, targets, context, left, miss);
  const missing =
    reasons.size === 0
      ? undefined
      : Array.from(reasons, ([reason, count]) => `the descriptors of ${count} processes: ${reason}`).join('; ');
  return { files, peers: new Map(), missing, place: '/proc/PID/fd' };
}

/** Those next to the ones that wait come first: they were likely started together. */
function byDistance(pids: readonly number[], near: readonly number[]): number[] {
  const sorted = near.toSorted((a, b) => a - b);
  let at = 0;
  // The PIDs ascend, so the nearest one only moves up.
  const distances = new Map<number, number>();
  for (const pid of pids) {
    const distance = (place: number) => Math.abs((sorted[place] ?? Number.POSITIVE_INFINITY) - pid);
    while (at + 1 < sorted.length && distance(at + 1) <= distance(at)) at++;
    distances.set(pid, distance(at));
  }
  return pids.toSorted((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
}

async function readLinks(
  pids: readonly number[],
  targets: ReadonlyMap<string, SharedFile>,
  { reader }: SearchContext,
  links: Link[],
  miss: (reason: string) => void,
): Promise<void> {
  const paths = Array.from(targets.keys()).some((target) => target.startsWith('/'));
  const options = { threads: false, commandLines: { allBytes: 0, leastBytes: 0 }, paths };
  const processes = pids.map((pid) => ({ pid, tid: pid }));
  await reader.get(
    processes,
    () => DESCRIPTORS_BIT,
    options,
    ({ what, pid, flags, result, bytes }) => {
      if (what !== WHAT.descriptors) return;
      if (flags & (FLAG.late | FLAG.skipped)) miss('timeout');
      else if (result === -EACCES || result === -EPERM) miss('denied');
      else if (flags & FLAG.cut) miss('too many');
      for (const link of parseLinks(bytes)) if (targets.has(link.target)) links.push({ ...link, pid });
    },
  );
}

const EPERM = 1;
const EACCES = 13;

const SLASH = 0x2f;

const BOTH: Access = { reads: true, writes: true };

/** What the reader says of a process's descriptors (DESCRIPTORS of reader/protocol.h). */
export function* parseLinks(bytes: Buffer): Generator<Omit<Link, 'pid'>> {
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = bytes.indexOf(0, at);
    if (space < 0 || end < 0) return;
    const isPath = bytes[space + 1] === SLASH;
    // Most are no paths, and in ASCII.
    const text = isPath ? decodeBytes(bytes.subarray(space + 1, end)) : bytes.toString('latin1', space + 1, end);
    if (space < end) yield { fd: Number(bytes.toString('latin1', at, space)), ...accessIn(text, isPath) };
    at = end + 1;
  }
}

/** Sockets are for both. Of a pipe, its mode stands behind it. */
function accessIn(text: string, isPath: boolean): Pick<Link, 'target' | 'access'> {
  if (isPath) return { target: text, access: undefined };
  if (text.startsWith('socket:')) return { target: text, access: BOTH };
  const space = text.indexOf(' ');
  if (space === -1) return { target: text, access: undefined };
  const mode = text.slice(space);
  return { target: text.slice(0, space), access: { reads: mode.includes('r'), writes: mode.includes('w') } };
}

/** What these descriptors are open for: where their links do not tell, from /proc/PID/fdinfo/FD (proc_pid_fdinfo(5)). */
async function withFlags(
  all: readonly Link[],
  targets: ReadonlyMap<string, SharedFile>,
  { root, reader }: SearchContext,
  left: () => number,
  miss: (reason: string, count: number) => void,
): Promise<Map<string, OpenFile[]>> {
  const reads = new FileReads(reader);
  const files = new Map<string, OpenFile[]>();
  const add = (target: string, file: OpenFile) => {
    const others = files.get(target);
    if (others === undefined) files.set(target, [file]);
    else others.push(file);
  };
  for (const { target, pid, fd, access } of all)
    if (access !== undefined) add(target, { pid, tid: pid, fd, ...access });
  const links = all.filter(({ access }) => access === undefined);
  for (let from = 0; from < links.length; from += FLAGS_AT_ONCE) {
    if (from >= MOST_FLAGS || left() <= 0) {
      miss('no time left', links.length - from);
      break;
    }
    const some = links.slice(from, from + FLAGS_AT_ONCE);
    const texts = await Promise.all(
      some.map(({ pid, fd }) => reads.bytes(`${root}/${pid}/fdinfo/${fd}`, 0n, FDINFO_BYTES)),
    );
    for (const [at, { target, pid, fd }] of some.entries()) {
      const read = texts[at];
      const told = read !== undefined && 'value' in read ? parseFdinfo(read.value.toString('latin1')) : undefined;
      const inode = targets.get(target)?.fifo?.inode;
      // Another FIFO of the same path, in another mount namespace.
      if (told === undefined || (inode !== undefined && told.inode !== undefined && told.inode !== inode)) continue;
      add(target, { pid, tid: pid, fd, reads: told.reads, writes: told.writes });
    }
  }
  return files;
}

export interface Fdinfo {
  readonly reads: boolean;
  readonly writes: boolean;
  /** Since Linux 5.14. */
  readonly inode: string | undefined;
  readonly mountId: string | undefined;
}

/** O_ACCMODE, O_WRONLY and O_RDWR of include/uapi/asm-generic/fcntl.h. */
const ACCESS = { mask: 3, write: 1, both: 2 } as const;

/** /proc/PID/fdinfo/FD (fs/proc/fd.c, seq_show); undefined if that has no flags. */
export function parseFdinfo(text: string): Fdinfo | undefined {
  const flags = /^flags:\s+0?([0-7]+)$/m.exec(text)?.[1];
  if (flags === undefined) return undefined;
  const access = Number.parseInt(flags, 8) & ACCESS.mask;
  return {
    reads: access !== ACCESS.write,
    writes: access === ACCESS.write || access === ACCESS.both,
    inode: /^ino:\s+(\d+)$/m.exec(text)?.[1],
    mountId: /^mnt_id:\s+(\d+)$/m.exec(text)?.[1],
  };
}

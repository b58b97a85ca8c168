import type { Clock } from '../../../model/time.ts';
import type { Reader } from '../../../native/reader/reader.ts';

/** A pipe, a FIFO or a socket, which several tasks may have open. */
export interface SharedFile {
  /** As in links of /proc/PID/fd: `pipe:[4711]`, `socket:[4711]`, or the path of a FIFO. */
  readonly target: string;
  /** Of a FIFO, where it is known, so that one of the same path in another mount namespace is not taken for it. */
  readonly fifo?: { readonly inode: string; readonly major: number; readonly minor: number };
}

/** A descriptor of such a file. */
export interface OpenFile {
  readonly pid: number;
  /** A thread whose descriptors these are: the main one, unless threads have descriptors of their own. */
  readonly tid: number;
  readonly fd: number;
  readonly reads: boolean;
  readonly writes: boolean;
}

export interface FoundFiles {
  /** By target, each descriptor that was found. */
  readonly files: ReadonlyMap<string, readonly OpenFile[]>;
  /** The UNIX socket that a UNIX socket is connected to, both by target. Empty where the kernel was not asked. */
  readonly peers: ReadonlyMap<string, string>;
  /** What was not looked at, and why; undefined if every descriptor of the host was. */
  readonly missing: string | undefined;
  /** For evidence. */
  readonly place: string;
}

export interface SearchContext {
  readonly root: string;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly untilMs: number;
  /** PIDs near to which the files are likely to be found. */
  readonly near: readonly number[];
  /** Kernel threads have no descriptors. */
  isKernelThread(pid: number): boolean;
  tell(text: string): void;
}

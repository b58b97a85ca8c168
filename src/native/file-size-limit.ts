import { readFileSync } from 'node:fs';

/** The limits of setrlimit(2) on the size of files, in bytes; Infinity for none. */
export interface FileSizeLimit {
  readonly soft: number;
  readonly hard: number;
}

const NONE: FileSizeLimit = { soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY };

/**
 * Those of this process, by /proc/self/limits (proc_pid_limits(5)). No library is loaded for that: every command may
 * have to describe them. Without a /proc, none is known.
 */
export function fileSizeLimit(): FileSizeLimit {
  try {
    return limitIn(readFileSync('/proc/self/limits', 'latin1'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return NONE;
  }
}

/** @param limits the text of /proc/PID/limits (fs/proc/base.c, proc_pid_limits) */
export function limitIn(limits: string): FileSizeLimit {
  const [, soft, hard] = /^Max file size +(\S+) +(\S+)/m.exec(limits) ?? [];
  const bytes = (text: string | undefined) =>
    text === undefined || text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  return { soft: bytes(soft), hard: bytes(hard) };
}

/** The limit, for the message about a file that must not grow (EFBIG); undefined if there is none. */
export function describeFileSizeLimit(): string | undefined {
  const { soft } = fileSizeLimit();
  return Number.isFinite(soft) ? `no file may be larger than ${soft} bytes here: raise ulimit -f` : undefined;
}

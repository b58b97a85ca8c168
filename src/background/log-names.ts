import { hostInFileName } from './log-directory.ts';

/** How the files of a log are called, and what they hold. */
export interface LogNames {
  readonly current: string;
  /** A rotated file; `seconds` is the Unix time of its rotation, or later. */
  rotated(seconds: number): string;
  /** Matches rotated files. Groups: `seconds`, and `kind`, which is what follows {@link rotated}. */
  readonly pattern: RegExp;
  /**
   * `text` is compressed when it is rotated, and a torn sample is cut off. A `recording` is compressed already, and is
   * read up to a torn end.
   */
  readonly holds: 'text' | 'recording';
}

/** The log of the classic background mode: `kstack_HOST.out`, `kstack_HOST.out-SECONDS.gz`. */
export function textLogNames(host: string): LogNames {
  const current = `kstack_${hostInFileName(host)}.out`;
  return {
    current,
    rotated: (seconds) => `${current}-${seconds}`,
    pattern: new RegExp(`^${escapeRegExp(current)}-(?<seconds>\\d{1,12})(?<kind>|\\.gz|\\.gz\\.tmp)$`),
    holds: 'text',
  };
}

/** Recordings in a directory: `kstack_HOST.kstack`, `kstack_HOST-SECONDS.kstack`. */
export function recordingNames(host: string): LogNames {
  const stem = `kstack_${hostInFileName(host)}`;
  return {
    current: `${stem}.kstack`,
    rotated: (seconds) => `${stem}-${seconds}.kstack`,
    pattern: new RegExp(`^${escapeRegExp(stem)}-(?<seconds>\\d{1,12})(?<kind>)\\.kstack$`),
    holds: 'recording',
  };
}

/** A recording that is never rotated. */
export function singleRecording(name: string): LogNames {
  return { current: name, rotated: () => name, pattern: /(?!)/, holds: 'recording' };
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

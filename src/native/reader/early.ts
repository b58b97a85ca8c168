import type { Spawned } from './spawn.ts';

/** Set by the build of the standalone executable. */
declare const KSTACK_STANDALONE: boolean;

/**
 * Set by the executable's entry (standalone/early-reader.h) if it has started the reader: the descriptors of its input
 * and output, its PID, and the request it was sent, in hexadecimal.
 */
const EARLY = 'KSTACK_READER';

/** A reader that was started, and sent a first request, before the runtime. */
export interface EarlyReader {
  readonly process: Spawned;
  readonly request: Buffer;
}

/** The reader that the executable's entry started for the procfs at `root`, if any. Can be taken only once. */
export function takeEarlyReader(root: string): EarlyReader | undefined {
  const text = typeof KSTACK_STANDALONE === 'undefined' || root !== '/proc' ? undefined : process.env[EARLY];
  if (text === undefined) return undefined;
  delete process.env[EARLY];
  const [input, output, pid, request = ''] = text.split(' ');
  return {
    process: { input: Number(input), output: Number(output), pid: Number(pid) },
    request: Buffer.from(request, 'hex'),
  };
}

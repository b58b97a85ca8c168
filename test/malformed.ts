import { Malformed } from '../src/sources/live/procfs/malformed.ts';

/** What a parser says is malformed; undefined where it takes what it is given. */
export function complaintOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * The path of what a name means in the current folder, for a process with another one. That of a folder that has been deleted leads nowhere, as it must: the runtimes go by
 * the folder that they started in.
 */
export function absolutePath(name: string): string {
  return resolve(readlinkSync('/proc/self/cwd'), name);
}

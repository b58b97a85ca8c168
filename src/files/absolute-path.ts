import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * The path of what a name means in the current folder, for a process with another one. That of a folder that has been
 * deleted leads nowhere, as it must: the runtimes go by the folder that they started in.
 */
export function absolutePath(name: string): string {
  const path = resolve(readlinkSync('/proc/self/cwd'), name);
  // With a slash at its end it is the name of a directory, and of nothing else.
  return name.endsWith('/') && path !== '/' ? `${path}/` : path;
}

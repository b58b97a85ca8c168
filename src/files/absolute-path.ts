import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * The absolute path of a name in the current folder, for a process with another current folder. If the folder has been
 * deleted, the path leads nowhere, as it should; process.cwd() would return the folder that the runtime started in.
 */
export function absolutePath(name: string): string {
  const path = resolve(readlinkSync('/proc/self/cwd'), name);
  // A trailing slash matters: it makes the name that of a directory only.
  return name.endsWith('/') && path !== '/' ? `${path}/` : path;
}

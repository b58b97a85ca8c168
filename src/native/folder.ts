/**
 * By this the executable's entry (standalone/entry.c) tells that it has left a folder that has been deleted, and how to
 * come back.
 */
const FOLDER = 'KSTACK_FOLDER_FD';

/**
 * Goes back to the folder that kstack was started in, where the runtime could not have started: relative names are of
 * there. The variable stays: it is the room in which a kstack that this one starts is told the same.
 */
export async function returnToFolder(): Promise<void> {
  const folder = process.env[FOLDER];
  if (folder === undefined) return;
  const { libcFunction } = await import('./libc.ts');
  if (libcFunction('int fchdir(int fd)')(Number(folder)) !== 0)
    throw new Error('cannot return to the folder that kstack was started in');
}

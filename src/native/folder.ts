/**
 * Set by the executable's entry (standalone/entry.c) if it had to leave a deleted folder: a descriptor of that folder.
 */
const FOLDER = 'KSTACK_FOLDER_FD';

/**
 * Returns to the deleted folder that kstack was started in, where the runtime could not have started, so that relative
 * names mean what the user meant. The variable stays set: the entry of a kstack that this one starts needs a slot in
 * the environment to set it again.
 */
export async function returnToFolder(): Promise<void> {
  const folder = process.env[FOLDER];
  if (folder === undefined) return;
  const { libcFunction } = await import('./libc.ts');
  if (libcFunction('int fchdir(int fd)')(Number(folder)) !== 0)
    throw new Error('cannot return to the folder that kstack was started in');
}

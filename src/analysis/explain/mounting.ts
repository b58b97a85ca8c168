import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { wholeName } from './pattern.ts';

const MOUNTS = wholeName([
  /vfs_(?:get_tree|kern_mount|submount)|fc_mount|do_new_mount(?:_fc)?|legacy_get_tree|mount_(?:bdev|fs|nodev|single)/,
  /get_tree_(?:bdev|nodev|single|keyed)(?:_flags)?|\w+_(?:do|try)?_?(?:get_tree|fill_super)\w*|\w+_smb3_do_mount/,
]);
const ENDS_ON_KILL = /(?:killable|interruptible)/;

/** The commands that may end a wait, where a task is still mounting: there is nothing to unmount yet. */
export function undoAt(frames: readonly Frame[], undo: readonly string[]): readonly string[] {
  const fits = undo.filter((command) => !command.includes('MOUNTPOINT'));
  if (fits.length === undo.length) return undo;
  const names = frames.map(({ symbol }) => functionName(symbol));
  if (!names.some((name) => MOUNTS.test(name))) return undo;
  return names.some((name) => ENDS_ON_KILL.test(name)) ? [...fits, 'kill -KILL PID'] : fits;
}

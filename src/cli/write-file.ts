import { type Owner, writeOutputFile } from '../files/output-file.ts';
import { withFiles } from '../files/remote.ts';
import type { Piece } from '../sinks/format.ts';

/** The deadline for calls once the file system has answered: a busy disk may need longer than the usual deadline. */
const SLOW_MS = 30_000;

/**
 * Writes a file that belongs to whoever called sudo.
 * @param mode of a new file; by default only its owner can read it
 */
export function writeFile(name: string, pieces: Iterable<Piece> | AsyncIterable<Piece>, mode?: number): Promise<void> {
  return withFiles((files) => {
    const answered = () => {
      files.deadlineMs = SLOW_MS;
    };
    return writeOutputFile(name, pieces, {
      files,
      owner: whoCalledSudo(process.env),
      ...(mode !== undefined && { mode }),
      answered,
    });
  });
}

const LARGEST_ID = 2 ** 32 - 2;

/** The user who became root with sudo(8), from the environment; undefined without sudo. */
export function whoCalledSudo({ SUDO_UID: uid = '', SUDO_GID: gid = '' }: NodeJS.ProcessEnv): Owner | undefined {
  if (process.geteuid?.() !== 0 || ![uid, gid].every((id) => /^\d{1,10}$/.test(id) && Number(id) <= LARGEST_ID))
    return undefined;
  return { uid: Number(uid), gid: Number(gid) };
}

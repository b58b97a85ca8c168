import { constants } from 'node:fs';
import { reasonOf } from '../native/reason.ts';
import { absolutePath } from './absolute-path.ts';
import { type Files, isRegular } from './files.ts';

const OF_OTHERS = 0o077;
/** Certificates of all authorities of the world take a twentieth of it. */
const MOST_BYTES = 4 << 20;

/** A file with settings cannot be used. The message names it, and the way out. */
export class SettingsFileError extends Error {}

/**
 * The content of a file with credentials, or with certificates. A link is followed, as that of a secret in Kubernetes:
 * it is the file that counts.
 * @param isSecret whether nobody but its owner may read it
 * @throws SettingsFileError
 */
export async function settingsIn(files: Files, name: string, isSecret: boolean): Promise<Buffer> {
  let fd: number | undefined;
  try {
    fd = await files.open(undefined, absolutePath(name), constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await files.statusOf(fd);
    if (!isRegular(status)) throw new SettingsFileError(`cannot read ${name}: it is not a regular file`);
    if (isSecret && status.uid !== 0 && status.uid !== process.geteuid?.())
      throw new SettingsFileError(`${name} belongs to another user, who could change it`);
    if (isSecret && (status.mode & OF_OTHERS) !== 0)
      throw new SettingsFileError(`others may read or change ${name}: chmod 600 ${name}`);
    if (status.size > MOST_BYTES)
      throw new SettingsFileError(`${name} is too large: ${status.size} bytes, where ${MOST_BYTES} are allowed`);
    const pieces: Buffer[] = [];
    for (let at = 0; at < status.size; ) {
      const piece = await files.read(fd, at, status.size - at);
      if (piece.length === 0) break;
      pieces.push(piece);
      at += piece.length;
    }
    return Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof SettingsFileError) throw error;
    throw new SettingsFileError(`cannot read ${name}: ${reasonOf(error)}`, { cause: error });
  } finally {
    if (fd !== undefined) await files.close(fd);
  }
}

/**
 * The certificates of authorities in a file, as PEM.
 * @throws SettingsFileError
 */
export async function certificatesIn(files: Files, name: string): Promise<Buffer> {
  const content = await settingsIn(files, name, false);
  if (!content.includes('-----BEGIN CERTIFICATE-----'))
    throw new SettingsFileError(`${name} contains no PEM certificate, which begins with -----BEGIN CERTIFICATE-----`);
  return content;
}

import { constants } from 'node:fs';
import { absolutePath } from '../files/absolute-path.ts';
import { type Files, isRegular, reasonOf } from '../files/files.ts';
import type { Target } from './target.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** A file with credentials or certificates cannot be used. */
export class CredentialsError extends Error {}

/** The names of variables of the environment, and of lines of a credentials file. */
const [USER, PASSWORD] = ['CLICKHOUSE_USER', 'CLICKHOUSE_PASSWORD'];
const STANDARD_USER = 'default';
const OF_OTHERS = 0o077;

/**
 * Who asks, and the password: from the file if one is given, else from the environment. A user in the URL comes first.
 * The file has lines `CLICKHOUSE_USER=...` and `CLICKHOUSE_PASSWORD=...`, as EnvironmentFile= of systemd has.
 * @throws CredentialsError naming the file
 */
export async function credentialsOf(
  { user }: Pick<Target, 'user'>,
  name: string | undefined,
  { files, environment }: { readonly files: Files; readonly environment: Readonly<Record<string, string | undefined>> },
): Promise<Credentials> {
  const told = name === undefined ? environment : linesIn(await contentOf(files, name, true), name);
  return { user: user ?? told[USER] ?? STANDARD_USER, password: told[PASSWORD] ?? '' };
}

/**
 * The certificates of authorities in a file, as PEM.
 * @throws CredentialsError naming the file
 */
export async function authoritiesIn(files: Files, name: string): Promise<Buffer> {
  const content = await contentOf(files, name, false);
  if (!content.includes('-----BEGIN CERTIFICATE-----'))
    throw new CredentialsError(`${name} has no certificate as PEM: it begins with -----BEGIN CERTIFICATE-----`);
  return content;
}

function linesIn(content: Buffer, name: string): Record<string, string> {
  const told: Record<string, string> = {};
  for (const line of content.toString().split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, key, value = ''] = /^\s*(\w+)=(.*?)\r?$/.exec(line) ?? [];
    if (key !== USER && key !== PASSWORD)
      throw new CredentialsError(`${name}: each line is ${USER}=NAME or ${PASSWORD}=TEXT`);
    told[key] = value;
  }
  return told;
}

/** At most 64 KiB. A link is followed, as that of a secret in Kubernetes: it is the file that counts. */
async function contentOf(files: Files, name: string, isSecret: boolean): Promise<Buffer> {
  let fd: number | undefined;
  try {
    fd = await files.open(undefined, absolutePath(name), constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await files.statusOf(fd);
    if (!isRegular(status)) throw new CredentialsError(`cannot read ${name}: it is not a regular file`);
    if (isSecret && status.uid !== 0 && status.uid !== process.geteuid?.())
      throw new CredentialsError(`${name} belongs to another user, who could change it`);
    if (isSecret && (status.mode & OF_OTHERS) !== 0)
      throw new CredentialsError(`others may read or change ${name}: chmod 600 ${name}`);
    return await files.read(fd, 0, status.size);
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    throw new CredentialsError(`cannot read ${name}: ${reasonOf(error)}`, { cause: error });
  } finally {
    if (fd !== undefined) await files.close(fd);
  }
}

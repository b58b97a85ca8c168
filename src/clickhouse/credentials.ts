import type { Files } from '../files/files.ts';
import { certificatesIn, SettingsFileError, settingsIn } from '../files/settings-file.ts';
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
  const told =
    name === undefined ? environment : linesIn(await orCredentialsError(settingsIn(files, name, true)), name);
  return { user: user ?? told[USER] ?? STANDARD_USER, password: told[PASSWORD] ?? '' };
}

/**
 * The certificates of authorities in a file, as PEM.
 * @throws CredentialsError naming the file
 */
export function authoritiesIn(files: Files, name: string): Promise<Buffer> {
  return orCredentialsError(certificatesIn(files, name));
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

async function orCredentialsError(content: Promise<Buffer>): Promise<Buffer> {
  try {
    return await content;
  } catch (error) {
    if (error instanceof SettingsFileError) throw new CredentialsError(error.message, { cause: error });
    throw error;
  }
}

import { readFileSync } from 'node:fs';

const PASSWD = '/etc/passwd';

/** A user of this host. */
export interface User {
  readonly name: string;
  readonly uid: number;
}

/** Parses the text of passwd(5). Skips lines that do not describe a user. */
export function parsePasswd(text: string): User[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = ''] = line.split(':');
    return name !== '' && /^\d+$/.test(uid) ? [{ name, uid: Number(uid) }] : [];
  });
}

/** The users of this host could not be read. */
export class NoUsers extends Error {}

/**
 * The users in this host's /etc/passwd. Asks no directory service, because that could hang.
 * @throws NoUsers if the file cannot be read: a minimal container or an initramfs has none
 */
export function readUsers(): User[] {
  try {
    return parsePasswd(readFileSync(PASSWD, 'utf8'));
  } catch (error) {
    throw new NoUsers(`user names unavailable: ${error instanceof Error ? error.message : String(error)}`);
  }
}

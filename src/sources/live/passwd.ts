import { readFileSync } from 'node:fs';

const PASSWD = '/etc/passwd';

/** A user of this host. */
export interface User {
  readonly name: string;
  readonly uid: number;
}

/** Parses the text of passwd(5). What is no user's line is left out. */
export function parsePasswd(text: string): User[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = ''] = line.split(':');
    return name !== '' && /^\d+$/.test(uid) ? [{ name, uid: Number(uid) }] : [];
  });
}

/** Why the users of this host are not known. */
export class NoUsers extends Error {}

/**
 * The users of this host's own file; no directory service is asked, which could hang.
 * @throws NoUsers where it cannot be read: a minimal container or an initramfs has none
 */
export function readUsers(): User[] {
  try {
    return parsePasswd(readFileSync(PASSWD, 'utf8'));
  } catch (error) {
    throw new NoUsers(
      `users are known by their numbers only: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

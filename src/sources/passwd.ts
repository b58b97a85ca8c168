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

/** The users of this host's own file; no directory service is asked, which could hang. @throws Error when it cannot be read. */
export function readUsers(): User[] {
  return parsePasswd(readFileSync(PASSWD, 'utf8'));
}

import { NoUsers, readUsers } from './passwd.ts';

const HERE = '/proc';

/**
 * Names users by this host's /etc/passwd, read on first use. With another /proc, users have no names: it may be of a
 * host with other users.
 */
export class UserNames {
  readonly #isHere: boolean;
  readonly #tell: (text: string) => void;
  #names: Map<number, string> | undefined;

  constructor(root: string, tell: (text: string) => void) {
    this.#isHere = root === HERE;
    this.#tell = tell;
  }

  of(uid: number): string | undefined {
    this.#names ??= this.#isHere ? this.#read() : new Map();
    return this.#names.get(uid);
  }

  #read(): Map<number, string> {
    try {
      return new Map(readUsers().map(({ uid, name }) => [uid, name]));
    } catch (error) {
      if (!(error instanceof NoUsers)) throw error;
      this.#tell(error.message);
      return new Map();
    }
  }
}

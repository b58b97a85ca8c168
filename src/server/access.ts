import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

const TOKEN_BYTES = 24;
/** A name or an address, and a port: nothing else that has a meaning in a URL. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/** What a token is made of: all that a header may have of it. It cannot be guessed if it is that long. */
export const TOKEN = /^[\w-]{20,100}$/;

/** Who may ask: those who have the token, under a name of this server that no foreign site can point here. */
export class Access {
  readonly token: string;
  readonly #digest: Buffer;
  readonly #names: ReadonlySet<string>;

  /**
   * @param names those of this server beside localhost and addresses, in lower case
   * @param token a new one if it is undefined
   */
  constructor(names: readonly string[], token: string | undefined) {
    this.token = token ?? randomBytes(TOKEN_BYTES).toString('base64url');
    this.#digest = digestOf(this.token);
    this.#names = new Set(['localhost', ...names]);
  }

  /**
   * Whether a request names this server, and comes from its own page or from no page. A foreign name that resolves to
   * this address (DNS rebinding) is in Host as in Origin; an address cannot be rebound.
   */
  isOwn(headers: IncomingHttpHeaders): boolean {
    const { host, origin } = headers;
    const asked = host === undefined || !HOST.test(host) ? undefined : urlOf(`http://${host}`);
    if (asked === undefined || !this.#isName(asked.hostname)) return false;
    const site = headers['sec-fetch-site'];
    if (site === 'cross-site' || site === 'same-site') return headers['sec-fetch-mode'] === 'navigate';
    if (origin === undefined) return true;
    return urlOf(origin)?.host === asked.host || urlOf(origin)?.host === urlOf(`https://${host}`)?.host;
  }

  /** Whether a request has the token: `Authorization: Bearer TOKEN`. */
  hasToken({ authorization = '' }: IncomingHttpHeaders): boolean {
    const given = /^Bearer ([\w-]{1,100})$/.exec(authorization)?.[1] ?? '';
    return timingSafeEqual(digestOf(given), this.#digest);
  }

  #isName(hostname: string): boolean {
    return this.#names.has(hostname.toLowerCase()) || isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0;
  }
}

/** Of equal length, whatever is given. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

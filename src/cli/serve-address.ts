import { resolve } from 'node:path';
import type { Place } from '../server/listen.ts';
import { quote } from './typed-command.ts';

export interface ServeAddress {
  readonly place: Place;
  /** Names of the server in URLs, beside localhost. */
  readonly serverNames: readonly string[];
  /** The files of the certificate and its key. */
  readonly tls: readonly [cert: string, key: string] | undefined;
  readonly isBehindProxy: boolean;
  /** The file of the token; undefined for a new one. */
  readonly tokenFile: string | undefined;
}

/** The port of the reader's machine that leads to a socket. */
const FORWARDED = 8080;

/**
 * How to open the page, with the token, or for a shell with the file that it is in: that one stays secret.
 * @param host what the server waits on, as in a URL
 * @param hostname of this machine, as others may know it
 */
export function addressText(address: ServeAddress, host: string, token: string, hostname: string): string {
  const { place, serverNames, tls, isBehindProxy, tokenFile } = address;
  const [name] = serverNames;
  const shown = tokenFile === undefined ? token : `$(cat ${quote(resolve(tokenFile))})`;
  const page = `/#token=${shown}`;
  if (isBehindProxy && name !== undefined) return `https://${name}${page}\n`;
  if ('socket' in place) {
    const socket = quote(resolve(place.socket));
    return [
      `On your machine:  ssh -N -L ${FORWARDED}:${socket} ${hostname}`,
      `Then open:        http://localhost:${FORWARDED}${page}`,
      `Here, for text:   curl --unix-socket ${socket} -H "Authorization: Bearer ${shown}" http://localhost/events`,
      '',
    ].join('\n');
  }
  const named = name === undefined ? host : `${name}${/:\d+$/.exec(host)?.[0] ?? ''}`;
  return `${tls === undefined ? 'http' : 'https'}://${named}${page}\n`;
}

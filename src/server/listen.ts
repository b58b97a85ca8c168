import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import { codeOf } from '../files/files.ts';
import { reasonOf } from '../native/reason.ts';

/** Where a server waits for browsers. */
export type Place = { readonly socket: string } | { readonly address: string; readonly port: number };

/** The server cannot wait there. */
export class ListenError extends Error {}

/**
 * Begins to wait. Returns the part of the URL behind the scheme. A socket is a new file, which only its owner may open;
 * it goes with the server.
 * @throws ListenError
 */
export async function listen(server: Server, place: Place): Promise<string> {
  const mask = 'socket' in place ? process.umask(0o177) : undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
      if ('socket' in place) server.listen({ path: place.socket });
      else server.listen({ host: place.address, port: place.port, exclusive: true });
    });
  } catch (error) {
    throw new ListenError(whyNot(error, place), { cause: error });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  const bound = server.address();
  if ('socket' in place || bound === null || typeof bound === 'string') return 'localhost';
  return `${isIPv6(place.address) ? `[${place.address}]` : place.address}:${bound.port}`;
}

function whyNot(error: unknown, place: Place): string {
  const code = codeOf(error);
  if ('socket' in place) {
    if (code === 'EADDRINUSE') return `${place.socket} exists; remove it if nothing serves there, or give another name`;
    return `cannot serve on ${place.socket}: ${reasonOf(error)}`;
  }
  if (code === 'EADDRINUSE') return `port ${place.port} is in use; give another with --port, or 0 for any that is free`;
  if (code === 'EACCES') return `port ${place.port} needs privileges; give one from 1024 on`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${place.address} is no address of this host`;
  return `cannot serve on ${place.address}: ${reasonOf(error)}`;
}

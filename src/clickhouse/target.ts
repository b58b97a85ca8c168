/** A database of a ClickHouse server, as a URL on the command line names it. */
export interface Target {
  /** Scheme, host and port: `https://db1:8443`. */
  readonly server: string;
  readonly database: string;
  readonly user: string | undefined;
}

/** A URL is not one of a ClickHouse database. The message has no password. */
export class TargetError extends Error {}

const SCHEME = /^(clickhouse|https?):\/\//i;
const PORTS = { plain: '8123', secure: '8443' };

/** Whether what is given where a file could be is a URL of a ClickHouse database. */
export function isTarget(text: string): boolean {
  return SCHEME.test(text);
}

/** The target as a URL, for messages and as its name. */
export function shownTarget({ server, database }: Omit<Target, 'user'>): string {
  return `${server}/${encodeURIComponent(database)}`;
}

/** The whole of it as a URL, which {@link parseTarget} takes. */
export function targetUrl(target: Target): string {
  const url = new URL(shownTarget(target));
  url.username = target.user ?? '';
  return url.href;
}

/**
 * Takes `clickhouse://[USER@]HOST[:PORT][/DATABASE][?secure=1]`, whose port is 8123, or 8443 if it is secure, and
 * `http[s]://` with the same parts and the usual ports.
 * @throws TargetError
 */
export function parseTarget(text: string): Target {
  const [, scheme] = SCHEME.exec(text) ?? [];
  if (scheme === undefined)
    throw new TargetError('is not the URL of a database: give clickhouse://[USER@]HOST[:PORT][/DATABASE][?secure=1]');
  // The URL standard would take the first word behind them for the host.
  if (/^[^:]*:\/\/(?:\/|[?#]|$)/.test(text) || text.includes('\\'))
    throw new TargetError('has no host: give clickhouse://[USER@]HOST[:PORT][/DATABASE]');
  const isOwn = scheme.toLowerCase() === 'clickhouse';
  // Of a scheme that it does not know, the URL standard takes less apart.
  const url = urlOf(isOwn ? `http${text.slice(scheme.length)}` : text);
  if (url === undefined) throw new TargetError('is not a valid URL: give clickhouse://[USER@]HOST[:PORT][/DATABASE]');
  if (url.password !== '')
    throw new TargetError(
      'has a password, which every user of this host could read: give it with --credentials-file or in CLICKHOUSE_PASSWORD',
    );
  const isSecure = secureOf(url, scheme.toLowerCase());
  const host = `${isSecure ? 'https' : 'http'}://${url.hostname}`;
  // The URL standard leaves out port 80 of http.
  const toldPort = /^[^/?#]*:(\d+)(?:[/?#]|$)/.exec(text.slice(scheme.length + 3))?.[1];
  const port = toldPort ?? (isOwn ? (isSecure ? PORTS.secure : PORTS.plain) : undefined);
  // As it is written: the standard resolves `..`.
  const path = /^[^/?#]*\/?([^?#]*)/.exec(text.slice(scheme.length + 3))?.[1] ?? '';
  const database = decoded(path.replace(/\/$/, ''));
  if (/\/|^\.\.?$/.test(database) || url.hash !== '') throw new TargetError('has more than a database after the host');
  return {
    server: new URL(port === undefined ? host : `${host}:${port}`).origin,
    database: database === '' ? 'default' : database,
    user: url.username === '' ? undefined : decoded(url.username),
  };
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function secureOf(url: URL, scheme: string): boolean {
  let isSecure = scheme === 'https';
  for (const [name, value] of url.searchParams) {
    if (name !== 'secure' || scheme !== 'clickhouse' || !['0', '1', 'true', 'false'].includes(value))
      throw new TargetError(`has '?${name}=': only clickhouse://HOST?secure=1 is known`);
    isSecure = value === '1' || value === 'true';
  }
  return isSecure;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new TargetError('is not a valid URL: % must be followed by two hexadecimal digits', {
      cause: error,
    });
  }
}

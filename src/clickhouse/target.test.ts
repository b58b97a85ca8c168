import { expect, it } from 'vitest';
import { isTarget, parseTarget, shownTarget, targetUrl } from './target.ts';

it.each([
  ['clickhouse://db1', 'http://db1:8123', 'default', undefined],
  ['clickhouse://db1/kstack', 'http://db1:8123', 'kstack', undefined],
  ['ClickHouse://db1:80/kstack/', 'http://db1', 'kstack', undefined],
  ['clickhouse://db1/kstack?secure=1', 'https://db1:8443', 'kstack', undefined],
  ['clickhouse://db1?secure=false', 'http://db1:8123', 'default', undefined],
  ['clickhouse://fleet@db1:9440/a%20b?secure=true', 'https://db1:9440', 'a b', 'fleet'],
  ['clickhouse://[::1]:8123/', 'http://[::1]:8123', 'default', undefined],
  ['http://db1', 'http://db1', 'default', undefined],
  ['https://me%40here@db1:8443/x', 'https://db1:8443', 'x', 'me@here'],
])('%s is a database', (text, server, database, user) => {
  expect(isTarget(text)).toBe(true);
  expect(parseTarget(text)).toEqual({ server, database, user });
  expect(parseTarget(targetUrl(parseTarget(text)))).toEqual({ server, database, user });
});

it('a target is shown without the user', () => {
  expect(shownTarget(parseTarget('clickhouse://me@db1/a b'))).toBe('http://db1:8123/a%20b');
});

it.each([
  ['db1:8123', /clickhouse:\/\//],
  ['ftp://db1', /clickhouse:\/\//],
  ['clickhouse://', /has no host/],
  ['clickhouse:///k', /has no host/],
  ['clickhouse://db1:8123\\k', /has no host/],
  ['clickhouse://db1:99999', /not a valid URL/],
  ['clickhouse://db1/%zz', /not a valid URL/],
  ['clickhouse://db1/%2e%2e', /more than a database/],
  ['clickhouse://db1/a/b', /more than a database/],
  ['clickhouse://db1/a#b', /more than a database/],
  ['clickhouse://db1?secure=maybe', /secure=1/],
  ['clickhouse://db1?async_insert=1', /only clickhouse:\/\/HOST\?secure=1/],
  ['https://db1?secure=0', /secure=1/],
])('%s is none', (text, why) => {
  expect(() => parseTarget(text)).toThrow(why);
});

it('a password in a URL is refused with the way out, and not repeated', () => {
  for (const text of ['clickhouse://me:geheim@db1', 'https://:geheim@db1/x']) {
    expect(() => parseTarget(text)).toThrow(/--credentials-file or in CLICKHOUSE_PASSWORD/);
    expect(() => parseTarget(text)).not.toThrow(/geheim/);
  }
});

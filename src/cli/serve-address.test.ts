import { expect, it } from 'vitest';
import { addressText, type ServeAddress } from './serve-address.ts';

const LOCAL: ServeAddress = {
  place: { address: '127.0.0.1', port: 0 },
  serverNames: [],
  tls: undefined,
  isBehindProxy: false,
  tokenFile: undefined,
};
const textOf = (more: Partial<ServeAddress>, host = '127.0.0.1:4000') =>
  addressText({ ...LOCAL, ...more }, host, 'SECRET', 'db1');

it('is the URL of the page, under the name and the scheme of whoever is in front', () => {
  expect(textOf({})).toBe('http://127.0.0.1:4000/#token=SECRET\n');
  expect(textOf({ tls: ['cert', 'key'], serverNames: ['stacks.example', 'other'] }, '10.0.0.1:443')).toBe(
    'https://stacks.example:443/#token=SECRET\n',
  );
  const proxied = { isBehindProxy: true, serverNames: ['stacks.example'] };
  expect(textOf(proxied)).toBe('https://stacks.example/#token=SECRET\n');
  expect(textOf({ ...proxied, place: { socket: '/run/kstack' } }, 'localhost')).toBe(
    'https://stacks.example/#token=SECRET\n',
  );
});

it('names the file of a token instead of the token', () => {
  for (const place of [LOCAL.place, { socket: '/run/kstack' }]) {
    const text = textOf({ place, tokenFile: '/etc/my token' });
    expect(text).not.toContain('SECRET');
    expect(text).toContain("/#token=$(cat '/etc/my token')\n");
  }
});

it('tells of a socket how to get there from elsewhere', () => {
  const text = textOf({ place: { socket: '/run/the socket' } }, 'localhost');
  expect(text).toContain("ssh -N -L 8080:'/run/the socket' db1\n");
  expect(text).toContain('http://localhost:8080/#token=SECRET\n');
  expect(text).toContain(`curl --unix-socket '/run/the socket' -H "Authorization: Bearer SECRET" http://localhost/`);
});

import { describe, expect, it } from 'vitest';
import { edgePhrase } from './edge-phrases.ts';

describe('what an edge says', () => {
  const names = (key: number | string) => (typeof key === 'number' ? `${key} server` : key);

  it('is about what the task at its end does, and how certain that is', () => {
    expect(edgePhrase({ by: 'pipe-writer', to: 7 }, names)).toBe('7 server to write to the pipe');
    expect(edgePhrase({ by: 'socket-peer', to: 7, inferred: true }, names)).toBe(
      '7 server, at the other end of its socket (inferred)',
    );
    expect(edgePhrase({ by: 'futex', to: 7, inferred: true }, names)).toBe(
      'the user-space lock (futex) that 7 server likely holds',
    );
  });

  it('is about the pipe or socket where that is its end, whatever its name has in it', () => {
    expect(edgePhrase({ by: 'pipe-writer', to: 'pipe:[1]' }, names)).toBe('a writer of pipe:[1]');
    expect(edgePhrase({ by: 'flock', to: 'pipe:[1]', inferred: true }, names)).toBe(
      'the file lock (flock) on pipe:[1] (inferred)',
    );
    expect(edgePhrase({ by: 'pipe-reader', to: '/run/$&' }, names)).toBe('a reader of /run/$&');
    expect(edgePhrase({ by: 'socket-peer', to: 'socket:[1]' }, names)).toBe('the other end of socket:[1]');
  });
});

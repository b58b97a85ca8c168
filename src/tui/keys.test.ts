import { describe, expect, it } from 'vitest';
import { KeyDecoder } from './keys.ts';

describe('KeyDecoder', () => {
  it.each([
    ['q', ['q']],
    ['日é', ['日', 'é']],
    ['\x1b[A\x1bOB', ['up', 'down']],
    ['\x1b[5~\x1b[6~', ['page-up', 'page-down']],
    ['\r\x7f\x03', ['enter', 'backspace', 'ctrl-c']],
    ['\x1b[<64;10;5M\x1b[<65;10;5M', ['wheel-up', 'wheel-down']],
    ['\x1b[<0;10;5M\x1b[<0;10;5mx', ['x']],
    ['\x1b[200~\x1b[1;5Cy', ['y']],
    ['\x00\x01\x9b', []],
  ])('reads %j as %j', (text, keys) => {
    expect(new KeyDecoder().push(text)).toEqual(keys);
  });

  it('joins a sequence that comes in pieces', () => {
    const decoder = new KeyDecoder();
    expect(decoder.push('\x1b')).toEqual([]);
    expect(decoder.push('[')).toEqual([]);
    expect(decoder.push('Bj')).toEqual(['down', 'j']);
  });

  it('takes an escape that nothing follows for a key', () => {
    const decoder = new KeyDecoder();
    decoder.push('\x1b');
    expect(decoder.isPending).toBe(true);
    expect(decoder.flush()).toEqual(['escape']);
    expect(decoder.isPending).toBe(false);
  });

  it('does not wait for the end of a sequence that has none', () => {
    const decoder = new KeyDecoder();
    expect(decoder.push(`\x1b[${'1'.repeat(100)}`).length).toBeGreaterThan(0);
  });
});

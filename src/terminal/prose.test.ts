import { describe, expect, it } from 'vitest';
import { inColumns } from './prose.ts';
import { withoutColours, wrapped } from './wrapped.ts';

describe('a line of prose', () => {
  it('is broken between words, and goes on further to the right', () => {
    expect(wrapped('  three tasks wait for  a lock', 14)).toEqual(
      ['  three tasks', '    wait for ', '    a lock'].map((l) => l.trimEnd()),
    );
    expect(wrapped('it fits', 7)).toEqual(['it fits']);
  });

  it('keeps a word whole that is longer than a line', () => {
    expect(wrapped('see /srv/a/long/path now', 10)).toEqual(['see', '  /srv/a/long/path', '  now']);
  });

  it('is as long as the terminal shows it: colours take no column, wide characters two', () => {
    expect(wrapped('\x1b[31mtwo words\x1b[0m', 9)).toEqual(['\x1b[31mtwo words\x1b[0m']);
    expect(wrapped('文件 文件', 8)).toEqual(['文件', '  文件']);
  });
});

async function broken(text: string, columns: number, size = text.length): Promise<string> {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  let all = '';
  for await (const piece of inColumns(pieces, columns)) all += piece;
  return all;
}

describe('prose in columns', () => {
  const text = `3 tasks wait for /srv, which is frozen (inferred).

  holds up   3 tasks, for up to 1.8 s, and more behind these
  undo       fsfreeze -u /srv/with/a/long/path   (changes the host)
  stack   percpu_rwsem_wait               +0x15f/0x1d0
          mnt_want_write                  +0x96/0xc0
  causes  A snapshot or backup froze it and has not thawed it.
`;
  it('goes on below what follows the label, and leaves commands and stacks in one line', async () => {
    expect(await broken(text, 40)).toBe(`3 tasks wait for /srv, which is frozen
  (inferred).

  holds up   3 tasks, for up to 1.8 s,
             and more behind these
  undo       fsfreeze -u /srv/with/a/long/path   (changes the host)
  stack   percpu_rwsem_wait               +0x15f/0x1d0
          mnt_want_write                  +0x96/0xc0
  causes  A snapshot or backup froze it
          and has not thawed it.
`);
  });

  it('is broken as it is without colours', async () => {
    const coloured = text.replaceAll(/^ {2}(\w+)/gm, '  \x1b[2m$1\x1b[0m');
    expect(withoutColours(await broken(coloured, 40))).toBe(await broken(text, 40));
  });

  it('is the same in whatever pieces it comes, and as it was where it fits', async () => {
    expect(await broken(text, 40, 7)).toBe(await broken(text, 40));
    expect(await broken(text, 80, 11)).toBe(text);
    expect(await broken('no end of line', 4)).toBe('no\n  end\n  of\n  line');
  });
});

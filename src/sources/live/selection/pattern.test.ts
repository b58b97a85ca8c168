import { describe, expect, it } from 'vitest';
import { compilePattern, PatternError } from './pattern.ts';

describe('compilePattern', () => {
  it.each([
    ['^nginx$', 'nginx', true],
    ['^nginx$', 'nginx: worker', false],
    ['^(do_)?sys_pause$|^__do_sys_pause$|pause', '__x64_sys_pause', true],
    ['(\\w+)+!|entry_SYSCALL_64_after_hwframe', 'entry_SYSCALL_64_after_hwframe', true],
    ['^Иван$', 'Иван', true],
    ['(?i)^ИВАН', 'Иван', true],
    ['^\\p{L}+$', 'Иван', true],
    ['^.$', '\u{1f600}', true],
    // A byte that is not UTF-8.
    ['^a.b$', 'a\udcffb', true],
    ['kworker/u\\d+:', 'kworker/u8:3', true],
    ['', 'anything', true],
    ['a.b', 'a\nb', false],
  ])('%j on %j', async (source, text, matches) => {
    const pattern = await compilePattern({ source });
    expect([pattern.source, pattern.test(text), pattern.test(text)]).toEqual([source, matches, matches]);
  });

  it.each(['(a+)+$', '(a|aa)+$', '(a*)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', '((a?){30})a{30}$'])(
    '%s takes time linear in a text on which others take forever',
    async (source) => {
      const pattern = await compilePattern({ source });
      const started = performance.now();
      for (let length = 20; length < 2000; length++) expect(pattern.test(`${'a'.repeat(length)}!`)).toBe(false);
      expect(performance.now() - started).toBeLessThan(5000);
    },
  );

  it('knows the flags i, m and s, and refuses others', async () => {
    const test = async (flags: string, text: string) => (await compilePattern({ source: '^a.b$', flags })).test(text);
    expect(await Promise.all([test('', 'A-B'), test('i', 'A-B'), test('s', 'a\nb'), test('m', 'x\na-b')])).toEqual([
      false,
      true,
      true,
      true,
    ]);
    await expect(test('g', 'a-b')).rejects.toEqual(new PatternError("the flag 'g' is not supported."));
  });

  it('answers for more texts than it keeps', async () => {
    const pattern = await compilePattern({ source: '7$' });
    const texts = Array.from({ length: 10_000 }, (_, at) => `kworker/${at}`);
    for (let round = 0; round < 2; round++) expect(texts.filter((text) => pattern.test(text))).toHaveLength(1000);
  });

  it.each([
    ['(a|b', 0, 'missing closing )'],
    ['(a)(b', 3, 'missing closing )'],
    ['a[z-b]c', 4, 'invalid character class range'],
    ['ab[a', 2, 'missing closing ]'],
    ['a**', 2, 'invalid nested repetition operator'],
    ['\\**|a**', 6, 'invalid nested repetition operator'],
    ['Ив**x', 3, 'invalid nested repetition operator'],
    ['a)b', 1, 'unexpected )'],
    ['ab\\', 2, 'trailing backslash at end of expression'],
    ['\\x41\\xg', 5, 'invalid escape sequence'],
    ['((a{100}){100}){100}', 13, 'invalid repeat count'],
    ['x(?=a)y', 2, 'the RE2 syntax has no lookaround'],
    ['a(?<!a)b', 3, 'the RE2 syntax has no lookaround'],
    ['\\\\1(a)\\1', 7, 'the RE2 syntax has no backreferences'],
    ['(?<n>a)\\k<n>', 8, 'the RE2 syntax has no backreferences'],
  ])('%s is refused, and shown where it is wrong', async (source, at, reason) => {
    const expected = new PatternError(`${reason}:\n  ${source}\n  ${' '.repeat(at)}^`);
    await expect(compilePattern({ source })).rejects.toEqual(expected);
  });

  it('does not look for the place in an expression of a hundred thousand characters', async () => {
    const started = performance.now();
    await expect(compilePattern({ source: `${'a|'.repeat(50_000)}(` })).rejects.toEqual(
      new PatternError('missing closing ).'),
    );
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

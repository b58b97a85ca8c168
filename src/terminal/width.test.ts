import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, fitted, widthOf } from './width.ts';

describe('widthOf', () => {
  it.each([
    ['', 0],
    ['jbd2/sda1-8', 11],
    ['naïve', 5],
    ['nai\u0308ve', 5],
    ['日本語', 6],
    ['ｶﾅ', 2],
    ['한국', 4],
    ['👩‍💻', 2],
    ['❤️', 2],
    ['🇩🇪', 2],
    ['…', 1],
    ['\u200b', 0],
  ])('of %j is %i', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });
});

describe('cut', () => {
  it.each([
    ['kworker', 7, 'kworker'],
    ['kworker', 6, 'kwork…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['👩‍💻👩‍💻', 3, '👩‍💻…'],
    ['ab', 1, '…'],
    ['ab', 0, ''],
  ])('%j to %i columns is %j', (text, columns, expected) => {
    expect(cut(text, columns)).toBe(expected);
  });
});

describe('fitted', () => {
  it('always takes all columns and no more', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '日', '👩‍💻', '\u0301', '…', 'ﾅ') });
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 30 }), fc.constantFrom('left', 'right'), (some, columns, at) => {
        expect(widthOf(fitted(some, columns, at as 'left' | 'right'))).toBe(columns);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import type { Sample } from '../model/sample.ts';
import { widthOf } from '../terminal/width.ts';
import { blockOf, Drawing, type Shown } from './draw.ts';
import type { Key } from './keys.ts';
import type { Size } from './screen.ts';
import { firstView, press } from './view.ts';

const UTC = () => ({ offsetSeconds: 0, abbreviation: 'UTC' });

function shownOf(sample: Sample | undefined, more: Partial<Shown> = {}): Shown {
  return {
    sample,
    before: () => undefined,
    scope: 'host',
    host: { load: [1.5, 1, 0.5], cpus: 2 },
    beats: [0, 3, 8, 2].map((blocked, at) => ({ timeMs: 1000 * at, blocked })),
    mode: 'every 1 s',
    zoneAt: UTC,
    message: undefined,
    colour: false,
    staysOf: () => [],
    ...more,
  };
}

/** The lines after some keys, each of which was drawn. */
function linesAfter(keys: readonly Key[], shown: Shown, size: Size): readonly string[] {
  const drawing = new Drawing();
  let frame = drawing.frameOf(firstView({ threads: true }), shown, size);
  for (const key of keys) frame = drawing.frameOf(press(frame.view, key, frame.drawn).view, shown, size);
  return frame.lines;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: styles are control sequences
const STYLE = /\x1b\[[\d;]*m/g;
const PAGES: readonly (readonly [name: string, keys: readonly Key[]])[] = [
  ['groups', []],
  ['all', ['a']],
  ['by-command', ['a', 'g', 'g', 'g']],
  ['group', ['down', 'enter']],
  ['task', ['enter', 'enter']],
  ['explain', ['e']],
  ['verdict', ['w']],
  ['help', ['?']],
  ['filter', ['/', 'x', 'y']],
];

describe('the verdict', () => {
  it('calls a deadlock one that the sample before shows, too', () => {
    const waits = (from: number, to: number) => ({ from, to, by: 'futex', inferred: true, evidence: [] }) as const;
    const sample: Sample = {
      ...EMPTY_SAMPLE,
      observations: [observationOf(1, { state: 'S' }), observationOf(2, { state: 'S' })],
      edges: [waits(1, 2), waits(2, 1)],
    };
    const told = (before: Sample | undefined) =>
      linesAfter(['w'], shownOf(sample, { before: () => before }), { rows: 30, columns: 120 }).join('\n');
    expect(told(undefined)).toMatch(/May be a deadlock: 1 t1, 2 t2 wait for each other\..*\nmay be a deadlock\n/s);
    expect(told(sample)).toMatch(/Deadlock: 1 t1, 2 t2 wait for each other\..*\ndeadlock\n/s);
  });
});

describe('what is text', () => {
  const [sample] = ODD_SAMPLES;

  it.each(PAGES.filter(([name]) => ['verdict', 'explain', 'help', 'task'].includes(name)))(
    'goes on below on 80 columns: %s',
    (_, keys) => {
      const lines = linesAfter(keys, shownOf(sample), { rows: 60, columns: 80 });
      expect(lines.slice(0, -1).join('')).not.toContain('…');
    },
  );

  it('has the key that records on 120 columns, whatever stands before it', () => {
    const long = linesAfter(['g', 'g', 'g', 'g', 'g'], shownOf(sample), { rows: 30, columns: 120 });
    expect(long.at(-1)).toContain('r record');
  });
});

describe('a frame', () => {
  const [sample] = ODD_SAMPLES;

  it.each(PAGES)('of %s is as it was', async (name, keys) => {
    const text = linesAfter(keys, shownOf(sample), { rows: 30, columns: 120 })
      .map((each) => each.replaceAll(STYLE, '').trimEnd())
      .join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it.each(PAGES)('of %s on 30 columns is as it was', async (name, keys) => {
    const text = linesAfter(keys, shownOf(sample), { rows: 40, columns: 30 })
      .map((each) => each.replaceAll(STYLE, '').trimEnd())
      .join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/narrow-${name}.txt`);
  });

  it('loses no word on 30 columns, where nothing can be selected', () => {
    const wordsOf = (keys: readonly Key[], columns: number) => {
      const lines = linesAfter(keys, shownOf(sample), { rows: 200, columns });
      const text = lines
        .slice(0, -1)
        .join(' ')
        .replaceAll(STYLE, '')
        .replaceAll(/[\s▁-█]+/g, '');
      return text.slice(text.indexOf('blockednow'));
    };
    for (const keys of [['e'], ['w'], ['?']] as const) expect(wordsOf(keys, 30)).toBe(wordsOf(keys, 300));
  });

  it.each([
    [{ rows: 24, columns: 80 }],
    [{ rows: 100, columns: 300 }],
    [{ rows: 6, columns: 30 }],
    [{ rows: 2, columns: 10 }],
    [{ rows: 1, columns: 1 }],
  ])('fits into %o, whatever it shows', (size) => {
    for (const each of [...ODD_SAMPLES, undefined])
      for (const [name, keys] of PAGES)
        for (const colour of [true, false]) {
          const lines = linesAfter(keys, shownOf(each, { colour }), size);
          expect(lines, name).toHaveLength(size.rows);
          for (const line of lines) {
            const text = line.replaceAll(STYLE, '');
            expect(widthOf(text)).toBeLessThanOrEqual(size.columns);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
            expect(text).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
          }
        }
  });

  it('shows what is selected also without colours', () => {
    const lines = linesAfter(['down'], shownOf(sample), { rows: 24, columns: 80 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: styles are control sequences
    expect(lines.filter((line) => /^\x1b\[7m/.test(line))).toHaveLength(1);
    expect(lines.join('').match(STYLE)).toHaveLength(2);
  });

  it('says what happened in place of the keys', () => {
    const lines = linesAfter([], shownOf(sample, { message: 'recording to x' }), { rows: 24, columns: 80 });
    expect(lines.at(-1)).toBe('recording to x');
  });
});

describe('a plain block', () => {
  it('has the header and every group, and no control sequence', () => {
    const [sample] = ODD_SAMPLES;
    if (sample === undefined) throw new Error('no sample');
    const context = { ...shownOf(sample), columns: 100 };
    const text = blockOf(sample, context, firstView({ threads: true }));
    expect(text.split('\n').length).toBeGreaterThan(8);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });
});

import { expect, it } from 'vitest';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import { Progress } from './progress.ts';

/** What a terminal of so many columns, or what is none, shows after each sample. */
function shown(name: string, columns: number | undefined, samples = 3, everyMs = 10_000) {
  let nowMs = 0;
  const lines: string[] = [];
  const rewritten: string[] = [];
  const progress = new Progress({
    name,
    durationMs: 3_600_000,
    clock: { monotonicMs: () => nowMs },
    screen: {
      columns: () => columns,
      rewrite: (text) => void rewritten.push(text),
      print: (text) => void lines.push(text),
    },
  });
  for (let sample = 1; sample <= samples; sample++) {
    nowMs += everyMs;
    progress.took({ samples: sample }, 1000 * sample, EMPTY_SAMPLE);
  }
  progress.close();
  return { lines, rewritten, summary: progress.summary() };
}

it('tells samples, tasks, blocked ones, bytes and the time that is left', () => {
  const { rewritten, summary } = shown('/x', 120);
  expect(rewritten).toEqual([
    '/x: 0 samples, 0 bytes, 1 h 0 min left',
    '/x: 1 sample, 0 tasks, 0 blocked now, 1000 bytes, 59 min 50 s left',
    '/x: 2 samples, 0 tasks, 0 blocked now, 2000 bytes, 59 min 40 s left',
    '/x: 3 samples, 0 tasks, 0 blocked now, 3000 bytes, 59 min 30 s left',
    '',
  ]);
  expect(summary).toBe('/x: 3 samples, 3000 bytes');
});

it.each(['/x', '/very/long/path/to/a/recording/of/the/night', '/日本語/の/とても/長い/名前/です', '/\x1b[31mred\n'])(
  'is never wider than the terminal, whatever is recorded to: %j',
  (name) => {
    for (let columns = 1; columns <= 150; columns++)
      for (const line of shown(name, columns).rewritten) {
        const width = [...line].reduce((sum, character) => sum + (character < '\x7f' ? 1 : 2), 0);
        expect(width).toBeLessThan(Math.max(columns, 1));
        expect(line).not.toMatch(/\p{Cc}/u);
      }
  },
);

it('tells it less and less often where there is no terminal', () => {
  const { lines, rewritten } = shown('/x', undefined, 3000);
  expect(rewritten).toEqual([]);
  const samples = lines.map((line) => Number(/: (\d+) samples/.exec(line)?.[1]));
  // After 1, 3, 7, 15, 31 and 63 minutes, then every hour.
  expect(samples).toEqual([6, 18, 42, 90, 186, 378, 738, 1098, 1458, 1818, 2178, 2538, 2898]);
});

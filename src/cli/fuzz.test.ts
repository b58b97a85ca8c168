import { expect, it, onTestFinished } from 'vitest';
import { seeds } from '../../test/fuzz/corpus.ts';
import { MutantFile, mutantOf, readMutant } from '../../test/fuzz/fuzz.ts';

/** A million are in CONTRIBUTING.md. */
const MUTANTS = 1000;
/** More than what the tests before it have left. */
const MOST_MB = 300;

it('no damaged, forged or hostile file breaks the readers, or acts on a terminal', async () => {
  const file = new MutantFile();
  onTestFinished(() => file.remove());
  const all = await seeds();
  const before = process.memoryUsage.rss();
  const broken: string[] = [];
  for (let number = 0; number < MUTANTS; number++) {
    try {
      await readMutant(number, all, file);
    } catch (error) {
      const { name } = mutantOf(number, all);
      broken.push(`${number} (${name}): ${error instanceof Error ? error.stack : error}`);
    }
  }
  expect(broken).toEqual([]);
  expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(MOST_MB);
}, 300_000);

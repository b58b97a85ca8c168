import { seeds } from './corpus.ts';
import { MutantFile, mutantOf, readMutant } from './fuzz.ts';

// node test/fuzz/run.mjs FROM TO: reads the mutants of these numbers, and tells what is not to happen.
const [from = 1, to = 1000] = process.argv.slice(2).map(Number);
const file = new MutantFile();
const all = await seeds();
const KB_PER_MB = 1024;
let failed = 0;
const slowest: { number: number; name: string; ms: number; bytes: number }[] = [];
process.on('exit', () => file.remove());
let isOver = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    isOver = true;
  });
let done = 0;
for (let number = from; number < to && !isOver; number++) {
  done++;
  if (number % 100 === 0) process.send?.({ number });
  const before = performance.now();
  try {
    const { name, bytes } = await readMutant(number, all, file);
    const ms = performance.now() - before;
    slowest.push({ number, name, ms, bytes });
    if (slowest.length > 100) slowest.sort((a, b) => b.ms - a.ms).splice(10);
  } catch (error) {
    failed++;
    const { name } = mutantOf(number, all);
    console.log(`${number} (${name}): ${error instanceof Error ? error.stack : error}`);
  }
}
slowest.sort((a, b) => b.ms - a.ms).splice(10);
const mostMb = Math.round(process.resourceUsage().maxRSS / KB_PER_MB);
console.log(`${done} mutants, ${failed} failed, at most ${mostMb} MB`);
for (const { number, name, ms, bytes } of slowest)
  console.log(`  ${Math.round(ms)} ms: ${number} (${name}, ${bytes} bytes)`);
process.exitCode = failed === 0 ? 0 : 1;

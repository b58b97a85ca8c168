import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeds } from './corpus.ts';
import { mutantOf, readMutant } from './fuzz.ts';

// node test/fuzz/run.mjs FROM TO: reads the mutants of these numbers, and tells what is not to happen.
const [from = 1, to = 1000] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'kstack-fuzz-'));
const file = join(folder, 'mutant');
const all = await seeds();
const MB = 2 ** 20;
const MEASURED_EVERY = 16;
let failed = 0;
let mostMb = 0;
const slowest: { number: number; name: string; ms: number; bytes: number }[] = [];
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let isOver = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    isOver = true;
  });
let done = 0;
let before = process.cpuUsage();
for (let number = from; number < to && !isOver; number++) {
  done++;
  if (number % 100 === 0) process.send?.({ number });
  try {
    const { name, bytes } = await readMutant(number, all, file);
    const used = process.cpuUsage();
    const ms = (used.user + used.system - before.user - before.system) / 1000;
    before = used;
    slowest.push({ number, name, ms, bytes });
    if (slowest.length > 100) slowest.sort((a, b) => b.ms - a.ms).splice(10);
  } catch (error) {
    failed++;
    const { name } = mutantOf(number, all);
    console.log(`${number} (${name}): ${error instanceof Error ? error.stack : error}`);
  }
  // Both this and the CPU time cost as much as reading a small file.
  if (number % MEASURED_EVERY === 0) mostMb = Math.max(mostMb, process.memoryUsage.rss() / MB);
}
slowest.sort((a, b) => b.ms - a.ms).splice(10);
console.log(`${done} mutants, ${failed} failed, at most ${Math.round(mostMb)} MB`);
for (const { number, name, ms, bytes } of slowest)
  console.log(`  ${Math.round(ms)} ms of CPU: ${number} (${name}, ${bytes} bytes)`);
process.exitCode = failed === 0 ? 0 : 1;

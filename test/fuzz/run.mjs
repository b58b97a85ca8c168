// Reads mutated recordings and logs with the readers of kstack: node test/fuzz/run.mjs [FROM [TO]], mutants of these
// numbers. Prints what broke: a number is the same mutant again, whenever it is run. Ends a reader that hangs.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** What is bundled finds its packages from here. */
const CACHE = 'node_modules/.cache';
// One for each run: there may be several.
mkdirSync(CACHE, { recursive: true });
const folder = mkdtempSync(join(CACHE, 'kstack-fuzz-'));
const outfile = join(folder, 'main.mjs');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await build({
  entryPoints: ['test/fuzz/main.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile,
  // What is bundled finds its seeds from the folder of the source.
  plugins: [
    {
      name: 'folders',
      setup({ onLoad }) {
        onLoad({ filter: /\/test\/fuzz\/.*\.ts$/ }, ({ path }) => {
          const folder = JSON.stringify(path.slice(0, path.lastIndexOf('/')));
          return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.dirname', folder), loader: 'ts' };
        });
      },
    },
  ],
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url); const __dirname = import.meta.dirname;',
  },
});

const HEAP_MB = 450;
/** A hundred mutants take less than a second. */
const MOST_CPU_SECONDS = 300;
const TICKS_PER_SECOND = 100;

const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, outfile, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
const cpuSeconds = () => {
  const [utime, stime] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ').slice(11, 13);
  return (Number(utime) + Number(stime)) / TICKS_PER_SECOND;
};
let last = { number: 0, at: 0 };
child.on('message', ({ number }) => {
  last = { number, at: cpuSeconds() };
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill('SIGTERM'));
const watch = setInterval(() => {
  if (cpuSeconds() - last.at < MOST_CPU_SECONDS) return;
  console.log(
    `hangs: a mutant from ${last.number} to ${last.number + 99} takes more than ${MOST_CPU_SECONDS} s of CPU`,
  );
  child.kill('SIGKILL');
}, 1000);
child.on('exit', (code) => {
  clearInterval(watch);
  process.exitCode = code ?? 1;
});

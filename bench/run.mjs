// Prints what kstack costs as ratios to its floors, all from one run: npm run bench [-- PROCESSES [THREADS]]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const [processes = '4500', threads = '8000'] = process.argv.slice(2);
const ROUNDS = 31;
const here = import.meta.dirname;
const command = process.env.KSTACK_BIN ?? join(here, '..', 'dist', 'kstack.cjs');
const folder = mkdtempSync(join(tmpdir(), 'kstack-bench-'));
const floor = join(folder, 'floor');

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const milliseconds = (nanoseconds) => `${(nanoseconds / 1e6).toFixed(1)} ms`;

/** Wall and CPU nanoseconds and peak memory in KiB of a command, the median of so many runs each, in turn with the others. */
function runAll(commands, rounds) {
  const runs = commands.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, words] of commands.entries()) {
      runs[i].push(
        execFileSync(floor, ['run', ...words])
          .toString()
          .trim()
          .split(' ')
          .map(Number),
      );
    }
  }
  return runs.map((results) => [0, 1, 2].map((field) => median(results.map((result) => result[field]))));
}

function inProcess(option) {
  return JSON.parse(execFileSync('node', [join(folder, 'in-process.mjs'), floor, option, String(ROUNDS)]).toString());
}

const rows = [];
/** A bound is what the ratio may be at most. */
function row(name, value, floorValue, bound, format = milliseconds) {
  const ratio = value / floorValue;
  rows.push([
    name,
    format(value),
    format(floorValue),
    ratio.toFixed(2),
    bound === undefined ? '' : `${bound} ${ratio <= bound ? 'ok' : 'OVER'}`,
  ]);
}

for (const program of ['load', 'floor']) execFileSync('cc', ['-O2', '-pthread', '-o', join(folder, program), join(here, `${program}.c`)]);
await build({
  entryPoints: [join(here, 'in-process.ts')],
  outfile: join(folder, 'in-process.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Not external: the bundle lies outside of this package, where koffi cannot be found.
  alias: { koffi: join(here, '..', 'node_modules', 'koffi', 'index.js') },
  external: [join(here, '..', 'node_modules', 'koffi', 'index.js')],
});
const load = spawn(join(folder, 'load'), [processes, threads], { stdio: ['pipe', 'pipe', 'inherit'] });
try {
  await new Promise((resolve, reject) => {
    load.stdout.once('data', resolve);
    load.once('exit', () => reject(new Error('the load ended before it was ready')));
  });
  const all = inProcess('-a');
  const blocked = inProcess('-D');
  const [node, help, nothing, everything, blockedOnly] = runAll(
    [
      ['node', '-e', '0'],
      [command, '-h'],
      [floor, '1', 'stat', 'cmdline', 'stack'],
      [command, '-a'],
      [command, '-D'],
    ],
    15,
  );
  row('-a in-process, wall', all.wall, all.floor, 1.3);
  row('-a in-process, CPU of all threads', all.cpu, all.floor);
  row('-D in-process, wall', blocked.wall, blocked.floor, 1.3);
  row('-D in-process, CPU of all threads', blocked.cpu, blocked.floor);
  row('kstack -h against node -e 0', help[0], node[0], 1.4);
  row('kstack -a, start and end included', everything[0], nothing[0]);
  row('kstack -a, peak memory against 90 MB', everything[2] * 1024, 90e6, 1, (bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  row('kstack -D, peak memory against 90 MB', blockedOnly[2] * 1024, 90e6, 1, (bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? 'unknown CPU';
  console.log(
    `${all.processes} processes and ${threads} threads more; ${cpus().length} x ${model}, Linux ${release()}, Node.js ${process.version}\n`,
  );
  const table = [['', 'kstack', 'floor', 'ratio', 'at most'], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  for (const cells of table) {
    console.log(
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join('   ')
        .trimEnd(),
    );
  }
} finally {
  load.stdin.end();
  await new Promise((resolve) => (load.exitCode === null && load.signalCode === null ? load.once('exit', resolve) : resolve()));
  rmSync(folder, { recursive: true, force: true });
}

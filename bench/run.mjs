// Prints the cost of kstack relative to its floors, measured in one run: npm run bench [-- PROCESSES [THREADS]]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, hostname, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { writeClassicLog } from './classic-log.mjs';

const [processes = '4500', threads = '8000'] = process.argv.slice(2);
const ROUNDS = 31;
/** The interval of the background run. */
const INTERVAL_MS = 100;
const here = import.meta.dirname;
const command = process.env.KSTACK_BIN ?? join(here, '..', 'dist', 'kstack.cjs');
const standalone = join(here, '..', 'dist', 'standalone', `kstack-linux-${process.arch}`);
const folder = mkdtempSync(join(tmpdir(), 'kstack-bench-'));
const floor = join(folder, 'floor');

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const milliseconds = (nanoseconds) => `${(nanoseconds / 1e6).toFixed(1)} ms`;

/**
 * Wall nanoseconds, CPU nanoseconds and peak memory in KiB of each command: medians over `rounds` rounds, in which the
 * commands alternate.
 */
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

function inProcess(option, rounds = ROUNDS) {
  return JSON.parse(execFileSync('node', [join(folder, 'in-process.mjs'), floor, option, String(rounds)]).toString());
}

const field = (pid, name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);

/**
 * CPU nanoseconds used by a process and its children: fields 14 and 15 of their stat, in hundredths of a second.
 */
function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuOf(child), (Number(fields[11]) + Number(fields[12])) * 1e7);
}

/**
 * A background run at a short interval: CPU nanoseconds per sample, the floor's nanoseconds, and resident KiB after a
 * tenth of the samples and at the end.
 */
async function inBackground(samples) {
  const logs = join(folder, 'logs');
  execFileSync(command, ['-bD', '-t', '30', '-x', '100', '-d', logs], {
    env: { ...process.env, KSTACK_INTERVAL_MS: String(INTERVAL_MS) },
    stdio: 'ignore',
  });
  const state = () => JSON.parse(readFileSync(join(logs, `.kstack_${hostname()}.run`), 'utf8'));
  const until = async (count) => {
    while (state().samples < count) await sleep(50);
    return { taken: state().samples, cpu: cpuOf(state().pid), resident: field(state().pid, 'VmRSS') };
  };
  const early = await until(samples / 10);
  const floors = [];
  let late = early;
  for (let part = 2; part <= 10; part++) {
    late = await until((samples * part) / 10);
    // The floor is measured at the same interval, so that its caches are as cold as those of a sample.
    const { pid } = state();
    process.kill(pid, 'SIGSTOP');
    for (let round = 0; round < 6; round++) {
      await sleep(INTERVAL_MS);
      floors.push(Number(execFileSync(floor, ['1', 'stat']).toString().split(' ')[0]));
    }
    process.kill(pid, 'SIGCONT');
  }
  const peak = field(state().pid, 'VmHWM');
  execFileSync(command, ['stop', '-d', logs]);
  return {
    cpu: (late.cpu - early.cpu) / (late.taken - early.taken),
    floor: median(floors),
    early: early.resident,
    late: late.resident,
    peak,
  };
}

/** Why a source is unavailable; undefined if it works. */
function refusalOf(source) {
  const { status, stderr } = spawnSync(command, ['-p', '1', '--source', source], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim();
}

const rows = [];
/** `bound` is the largest ratio allowed. */
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

for (const program of ['load', 'floor'])
  execFileSync('cc', ['-O2', '-pthread', '-o', join(folder, program), join(here, `${program}.c`)]);
await build({
  entryPoints: ['in-process.ts', 'recording.ts', 'day.ts'].map((name) => join(here, name)),
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // The bundle lies outside this package, where `koffi` would not resolve.
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
  const threadsAsJson = inProcess('-L');
  // Without bpf, the other rows are still measured.
  const whyNoBpf = refusalOf('bpf');
  const bpf = whyNoBpf === undefined ? inProcess('bpf') : undefined;
  const steady = whyNoBpf === undefined ? inProcess('steady', 600) : undefined;
  const [node, help, nothing, everything, blockedOnly, everythingByProc, states, blockedByProc] = runAll(
    [
      ['node', '-e', '0'],
      [command, '-h'],
      [floor, '1', 'stat', 'cmdline', 'stack'],
      [command, '-a'],
      [command, '-D'],
      [command, '-a', '--source', 'procfs'],
      [floor, '1', 'stat'],
      [command, '-D', '--source', 'procfs'],
    ],
    15,
  );
  row('-a in-process, wall', all.wall, all.floor, 1.2);
  row('-a in-process, CPU of all threads', all.cpu, all.floor);
  row('-D in-process, wall', blocked.wall, blocked.floor, 1.2);
  row('-D in-process, CPU of all threads', blocked.cpu, blocked.floor);
  row('-L -f json in-process, wall', threadsAsJson.wall, threadsAsJson.floor, 1.4);
  row('-L -f json in-process, explaining against all of it', threadsAsJson.explain, threadsAsJson.wall, 0.05);
  if (bpf !== undefined && steady !== undefined) {
    row('bpf, all threads, in-process, wall', bpf.wall, bpf.floor, 0.15);
    row('bpf, all threads as text at 10 Hz for a minute, CPU', steady.cpu, steady.floor, 0.2);
    row('the same, memory in its last tenth against its second', steady.late, steady.early, 1.1, megabytes);
  }
  row('kstack -h against an idle Node.js', help[0], node[0], 1.4);
  row('kstack -a, start and end included', everything[0], nothing[0]);
  row('kstack -a --source procfs, start and end included', everythingByProc[0], nothing[0]);
  row('kstack -D --source procfs, start and end included', blockedByProc[0], states[0]);
  row('kstack -a, peak memory against 90 MB', everything[2] * 1024, 90e6, 1, megabytes);
  row('kstack -D, peak memory against 90 MB', blockedOnly[2] * 1024, 90e6, 1, megabytes);
  if (existsSync(standalone)) {
    const [floorAll, floorState, floorThreads, ...alone] = runAll(
      [
        [floor, '1', 'stat', 'cmdline', 'stack'],
        [floor, '1', 'stat'],
        [floor, '1', 'task/stat', 'task/stack', 'cmdline'],
        [standalone, '-h'],
        [standalone, '-a'],
        [standalone, '-D'],
        [standalone, '-a', '--source', 'procfs'],
        [standalone, '-D', '--source', 'procfs'],
        [standalone, 'why'],
        [standalone, 'why', '--source', 'procfs'],
      ],
      15,
    );
    const [aloneHelp, aloneAll, aloneBlocked, aloneAllByProc, aloneBlockedByProc, aloneWhy, aloneWhyByProc] = alone;
    row('standalone -h against kstack -h under Node.js', aloneHelp[0], help[0], 0.25);
    row('standalone -a --source procfs, start and end included', aloneAllByProc[0], floorAll[0], 1.6);
    row('standalone -D --source procfs, start and end included', aloneBlockedByProc[0], floorState[0], 1.8);
    row('standalone why --source procfs, start and end included', aloneWhyByProc[0], floorThreads[0], 3);
    if (whyNoBpf === undefined) {
      row('standalone -a, start and end included', aloneAll[0], floorAll[0], 0.75);
      row('standalone -D, start and end included', aloneBlocked[0], floorState[0], 0.8);
      row('standalone why, start and end included', aloneWhy[0], floorThreads[0], 2);
    }
  }
  const log = join(folder, 'classic.out');
  writeClassicLog(log, 1e9);
  const [reported, counted] = runAll(
    [
      [command, 'report', log],
      ['grep', '-c', '^PID:', log],
    ],
    3,
  );
  row('report of 1 GB of classic log against grep -c', reported[0], counted[0], 4);
  row('the same, CPU of both threads', reported[1], counted[1]);
  row('the same, peak memory against 300 MB', reported[2] * 1024, 300e6, 1, megabytes);
  const recording = join(folder, 'day.kstack');
  execFileSync('node', [join(folder, 'day.mjs'), recording, log]);
  // As -b leaves it: a log is compressed when it is rotated.
  execFileSync('gzip', ['--keep', log]);
  const [fromRecording, fromLog, fromText] = runAll(
    [
      [command, 'report', recording],
      [command, 'report', `${log}.gz`],
      [command, 'report', log],
    ],
    3,
  );
  row('report of a day of 4,000 processes, recorded, against its logs in gzip', fromRecording[0], fromLog[0], 1 / 20);
  row('the same, CPU', fromRecording[1], fromLog[1]);
  row('the same against the log as one text, which -b does not leave', fromRecording[0], fromText[0]);
  for (const file of [log, `${log}.gz`]) rmSync(file);
  for (const [what, bytesBound, cpuBound] of [
    ['processes', 1 / 40],
    ['threads', undefined, 1.3],
  ]) {
    const measured = JSON.parse(execFileSync('node', [join(folder, 'recording.mjs'), what, '60', '100']).toString());
    const { hourBytes, hourLogBytes, taking, recording: cpu } = measured;
    row(
      `an hour of ${what} at 10 s, recorded, against -b, both compressed`,
      hourBytes,
      hourLogBytes,
      bytesBound,
      megabytes,
    );
    row(`recording ${what} at 10 Hz, CPU, against sampling them`, taking + cpu, taking, cpuBound);
  }
  const background = await inBackground(500);
  row('kstack -bD, CPU of a sample', background.cpu, background.floor, 1.4);
  row('kstack -bD, memory at sample 500 against 50', background.late * 1024, background.early * 1024, 1.1, megabytes);
  row('kstack -bD, peak memory against 90 MB', background.peak * 1024, 90e6, 1, megabytes);
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? 'unknown CPU';
  if (whyNoBpf !== undefined) console.log(`bpf unavailable: ${whyNoBpf}\n`);
  console.log(
    `${all.processes} processes and ${threads} more threads ` +
      `(${threadsAsJson.threads} threads in ${threadsAsJson.stacks} different stacks); ` +
      `${cpus().length} x ${model}, Linux ${release()}, Node.js ${process.version}\n`,
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
  await new Promise((resolve) =>
    load.exitCode === null && load.signalCode === null ? load.once('exit', resolve) : resolve(),
  );
  rmSync(folder, { recursive: true, force: true });
}

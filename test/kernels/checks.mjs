// What must hold in every guest, by the files that init.sh recorded there. A check throws what is wrong.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Profile } from 'pprof-format';
import { DM_CHECKS } from './dm-checks.mjs';
import { bytesOf, framesText, parseLook, parseText, steadyTasks } from './records.mjs';
import { SICK_CHECKS } from './sick-checks.mjs';
import { LOCK_CHECKS, WHY_CHECKS } from './why-checks.mjs';

const SCHEMA = join(import.meta.dirname, '../../schema/kstack-sample-1.schema.json');
const SPEEDSCOPE = createRequire(import.meta.url).resolve('speedscope/dist/release/file-format-schema.json');
const ajv = new Ajv2020({ allErrors: true });
const isSample = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

/** The function in which the parent of a vfork waits, and the states that the fixtures bring about. */
const VFORK = /(?:kernel_clone|_do_fork)/;
const STATES = ['D', 'I', 'S', 'T', 't', 'Z'];

/** In jiffies of a slow machine: how far the time of a task's sleep may lie outside of what the fixture says. */
const CLOCK_MS = 60;

/** The formats that nothing else here is read by. */
const WRITTEN = ['long', 'jsonl', 'folded', 'pprof', 'speedscope', 'perfetto', 'firefox'];

/** What is not told on a guest, although its kernel has it. */
function whyLeftOut(name, guest) {
  if (LOCK_CHECKS.some(([each]) => each === name)) {
    if (guest.name.endsWith('-rt')) return 'with PREEMPT_RT, locks have another layout, which is not read';
    if (guest.name.endsWith('-arm64')) return 'on arm64, stacks do not show the functions of locks';
  }
  return undefined;
}

/** The checks by name, each with the reason for which a guest is left out, if any. */
export function checksOf(guest) {
  const checks = [
    ['runs without /etc and without control groups', bare],
    ...['procfs', 'bpf'].flatMap((source) => [
      [`${source}: PID, state, name, start, stack of all asleep, as in /proc`, (files) => tasks(files, source), source],
      [`${source}: the same as text`, (files) => text(files, source), source],
      [`${source}: JSON by its schema, with nothing unread`, (files) => schema(files, source), source],
    ]),
    ['bpf: since when tasks are off the CPU', offCpu, 'bpf'],
    ['bpf: who waits for whom along a chain of vforks', chain, 'bpf'],
    ['procfs: names no task that was not asked for', noHolders],
    ['procfs: the reader is started before the runtime', ahead],
    ...WRITTEN.map((format) => [`format ${format}`, (files) => FORMATS[format](files)]),
    ...SICK_CHECKS,
    ...DM_CHECKS,
    ...WHY_CHECKS,
    ...LOCK_CHECKS,
    ['the kernel complained of nothing', kernelLog],
  ];
  return checks
    .map(([name, check, source]) => {
      const skipped = source === 'bpf' && !guest.bpf ? 'bpf needs Linux 5.11' : whyLeftOut(name, guest);
      return skipped === undefined ? { name, check } : { name, skipped };
    })
    .concat(guest.bpf ? [] : [{ name: 'bpf: is refused with the reason, and auto does without', check: refused }]);
}

function bare(files) {
  assertRan(files, 'bare');
  assert.equal(files.text('bare.err'), '');
  assert.match(files.text('bare.out'), /\b1 +0 +S\b|init: 1 {2}0 {2}/);
}

function refused(files) {
  assert.equal(files.ran('bpf.json').code, '1');
  assert.equal(files.text('bpf.json.out'), '');
  assert.match(files.text('bpf.json.err'), /^kstack: --source bpf: .+\n$/);
  assert.match(files.text('long.err'), /source: procfs/);
  assertRan(files, 'long');
}

/** Everything that /proc says of tasks that did not run between two looks, which enclose the sample. */
function tasks(files, source) {
  assertRan(files, `${source}.json`);
  const sample = JSON.parse(files.text(`${source}.json.out`));
  const shown = new Map(sample.tasks.map((task) => [task.tid, task]));
  const steady = steadyTasks(files, source);
  for (const task of steady) {
    const got = shown.get(task.tid);
    assert.ok(got, `TID ${task.tid} (${task.comm.toString('latin1')}) is not shown`);
    const { tid, pid, state, ppid, startTicks } = got;
    const stack = got.stack === null ? '' : framesText(sample.stacks[got.stack].frames);
    assert.deepEqual(
      { tid, pid, state, ppid, startTicks, comm: bytesOf(got, 'comm').toString('latin1'), stack },
      { ...task.numbers, comm: task.comm.toString('latin1'), stack: task.stack },
    );
    if (got.commandLine !== null && task.tid === task.pid) {
      assert.equal(got.commandLine, task.commandLine.replaceAll('\0', ' ').trim());
      assert.equal(got.arguments.map((argument) => `${argument}\0`).join(''), task.commandLine);
    }
  }
  assertEnough(files, steady);
  const known = new Set(['before', 'after'].flatMap((when) => [...parseLook(files, `${source}.${when}`).keys()]));
  for (const { tid, kernelThread, comm, commandLine } of sample.tasks) {
    // kstack itself, what ends it should it hang, and workers that came in between.
    if (known.has(tid) || kernelThread || /^(?:kstack|timeout) /.test(commandLine)) continue;
    assert.fail(`TID ${tid} (${comm}) was never there`);
  }
}

function text(files, source) {
  assertRan(files, `${source}.text`);
  assert.equal(files.text(`${source}.text.err`), '');
  const shown = parseText(files.text(`${source}.text.out`));
  const bootTime = Number(files.text('btime').split(' ')[1]);
  const steady = steadyTasks(files, source).filter(({ tid, pid }) => tid === pid);
  for (const { tid, comm, commandLine, stack, numbers } of steady) {
    const start = new Date((bootTime + Math.floor(numbers.startTicks / 100)) * 1000);
    const started = start.toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');
    const command = commandLine.replaceAll('\0', ' ').trim() || comm.toString('latin1');
    // Names that are escaped are the affair of another test.
    if (/[^ -~]/.test(command)) continue;
    assert.deepEqual(shown.get(tid), { state: numbers.state, started, command, stack });
  }
  assertEnough(files, steady, ['thread-in-vfork']);
}

function schema(files, source) {
  const sample = JSON.parse(files.text(`${source}.json.out`));
  assert.ok(isSample(sample), JSON.stringify(isSample.errors?.[0]));
  assert.equal(sample.kernel, files.kernel.release);
  assert.equal(sample.architecture, files.kernel.architecture);
  assert.deepEqual(sample.unread, []);
  for (const { tid, unread } of sample.tasks) assert.deepEqual(unread, {}, `TID ${tid}`);
  assert.equal(files.text(`${source}.json.err`), '');
}

function offCpu(files) {
  const { tasks } = JSON.parse(files.text('bpf.json.out'));
  const { started, ended } = files.ran('bpf.json');
  for (const name of ['early', 'late']) {
    const { pids, from, to } = files.fixture(name);
    const { offCpuMs } = tasks.find(({ tid }) => tid === pids[0]);
    const [least, most] = [(started - to) * 1000 - CLOCK_MS, (ended - from) * 1000 + CLOCK_MS];
    assert.ok(least <= offCpuMs && offCpuMs <= most, `${name}: ${offCpuMs} ms, and not between ${least} and ${most}`);
  }
}

function noHolders(files) {
  assert.deepEqual(JSON.parse(files.text('procfs.json.out')).holders, []);
}

function ahead(files) {
  assertRan(files, 'ahead');
  assert.match(files.text('ahead.err'), /started before the runtime/);
  assert.doesNotMatch(files.text('ahead.out'), /Thread: kstack-reader/);
}

function chain(files) {
  const { tasks, waits, edges } = JSON.parse(files.text('bpf.json.out'));
  const [first, second] = files.fixture('vfork-chain').pids;
  const last = tasks.find(({ ppid }) => ppid === second).tid;
  const found = waits.find(({ root }) => root?.tid === last);
  assert.equal(found?.deadlock, false);
  assert.deepEqual(
    found.edges.map((id) => [edges[id].from.tid, edges[id].by, edges[id].to.tid]),
    [
      [second, 'vfork', last],
      [first, 'vfork', second],
    ],
  );
}

const FORMATS = {
  long(files) {
    assertRan(files, 'long');
    const [first] = files.fixture('vfork-chain').pids;
    assert.match(files.text('long.out'), /^\w{3} \w{3} [ \d]\d .* - guest - Linux /);
    const group = `waits for its vfork child to exec or exit.*\\n(?: .*\\n)*? .*\\b${first}\\b`;
    assert.match(files.text('long.out'), new RegExp(group));
    assert.match(files.text('long.out'), /\n\d+ tasks seen: \d+ blocked, \d+ idle, \d+ running, \d+ unexplained\.\n$/);
    // A task that woke between the reads of its stat and its stack has none.
    const unexplained = files.text('long.out').match(/^\d+ tasks? \(.*\) {2}unexplained.*$/gm) ?? [];
    for (const heading of unexplained) assert.match(heading, /unknown: the stack is empty$/);
  },
  jsonl(files) {
    assertRan(files, 'jsonl');
    const lines = files
      .text('jsonl.out')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const isLine = ajv.getSchema('urn:kstack:sample:1#/$defs/line');
    for (const line of lines) assert.ok(isLine(line), JSON.stringify(isLine.errors?.[0]));
    const [first] = files.fixture('vfork-chain').pids;
    assert.match(JSON.stringify(lines.find(({ tid }) => tid === first)?.frames), VFORK);
  },
  folded(files) {
    assertRan(files, 'folded');
    const lines = files.text('folded.out').trimEnd().split('\n');
    for (const line of lines) assert.match(line, /^\S.*(?:;\S+)* [1-9]\d*$/);
    assert.ok(lines.some((line) => line.startsWith('tasks;') && VFORK.test(line)));
  },
  pprof(files) {
    assertRan(files, 'pprof');
    const { sample, stringTable } = Profile.decode(gunzipSync(files.get('pprof.out')));
    assert.ok(sample.length > 10);
    assert.ok(stringTable.strings.some((name) => VFORK.test(name)));
  },
  speedscope(files) {
    assertRan(files, 'speedscope');
    const profile = JSON.parse(files.text('speedscope.out'));
    const { definitions } = JSON.parse(readFileSync(SPEEDSCOPE, 'utf8'));
    for (const field of definitions['FileFormat.File'].required) assert.ok(field in profile, `${field} is missing`);
    assert.ok(profile.shared.frames.some(({ name }) => VFORK.test(name)));
  },
  perfetto(files) {
    assertRan(files, 'perfetto');
    assert.match(files.get('perfetto.out').toString('latin1'), /its vfork child/);
  },
  firefox(files) {
    assertRan(files, 'firefox');
    const { shared, threads } = JSON.parse(files.text('firefox.out'));
    assert.ok(shared.stringArray.some((name) => VFORK.test(name)));
    assert.ok(threads.length > 10);
  },
};

/** What a kernel writes when something went wrong in it. */
const COMPLAINT = /^.*(?:BUG:|WARNING:|Oops|Call Trace|scheduling while atomic|sleeping function|rcu.*stall).*$/m;

function kernelLog(files) {
  assert.equal(COMPLAINT.exec(files.text('dmesg'))?.[0], undefined);
}

function assertRan(files, name) {
  assert.equal(files.ran(name).code, '0', files.text(`${name}.err`).slice(0, 600));
}

/** Comparing nothing must not pass: all fixtures are among the tasks, and so are all their states. */
function assertEnough(files, steady, leftOut = []) {
  const seen = new Set(steady.map(({ tid }) => tid));
  for (const [name, pid] of files.fixtures()) {
    if (!leftOut.includes(name)) assert.ok(seen.has(pid), `PID ${pid} of ${name} did not sleep`);
  }
  const states = new Set(steady.map(({ numbers }) => numbers.state));
  assert.deepEqual(
    STATES.filter((state) => !states.has(state)),
    [],
  );
}

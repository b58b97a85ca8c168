// What must hold while a file system is frozen: two processes whose mmap lock is held up, each with a vfork child that
// hangs in an execve.
import assert from 'node:assert/strict';
import { parseText, steadyTasks } from './records.mjs';

/**
 * A sample must not take longer than what the same one took before, times SLOWER, and MORE_S seconds. Emulated guests
 * on a busy machine are slow by moments: this is about hanging for good. test/never-hang.test.ts knows the real bound.
 */
const SLOWER = 4;
const MORE_S = 15;
const FROZEN = 'ext4_page_mkwrite+0x';

/** [name, check, source] */
export const SICK_CHECKS = [
  ['frozen file system: the case hangs whoever reads it', hangs],
  ...['procfs', 'bpf'].flatMap((source) => [
    [`frozen file system: ${source} ends, in $(...), and names what hangs`, (files) => ends(files, source), source],
    [`frozen file system: ${source} shows every healthy process whole`, (files) => healthy(files, source), source],
  ]),
  ['frozen file system: -DL -f long says what is frozen', explained],
];

function stuck(files) {
  const { pids } = files.fixture('mmap-lock');
  return { parents: pids.slice(0, 2), children: pids.slice(2) };
}

function hangs(files) {
  assert.equal(files.text('hanging'), '137\n137\n');
}

function assertInTime(files, name, healthy) {
  const { code, seconds } = files.ran(name);
  assert.equal(code, '0', files.text(`${name}.err`).slice(0, 600));
  const most = files.ran(healthy).seconds * SLOWER + MORE_S;
  assert.ok(seconds <= most, `it took ${seconds.toFixed(2)} s, and at most ${most.toFixed(2)} s were allowed`);
}

function ends(files, source) {
  const name = `sick.${source}.all`;
  assertInTime(files, name, `${source}.text`);
  const shown = parseText(files.text(`${name}.out`));
  const { parents, children } = stuck(files);
  for (const pid of parents) {
    assert.equal(shown.get(pid)?.state, 'D');
    assert.ok(shown.get(pid).stack.includes(FROZEN), shown.get(pid).stack);
    assert.equal(shown.get(pid).command, 'mmap-stuck');
  }
  for (const pid of children)
    assert.ok(shown.get(pid)?.state === 'D' || files.text(`${name}.err`).includes(`${pid}`), `PID ${pid} is lost`);
  assert.match(files.text(`${name}.err`), /command line/);
  for (const pid of parents) assert.ok(files.text(`${name}.err`).includes(`${pid}`), `PID ${pid} is not named`);
}

/** The looks are from before the freeze and after the thaw: what did not run in between was there all the time. */
function healthy(files, source) {
  const shown = parseText(files.text(`sick.${source}.all.out`));
  const steady = steadyTasks(files, 'sick').filter(({ tid, pid }) => tid === pid);
  for (const { tid, numbers, stack, comm, commandLine } of steady) {
    const got = shown.get(tid);
    const command = commandLine.replaceAll('\0', ' ').trim() || comm.toString('latin1');
    assert.deepEqual([tid, got?.state, got?.stack], [tid, numbers.state, stack]);
    if (/^[ -~]*$/.test(command)) assert.equal(got.command, command);
  }
  assert.ok(steady.length > 40, `only ${steady.length} processes to compare`);
}

function explained(files) {
  assertInTime(files, 'sick.long', 'long');
  const { parents } = stuck(files);
  const wanted = `waits for a frozen file system to be thawed.*\\n(?: .*\\n)*? .*\\b${parents[0]}/${parents[0]}\\b`;
  assert.match(files.text('sick.long.out'), new RegExp(wanted));
}

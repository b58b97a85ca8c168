import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { FORMAT_NAMES } from '../src/sinks/formats.ts';
import { type Ended, ended, fixture, KSTACK, kstack, needs, temporaryFolder } from './harness.ts';

/** A hundred threads, so that a sample is more than a write. */
async function busy(): Promise<string[]> {
  await fixture('tasks', ['crowd', '50']);
  return ['-L', '-c', '^tasks$', '-i', '0.1'];
}

/** The times of the samples that a recording has. */
async function timesIn(file: string): Promise<number[]> {
  const { stdout } = await kstack(['convert', file, '-f', 'json']);
  return [...stdout.matchAll(/^\{"format":"kstack-sample".*?"time":"([^"]+)"/gm)].map(([, time = '']) =>
    Date.parse(time),
  );
}

/** Resolves when a recorder has written so much. */
async function written(file: string, end: Promise<Ended>, bytes = 1): Promise<void> {
  let early: Ended | undefined;
  void end.then((ended) => {
    early = ended;
  });
  while (!existsSync(file) || statSync(file).size < bytes) {
    if (early !== undefined) throw new Error(`the recorder ended: ${early.stderr}`);
    await pause(20);
  }
}

describe('kstack record', () => {
  beforeEach(needs('root', 'compiler'));

  it('records what report then finds: who was stuck where, for how long', async () => {
    const [parent = 0, child = 0] = await fixture('tasks', ['vfork']);
    const file = join(temporaryFolder(), 'recording');
    const { code, stderr } = await kstack([
      'record',
      '-o',
      file,
      '-p',
      `${parent},${child}`,
      '-i',
      '0.1',
      '--for',
      '1s',
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^kstack: ${file}: \\d+ samples?, [\\d.]+ \\w+\n$`, 'm'));
    const report = await kstack(['report', file]);
    expect(report.code).toBe(0);
    expect(report.stdout).toMatch(
      /\nblocked, by the time of all tasks together:\n.* {2}1 task {2}waits for its vfork child/,
    );
    expect(report.stdout).toMatch(new RegExp(` tasks ${parent} \\(D\\) since .*, still there at the end\n`));
  });

  it('is read by every format, and by explain', async () => {
    const [parent = 0] = await fixture('tasks', ['vfork']);
    const file = join(temporaryFolder(), 'recording');
    await kstack(['record', '-o', file, '-p', String(parent), '-i', '0.1', '--for', '0.5s']);
    for (const format of FORMAT_NAMES) {
      const { code, stdout, stderr } = await kstack(['convert', file, '-f', format]);
      expect([format, code, stderr]).toEqual([format, 0, '']);
      expect(stdout.length).toBeGreaterThan(20);
    }
    const explained = await kstack(['explain', file]);
    expect(explained.stdout).toMatch(
      new RegExp(
        `tasks: {2}tasks ${parent} \\(D\\) for [\\d.]+ s(?:, reported \\d+ times)?\n {2}blocked: waits for its vfork`,
      ),
    );
  });

  it('ends with Ctrl-C, with every sample whole', async () => {
    const file = join(temporaryFolder(), 'recording');
    const child = spawn(KSTACK, ['record', '-o', file, ...(await busy())]);
    const end = ended(child);
    await written(file, end);
    await pause(500);
    child.kill('SIGINT');
    const { code, stderr } = await end;
    expect(code).toBe(130);
    const [, told] = /: (\d+) samples?, /.exec(stderr) ?? [];
    expect(await timesIn(file)).toHaveLength(Number(told));
  });

  it('loses nothing but the last sample when it is killed, at any moment', async () => {
    const folder = temporaryFolder();
    const selected = await busy();
    for (let round = 0; round < 8; round++) {
      const file = join(folder, String(round));
      const child = spawn(KSTACK, ['record', '-o', file, ...selected], { stdio: 'ignore' });
      const end = ended(child);
      await written(file, end);
      await pause(53 * round);
      child.kill('SIGKILL');
      await end;
      const times = await timesIn(file);
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
      expect(times.length).toBeGreaterThan(0);
    }
  }, 300_000);

  it('reads what is left of a recording that is cut off anywhere, and says so', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'whole');
    await kstack(['record', '-o', file, '-p', '2', '-i', '0.1', '--for', '1s']);
    const bytes = readFileSync(file);
    const all = await timesIn(file);
    let most = 0;
    const steps = Array.from({ length: Math.floor(bytes.length / 97) }, (_, at) => 97 * (at + 1));
    for (const length of [...steps, bytes.length - 1]) {
      const cut = join(folder, 'cut');
      writeFileSync(cut, bytes.subarray(0, length));
      const times = await timesIn(cut);
      expect(times).toEqual(all.slice(0, times.length));
      expect(times.length).toBeGreaterThanOrEqual(most);
      most = times.length;
    }
    expect(most).toBe(all.length);
  });

  it('does not write over a file', async () => {
    const file = join(temporaryFolder(), 'mine');
    writeFileSync(file, 'mine');
    const { code, stderr } = await kstack(['record', '-o', file, '-p', '1', '--for', '1s']);
    expect([code, stderr]).toEqual([1, `kstack: cannot record to ${file}: it exists already; give another name\n`]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it.each([
    ['removed', (file: string) => rmSync(file)],
    ['truncated', (file: string) => truncateSync(file, 3)],
    ['removed with its directory', (file: string) => rmSync(dirname(file), { recursive: true })],
  ])('counts what is no longer there when its file was %s', async (_, harm) => {
    const file = join(temporaryFolder(), 'own', 'recording');
    mkdirSync(dirname(file));
    const child = spawn(KSTACK, ['record', '-o', file, '-p', '1', '-i', '0.1', '--for', '3s']);
    const end = ended(child);
    await written(file, end, 100);
    await pause(500);
    harm(file);
    const { code, stderr } = await end;
    const [, left, all] =
      /only (\d+) of (\d+) samples are in .*: somebody removed the others, or moved them\n$/.exec(stderr) ?? [];
    expect([code, left]).toEqual([1, String(existsSync(file) ? (await timesIn(file)).length : 0)]);
    expect(Number(all)).toBeGreaterThan(Number(left));
  });

  it('says where it cannot record to', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    for (const [name, why] of [
      [join(folder, 'none/a'), `there is no directory ${folder}/none`],
      [join(folder, 'file/a'), `${folder}/file is not a directory`],
      ['/dev/null', 'it exists and is not a regular file; a recording is written to a new file'],
      [folder, 'it exists and is not a regular file; a recording is written to a new file'],
    ] as const) {
      const { code, stderr } = await kstack(['record', '-o', name, '-p', '1', '--for', '1s']);
      expect([code, stderr]).toEqual([1, `kstack: cannot record to ${name}: ${why}\n`]);
    }
    for (const name of ['-', '/dev/stdout']) {
      const { code, stderr } = await kstack(['record', '-o', name, '-p', '1', '--for', '1s'], { cwd: folder });
      expect([code, stderr]).toEqual([2, expect.stringContaining('a recording is written to a file, not to standard')]);
    }
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('says which of the PIDs do not exist, and records nothing if none does', async () => {
    const folder = temporaryFolder();
    const none = 'kstack: PID 2147483647: no such process\n';
    const record = (pids: string) =>
      kstack(['record', '-o', join(folder, 'a'), '-p', pids, '-i', '.1', '--for', '0.5s']);
    const nobody = await record('2147483647');
    expect([nobody.code, nobody.stderr, readdirSync(folder)]).toEqual([1, none, []]);
    const one = await record('1,2147483647');
    expect([one.code, one.stderr.split(none).length]).toEqual([0, 2]);
    expect(one.stderr).toMatch(/: [1-9] samples?, /);
  });
});

describe('kstack report', () => {
  const day = (time: string, tid: number, symbol: string) =>
    [
      `2026-11-25T${time}.000000+00:00 db1 kernel: INFO: task tar:${tid} blocked for more than 120 seconds.`,
      `2026-11-25T${time}.000001+00:00 db1 kernel: task:tar state:D stack:0 pid:${tid} tgid:${tid} ppid:2 flags:0x0`,
      `2026-11-25T${time}.000002+00:00 db1 kernel: Call Trace:`,
      `2026-11-25T${time}.000003+00:00 db1 kernel:  ${symbol}+0x1/0x2`,
      '',
    ].join('\n');

  it('reports a kernel log, with what it cannot prove', async () => {
    const file = join(temporaryFolder(), 'log');
    writeFileSync(
      file,
      ['03:10:00', '03:12:00', '03:14:00'].map((time) => day(time, 7, 'jbd2_log_wait_commit')).join(''),
    );
    const { code, stdout } = await kstack(['report', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^db1: .* \(4 min 0 s\)\n3 samples\n/);
    expect(stdout).toContain('    the kernel says that it did not run: jbd2_log_wait_commit\n');
  });

  it('takes only the time asked for', async () => {
    const file = join(temporaryFolder(), 'log');
    writeFileSync(file, day('03:10:00', 7, 'jbd2_log_wait_commit') + day('04:10:00', 8, 'rpc_wait_bit_killable'));
    const { stdout } = await kstack(['report', '--from', '2026-11-25T04:00Z', file]);
    expect(stdout).toContain('tar 8');
    expect(stdout).not.toContain('tar 7');
    const env = { ...process.env, TZ: 'UTC' };
    const none = await kstack(['report', '--from', '2026-11-26T04:00Z', file], { env });
    const [asked, there] = ['from 2026-11-26 04:00:00', 'from 2026-11-25 03:10:00 to 2026-11-25 04:10:00'];
    expect([none.code, none.stderr]).toEqual([
      1,
      `kstack: no sample of ${file} is in the requested time (${asked}): they are ${there}\n`,
    ]);
    for (const window of [
      ['--from', '2026-11-25T04:00Z', '--to', '2026-11-25T03:00Z'],
      ['--from', '-10m', '--to', '-70m'],
    ]) {
      const [from, to] = ['2026-11-25 04:00:00', '2026-11-25 03:00:00'];
      const turned = await kstack(['report', ...window, file], { env });
      expect([turned.code, turned.stderr]).toEqual([
        1,
        `kstack: the time asked for ends before it begins: it is from ${from} to ${to}\n`,
      ]);
    }
  });

  it('diff names the waits that are new and gone', async () => {
    const folder = temporaryFolder();
    const [before, after] = [join(folder, 'a'), join(folder, 'b')];
    writeFileSync(before, day('03:10:00', 7, 'jbd2_log_wait_commit'));
    writeFileSync(after, day('03:10:00', 7, 'rpc_wait_bit_killable'));
    const { code, stdout } = await kstack(['diff', before, after]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\nnew:\n {2}0 -> 1\.0 {2}waits for .*\n {4}rpc_wait_bit_killable\n\ngone:\n {2}1\.0 -> 0 {2}waits for .*\n {4}jbd2_log_wait_commit\n/,
    );
  });
});

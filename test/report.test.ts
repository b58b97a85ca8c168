import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Sample } from '../src/model/sample.ts';
import { parseFrames } from '../src/model/stack.ts';
import { KSTACK, kstack, requires, run, temporaryFolder } from './harness.ts';
import { numbered, recorded } from './recorded.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from './samples.ts';

/** A sample of the classic text, a minute after the one before it. */
function sampleAt(minute: number, tasks: readonly (readonly [pid: number, state: string, symbol: string])[]): string {
  const time = `Sat Sep 30 17:${String(minute).padStart(2, '0')}:16 UTC 2023`;
  const blocks = tasks.map(
    ([pid, state, symbol]) =>
      `PID: ${String(pid).padStart(5)}   State: ${state.padStart(2)}   Start Time: 2023/09/30 15:09:59   Cmd: p${pid} \n` +
      `Stack:\n[<0>] ${symbol}+0x1/0x2\n\n`,
  );
  return `zzz <${time} - db1\n\n${blocks.join('')}`;
}

const FSYNC = [501, 'D', 'jbd2_log_wait_commit'] as const;
const POLL = [502, 'S', 'ep_poll'] as const;
const NFS = [503, 'D', 'rpc_wait_bit_killable'] as const;

/** The files of a background run: ten minutes, in three files. */
function logs(): [old: string, newer: string, newest: string] {
  const folder = temporaryFolder();
  const part = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => sampleAt(from + at, from + at < 5 ? [] : [FSYNC, POLL])).join('');
  const files = [
    ['kstack_db1.out-1.gz', gzipSync(part(0, 4))],
    ['kstack_db1.out-2.gz', gzipSync(part(4, 8))],
    ['kstack_db1.out', Buffer.from(part(8, 11))],
  ] as const;
  const [old = '', newer = '', newest = ''] = files.map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  });
  return [old, newer, newest];
}

describe('kstack report of recordings of one host that overlap', () => {
  it('has the tasks of both, with a mark where the clock was set', async () => {
    const folder = temporaryFolder();
    const write = async (tid: number, afterMs: number, setMs: number) => {
      const stack = {
        value: { id: 0, frames: parseFrames('[<0>] percpu_rwsem_wait+0x1/0x2\n[<0>] mnt_want_write+0x1/0x2') },
      };
      const samples = [0, 1, 2, 3, 4, 5].map((at): Sample => {
        const passedMs = 10_000 * at + afterMs;
        return {
          ...EMPTY_SAMPLE,
          bootId: { value: 'a' },
          timeMs: Date.UTC(2026, 10, 26, 3) + passedMs + (at > 3 ? setMs : 0),
          monotonicMs: 1_000_000 + passedMs,
          observations: [observationOf(tid, { stack, facts: { switches: 5, offCpuMs: 1000 + 10_000 * at } })],
        };
      });
      const name = join(folder, `${tid}.kstack`);
      writeFileSync(name, Buffer.concat(await recorded(samples)));
      return name;
    };
    const [one, other] = [await write(501, 0, -3_600_000), await write(502, 5000, -3_600_000)];
    expect((await kstack(['explain', folder])).stdout).toMatch(/\n2 stacks, 1 different: 2 blocked, /);
    const { code, stdout, stderr } = await kstack(['report', one, other], { env: { TZ: 'UTC' } });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('\nblocked tasks, at most 2, ');
    expect(stdout).toMatch(/\n {2}2 min 0 s {2}2 tasks {2}waits for a frozen file system/);
    expect(stdout).toMatch(/\n {3}c\n {2}02:00:40/);
    expect(stdout).toContain('  c 2026-11-26 02:00:40  clock: the clock was set back by 3600 s\n');
    expect(stdout).toMatch(/\n {2}51 s {2}t501 501 \(D\) since 2026-11-26 01:59:59, still there at the end\n/);
    expect(stdout).toMatch(/\n {2}51 s {2}t502 502 \(D\) since 2026-11-26 02:00:04, still there at the end\n/);
  });
});

describe('kstack report of a log and its rotated files', () => {
  it('is the same in whatever order they are given, and if one is given twice', async () => {
    const [old, newer, newest] = logs();
    const { code, stdout, stderr } = await kstack(['report', old, newer, newest]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^db1: .* \(10 min 0 s\)\n11 samples, 5 of them without a task\n/);
    expect(stdout).toMatch(/\n {2}6 min 0 s {2}1 task {2}waits for/);
    expect((await kstack(['report', newest, newer, old])).stdout).toBe(stdout);
    const twice = await kstack(['report', newest, newer, old, newer]);
    expect([twice.code, twice.stdout]).toEqual([0, stdout]);
    expect(twice.stderr).toBe('kstack: 4 samples were there twice, and counted once\n');
    const text = readFileSync(newest, 'utf8');
    writeFileSync(newest, `${text}${text}`);
    const inOne = await kstack(['report', old, newer, newest]);
    expect([inOne.code, inOne.stdout]).toEqual([0, stdout]);
    expect(inOne.stderr).toBe('kstack: 3 samples were there twice, and counted once\n');
  });

  it('that is torn has what is whole', async () => {
    const [, , newest] = logs();
    const text = readFileSync(newest, 'utf8');
    writeFileSync(newest, `${text}${text.slice(0, 100)}`);
    const { code, stdout, stderr } = await kstack(['report', newest]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n3 samples\n/);
    expect(stderr).toBe(
      `kstack: ${newest}:${text.split('\n').length}: the sample there is torn, or was changed: it was read as far as that goes\n`,
    );
  });

  it('reads the others if one cannot be read, and fails then', async () => {
    const [old, newer, newest] = logs();
    const { stdout } = await kstack(['report', old, newer, newest]);
    const missing = `${newest}.gone`;
    for (const command of ['report', 'convert']) expect((await kstack([command, old, missing, newer])).code).toBe(1);
    const partly = await kstack(['report', missing, old, newer, newest]);
    expect([partly.code, partly.stdout]).toEqual([1, stdout]);
    expect(partly.stderr).toMatch(/^kstack: cannot read \S*gone: .*ENOENT/);
  });

  it('takes a time before the end, of files only', async () => {
    const [old, newer, newest] = logs();
    const last = await kstack(['report', '--from', '-2m', old, newer, newest]);
    expect(last.stdout).toMatch(/^db1: .* \(2 min 0 s\)\n3 samples\n/);
    const first = await kstack(['report', '--to', '-9m', old, newer, newest]);
    expect(first.stdout).toMatch(/^db1: .* \(1 min 0 s\)\n2 samples, 2 of them/);
    const input = await kstack(['report', '--from', '-2m', '-']);
    expect([input.code, input.stdout]).toEqual([1, '']);
    expect(input.stderr).toContain('needs files');
  });

  it('takes a time of day for that of the last of several days, and says so', async () => {
    const [, , newest] = logs();
    const text = readFileSync(newest, 'utf8');
    writeFileSync(newest, [26, 28, 30].map((day) => text.replaceAll('Sep 30', `Sep ${day}`)).join(''));
    const { code, stdout, stderr } = await kstack(['report', '--from', '17:09Z', '--to', '17:30Z', newest]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^db1: 2023-09-30 .* \(1 min 0 s\)\n2 samples\n/)]);
    expect(stderr).toMatch(/^kstack: the files hold several days: what is taken begins at 2023-09-30 .*:00\n$/);
  });

  it('takes the selected tasks, and says what the files do not tell', async () => {
    const file = join(temporaryFolder(), 'log');
    writeFileSync(file, [0, 1, 2].map((minute) => sampleAt(minute, [FSYNC, POLL, NFS])).join(''));
    const blocked = async (...selection: string[]) => {
      const { stdout, stderr } = await kstack(['report', '-f', 'json', ...selection, file]);
      const { findings }: { findings: { tasks: { tid: number }[] }[] } = JSON.parse(stdout);
      return [findings.flatMap(({ tasks }) => tasks.map(({ tid }) => tid)).sort(), stderr];
    };
    expect(await blocked()).toEqual([[501, 503], '']);
    expect(await blocked('-D', '-L')).toEqual([[501, 503], '']);
    expect(await blocked('-p', '501,502')).toEqual([[501], '']);
    expect(await blocked('--function', 'rpc_')).toEqual([[503], '']);
    expect(await blocked('-c', 'p501')).toEqual([[501], '']);
    expect(await blocked('-c', 'p501', '-c', 'p503')).toEqual([[501, 503], '']);
    expect(await blocked('-S')).toEqual([[], '']);
    const { stdout } = await kstack(['report', '-c', 'no-such', file]);
    expect(stdout).toMatch(/\n3 samples, 3 of them without a task\n\nNo task matches the selection\.\n/);
    expect(await blocked('-u', '0')).toEqual([
      [],
      'kstack: tasks whose user is not in the files are left out, as the selection needs it\n',
    ]);
  });
});

describe('kstack report of what can be read but once', () => {
  it('says which times there are where none of them was asked for', async () => {
    const [log] = logs();
    const command = `"$0" report --from '2027-01-01 00:00' <(zcat ${log})`;
    const { code, stderr } = await run('bash', ['-c', command, KSTACK]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/: they are from 2023-09-30 .* to 2023-09-30 .*\n$/)]);
  });

  it('takes a time of day to be of the first day, and knows no time before the end', async () => {
    const [log] = logs();
    const fifo = join(temporaryFolder(), 'fifo');
    const command = `mkfifo ${fifo}; zcat ${log} > ${fifo} & timeout 20 "$0" report --from 17:00Z ${fifo}`;
    const { code, stdout, stderr } = await run('bash', ['-c', command, KSTACK]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^db1: 2023-09-30 /);
    const before = await run('bash', ['-c', `"$0" report --from -1m <(zcat ${log})`, KSTACK]);
    expect([before.code, before.stderr]).toEqual([
      1,
      expect.stringMatching(/^kstack: a time before the end, .*: the end of \/dev\/fd\/\d+, a pipe, is not known\n$/),
    ]);
  });
});

describe('kstack convert -o', () => {
  it('leaves a file as it was if there is no sample', async () => {
    const [log, empty, output] = logs();
    writeFileSync(empty, '');
    writeFileSync(output, 'old');
    const outside = await kstack(['convert', log, '--from', '2027-01-01 00:00', '-o', output]);
    expect([outside.code, outside.stderr]).toEqual([
      1,
      expect.stringContaining(`kstack: no sample of ${log} is in the requested time (from 2027-01-01 00:00:00): `),
    ]);
    for (const name of [empty, `${log}.gone`])
      expect((await kstack(['convert', name, '-f', 'json', '-o', output])).code).toBe(1);
    expect(readFileSync(output, 'utf8')).toBe('old');
    expect((await kstack(['convert', log, '-o', output])).code).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/^zzz </);
  });

  it('refuses the file that standard input is', async () => {
    const [, , log] = logs();
    const text = readFileSync(log, 'utf8');
    const input = openSync(log, 'r');
    const { code, stderr } = await kstack(['convert', '-', '-f', 'json', '-o', log], {
      stdio: [input, 'pipe', 'pipe'],
    });
    closeSync(input);
    expect([code, stderr]).toEqual([1, `kstack: ${log} is one of the files to convert; give another name with -o\n`]);
    expect(readFileSync(log, 'utf8')).toBe(text);
  });
});

describe('kstack diff', () => {
  it('compares two times of one file', async () => {
    const file = join(temporaryFolder(), 'log');
    const half = (from: number, ...tasks: Parameters<typeof sampleAt>[1]) =>
      Array.from({ length: 10 }, (_, at) => sampleAt(from + at, tasks)).join('');
    writeFileSync(file, half(0, FSYNC, POLL) + half(30, FSYNC, NFS, POLL));
    const { code, stdout, stderr } = await kstack(['diff', file, '--a', '/17:20Z', '--b', '-9m/']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^blocked tasks on average, in 10 and 10 samples:\n\nnew:\n {2}0 -> 1.0 .*\n {4}rpc_wait_bit_killable\n\n1 wait is about as before.\n$/,
    );
    const json = await kstack(['diff', file, '--a', '/17:20Z', '--b', '17:30Z/', '-f', 'json', '-p', '503']);
    expect(JSON.parse(json.stdout)).toMatchObject({ unchanged: 0, appeared: [{ before: 0, after: 1 }], grown: [] });
  });
});

it('kstack diff refuses two windows without a time', async () => {
  for (const window of [
    ['--a', '/'],
    ['--a', '03:00/', '--b', '/'],
  ]) {
    const { code, stderr } = await kstack(['diff', 'log', ...window]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('Give the beginning or the end')]);
  }
});

it('kstack diff says which options it has in place of those of report', async () => {
  for (const option of ['--from', '--to']) {
    const { code, stderr } = await kstack(['diff', 'a', 'b', option, '03:00']);
    expect([code, stderr]).toEqual([2, expect.stringContaining("'--a FROM/TO' of BEFORE, '--b FROM/TO' of AFTER")]);
  }
});

it('says of folded stacks that they have no times', async () => {
  const file = join(temporaryFolder(), 'stacks.folded');
  writeFileSync(file, 'cat;entry_SYSCALL_64_after_hwframe;do_syscall_64;vfs_read;folio_wait_bit_common 3\n');
  const { code, stderr } = await kstack(['report', file]);
  expect([code, stderr]).toEqual([
    0,
    `kstack: ${file} has folded stacks, which tell neither when nor for how long: ` +
      'kstack explain shows what they wait for\n',
  ]);
  expect((await kstack(['convert', file, '-f', 'json'])).stderr).toBe('');
});

describe('kstack report of lines of JSON', () => {
  /** A line about a task in D. */
  async function someLine(): Promise<string> {
    const file = join(temporaryFolder(), 'a.out');
    writeFileSync(file, sampleAt(1, [FSYNC]));
    return (await kstack(['convert', file, '-f', 'jsonl'])).stdout;
  }

  /** The same, with arguments that have so many bytes, which are six characters each. */
  function lineOf(line: string, bytes: number): string {
    const commandLine = `p501 ${'\u0001'.repeat(bytes)}`;
    return `${JSON.stringify({ ...Object(JSON.parse(line)), commandLine, arguments: commandLine.split(' ') })}\n`;
  }

  it('reads them however long they are, and in whatever order their members are', async () => {
    const line = await someLine();
    const long = lineOf(line, 2_000_000);
    const members = Object.entries(JSON.parse(lineOf(line, 20_000))).sort(([a], [b]) => (a < b ? -1 : 1));
    const sorted = JSON.stringify(Object.fromEntries(members));
    for (const text of [long, sorted]) {
      const file = join(temporaryFolder(), 'long.jsonl');
      writeFileSync(file, text);
      const { code, stdout, stderr } = await kstack(['report', file]);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('1 sample\n');
      expect(stdout).toContain('p501 501');
    }
  });

  it('names the file and the line of what is too long, or is not as kstack writes it', async () => {
    const file = join(temporaryFolder(), 'wrong.jsonl');
    const short = lineOf(await someLine(), 1);
    writeFileSync(file, `${short}${lineOf(short, 6_000_000)}${short.replace('"tid":501', '"tid":-1')}`);
    const { code, stdout, stderr } = await kstack(['report', file]);
    expect(stderr).toBe(
      `kstack: ${file}:2: line.commandLine: longer than 32 MiB\n` +
        `kstack: ${file}:3: line.tid: -1 is no whole number from 0 on\n`,
    );
    expect(code).toBe(1);
    const explained = await kstack(['explain', file]);
    expect([explained.code, explained.stderr]).toEqual([1, expect.stringContaining(`kstack: ${file}:2: `)]);
    expect(stdout).toContain('not read: process (not in the expected form) 2 times');
    expect(stdout).toContain('p501 501');
  });
});

it('reads a recording that is cut off as far as it goes, and calls it a recording though nothing of it is left', async () => {
  const pieces = await recorded(numbered(5));
  const file = join(temporaryFolder(), 'cut.kstack');
  const reportOf = async (length: number) => {
    writeFileSync(file, Buffer.concat(pieces).subarray(0, length));
    const { code, stdout, stderr } = await kstack(['report', file]);
    return [code, /^(\d+) samples?$/m.exec(stdout)?.[1], stderr];
  };
  const first = pieces[0]?.length ?? 0;
  const third = Buffer.concat(pieces.slice(0, 3)).length;
  const told = (at: number) =>
    `kstack: ${file}: it ends within a sample, at byte ${at}: it was read as far as that goes\n`;
  expect(await reportOf(third)).toEqual([0, '3', '']);
  expect(await reportOf(third + 3)).toEqual([0, '3', told(third + 3)]);
  const none = `kstack: ${file} is a recording that ends before its first sample is complete\n`;
  expect(await reportOf(first - 10)).toEqual([1, undefined, none]);
  expect((await kstack(['explain', file])).stderr).toBe(none);
  expect(await reportOf(0)).toEqual([1, undefined, `kstack: ${file} is empty\n`]);
  expect((await kstack(['explain', file])).stderr).toBe(`kstack: ${file} is empty\n`);
  expect(await kstack(['convert', file, '-f', 'html'])).toMatchObject({ code: 1, stdout: '' });
});

it('names files on one line, and one without a name', async () => {
  const file = join(temporaryFolder(), 'a\nkstack: b');
  const { code, stderr } = await kstack(['report', file, '']);
  const shown = file.replace('\n', '\\x0a');
  expect([code, stderr.split('\n')]).toEqual([
    1,
    [
      expect.stringContaining(`kstack: cannot read ${shown}: no such file`),
      expect.stringContaining("kstack: cannot read '': no such file"),
      '',
    ],
  ]);
});

it('finds nothing in a text of nothing but lines that are too long', async () => {
  const file = join(temporaryFolder(), 'long');
  writeFileSync(file, 'x'.repeat(3_000_000));
  const { code, stdout, stderr } = await kstack(['report', file]);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`kstack: nothing in ${file} looks like a kernel stack or a recording\n`);
});

describe('kstack report of a log that is so large that two threads read it', () => {
  /** More than 64 MiB: tasks that change places, a sample that is torn, words of others, and a stack of a console. */
  function largeLog(): string {
    const file = join(temporaryFolder(), 'large.out');
    const fd = openSync(file, 'w');
    const names = Array.from({ length: 12 }, (_, at) => (at < 3 ? 'jbd2_log_wait_commit' : `wait_${at}`));
    for (let [minute, written] = [0, 0]; written < 66 << 20; minute++) {
      const tasks = Array.from({ length: 2000 }, (_, at) => {
        const symbol = names[(at + Math.floor(minute / (1 + (at % 9)))) % names.length] ?? '';
        return [1000 + at, symbol.startsWith('wait') ? 'S' : 'D', symbol] as const;
      });
      const text = sampleAt(minute % 60, tasks).replace(
        'Sep 30 17',
        `Sep 30 ${String(Math.floor(minute / 60)).padStart(2, '0')}`,
      );
      written += writeSync(fd, minute === 50 ? text.slice(0, 9999) : text);
      if (minute === 100)
        written += writeSync(fd, 'task:rsync state:D stack:0 pid:77\nCall Trace:\n io_schedule+0x1/0x2\n');
    }
    closeSync(fd);
    return file;
  }

  it('is the same as if one had read it', async () => {
    const file = largeLog();
    const byTwo = await kstack(['report', file, '--top', '50']);
    const byOne = await kstack(['report', '-', '--top', '50'], { stdio: [openSync(file, 'r'), 'pipe', 'pipe'] });
    expect([byTwo.code, byTwo.stdout]).toEqual([0, byOne.stdout]);
    expect(byTwo.stdout).toMatch(/ \(5 h .*\)\n3\d\d samples/);
    const [, byte = ''] = /samples are torn, or were changed, the first at byte (\d+):/.exec(byOne.stderr) ?? [];
    const line = readFileSync(file, 'latin1').slice(0, Number(byte)).split('\n').length;
    expect(byTwo.stderr).toBe(
      byOne.stderr.replace('the input:', `${file}:${line}:`).replace(`at byte ${byte}`, 'there'),
    );
  });
});

/** Samples in which each of the tasks waits elsewhere than in the one before. */
function changing(count: number): Sample[] {
  const [one, other] = ['mnt_want_write', 'path_openat'].map((symbol, id) => ({
    value: { id, frames: parseFrames(`[<0>] rwsem_down_read_slowpath+0x1/0x2\n[<0>] ${symbol}+0x1/0x2`) },
  }));
  if (one === undefined || other === undefined) throw new Error('no stack');
  const tasks = Array.from({ length: 20_000 }, (_, at) => taskOf(at + 1));
  return Array.from({ length: count }, (_, second): Sample => {
    const observations = tasks.map((task, at) =>
      observationOf(at + 1, {
        task,
        state: 'D',
        stack: (at + second) % 2 === 0 ? one : other,
        facts: { switches: second },
      }),
    );
    return { ...EMPTY_SAMPLE, timeMs: 1000 * second, observations };
  });
}

it('kstack report takes the same memory for more samples of tasks that all change', async (context: TestContext) => {
  requires(context, 'python3');
  const peakOf = async (count: number) => {
    const file = join(temporaryFolder(), 'recording');
    writeFileSync(file, Buffer.concat(await recorded(changing(count))));
    const script = `import resource, subprocess, sys
told = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True).stdout.decode()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, told.splitlines()[1])`;
    const { stdout } = await run('python3', ['-c', script, KSTACK, 'report', file]);
    expect(stdout).toContain(`${count} samples`);
    return Number.parseInt(stdout, 10);
  };
  const few = await peakOf(3);
  // The heap of the executable grows further before it is looked through.
  expect(await peakOf(16)).toBeLessThan((process.env['KSTACK_BIN'] === undefined ? 1.5 : 2.5) * few);
});

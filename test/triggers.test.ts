import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { constants, gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { smallFileSystem } from './background-run.ts';
import { ended, KSTACK, kstack, readersOf, requires, run, shell, temporaryFolder, textOf, until } from './harness.ts';

interface Read {
  readonly timeMs: number;
  readonly states: readonly string[];
  readonly events: readonly { readonly kind: string; readonly text: string; readonly eventTime: string }[];
  readonly pressure: readonly { readonly resource: string }[];
}

async function samplesIn(file: string): Promise<Read[]> {
  const { stdout } = await kstack(['convert', file, '-f', 'json']);
  return stdout
    .split(/^(?=\{"format")/m)
    .map((document) => JSON.parse(document))
    .map(({ time, tasks, events, pressure }) => ({
      timeMs: Date.parse(time),
      states: tasks.map(({ state }: { state: string }) => state),
      events,
      pressure,
    }));
}

/** A recorder that has taken its first sample. */
async function recording(
  file: string,
  args: readonly string[],
): Promise<{ readonly pid: number; end(): Promise<Read[]> }> {
  const child = spawn(KSTACK, ['record', '-o', file, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const over = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await over;
  });
  await until(() => existsSync(file) && statSync(file).size > 0);
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill('SIGINT');
      expect((await over).code).toBe(130);
      return samplesIn(file);
    },
  };
}

/** A look at the host is over by then, and the next one, a second after it, has not begun. */
const BETWEEN_LOOKS_MS = 400;

/** Resolves when a recorder has looked at the host so often: what it sees between samples is only in its memory. */
async function looked(pid: number, times: number): Promise<void> {
  let seen = 0;
  let last = { reads: 0, atMs: performance.now() };
  await until(() => {
    const reads = readersOf(pid).reduce(
      (sum, reader) => sum + Number(/^syscr: (\d+)$/m.exec(textOf(`/proc/${reader}/io`))?.[1] ?? 0),
      0,
    );
    const atMs = performance.now();
    if (reads === last.reads) return false;
    if (atMs - last.atMs > BETWEEN_LOOKS_MS) seen++;
    last = { reads, atMs };
    return seen >= times;
  });
}

/** Whether a recording that goes on has a trigger. */
function isTriggered(file: string): boolean {
  const lines = gunzipSync(readFileSync(file), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  return lines.includes('"trigger"');
}

/** A shell that makes a folder once it is told to. */
function maker(folder: string): { readonly pid: number; make(): void } {
  const child: ChildProcess = spawn('sh', ['-c', 'read line; exec mkdir "$0"', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const over = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await over;
  });
  return { pid: child.pid ?? 0, make: () => void child.stdin?.write('\n') };
}

describe('kstack record --when', () => {
  it('records densely from the freeze of a file system on, and what came before', async () => {
    const mounted = smallFileSystem('ext4', 16);
    const resume = () => void shell(`fsfreeze -u ${mounted} 2>/dev/null || true`);
    onTestFinished(resume);
    const { pid, make } = maker(join(mounted, 'folder'));
    const file = join(temporaryFolder(), 'recording');
    const recorder = await recording(file, [
      ...['-p', String(pid), '-i', '60', '--when', 'function:^mnt_want_write', '--keep', '3s'],
    ]);
    await looked(recorder.pid, 4);
    shell(`fsfreeze -f ${mounted}`);
    const frozenMs = Date.now();
    make();
    await until(() => isTriggered(file));
    // Dense recording is over by then, and the task still waits.
    await pause(5000);
    resume();
    const samples = await recorder.end();
    // The pause behind the dense samples is shorter than the interval.
    const { stdout } = await kstack(['report', file, '-f', 'json']);
    expect(JSON.parse(stdout).gaps).toEqual([]);
    const times = samples.map(({ timeMs }) => timeMs);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    const at = samples.findIndex(({ events }) => events.some(({ kind }) => kind === 'trigger'));
    const trigger = samples[at];
    expect(trigger?.events.filter(({ kind }) => kind === 'trigger')).toMatchObject([
      { text: `function:^mnt_want_write: mkdir ${pid}`, eventTime: new Date(trigger?.timeMs ?? 0).toISOString() },
    ]);
    expect(trigger?.timeMs).toBeGreaterThanOrEqual(frozenMs - 1000);
    // With nothing to write for a minute, what came before was only in memory.
    const before = samples.slice(0, at);
    expect(before.filter(({ timeMs }) => timeMs < frozenMs).length).toBeGreaterThan(1);
    expect(before.every(({ states }) => states[0] === 'S' || states[0] === 'D' || states[0] === 'R')).toBe(true);
    const dense = samples.slice(at).filter(({ timeMs }) => timeMs < (trigger?.timeMs ?? 0) + 3000);
    // The interval is a minute. A busy host takes fewer than the thirty that were asked for.
    expect(dense.length).toBeGreaterThan(2);
    expect(samples.slice(at, at + 3).every(({ states }) => states[0] === 'D')).toBe(true);
    // After that, there is only the last one, and on a busy host a late one or two: dense ones would be tens.
    expect(samples.length - at - dense.length).toBeLessThanOrEqual(3);
  });

  it.each([
    [['--when', 'blocked'], "Write it in quotes, with a number: 'blocked>20'."],
    [['--when', 'rule:nfs-hung'], "There is no rule 'nfs-hung'."],
    [['--when', 'function:('], 'missing closing )'],
    [['--keep', '1m'], "'--keep' applies only with '--when'"],
    [['--when', 'hung-task', '--dense', '0.01'], 'Give seconds from 0.1 to 60.'],
  ])('says what is wrong with %j', async (args, message) => {
    const file = join(temporaryFolder(), 'recording');
    const { code, stderr } = await kstack(['record', '-o', file, ...args]);
    expect([code, existsSync(file)]).toEqual([2, false]);
    expect(stderr).toContain(message);
  });
});

/** A control group in which there is little memory. */
function smallGroup(): string | undefined {
  const name = `kstack-test-${process.pid}`;
  const [root, limit] = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')
    ? ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']
    : ['/sys/fs/cgroup', 'memory.max'];
  try {
    const group = join(root, name);
    shell(`mkdir ${group}`);
    onTestFinished(async () => {
      await until(() => shell(`cat ${group}/cgroup.procs`) === '');
      rmdirSync(group);
    });
    writeFileSync(join(group, limit), String(16 << 20));
    return readdirSync(group).includes(limit) ? group : undefined;
  } catch {
    return undefined;
  }
}

describe('what the kernel says while it is recorded', () => {
  it('stands on the sample of that time: a process that is killed for its memory', async (context) => {
    requires(context, 'root');
    const readable = await run('sh', ['-c', 'dd if=/dev/kmsg of=/dev/null iflag=nonblock bs=8192 count=1']);
    const group = readable.code === 0 ? smallGroup() : undefined;
    if (group === undefined) return context.skip('needs: /dev/kmsg, and control groups that limit memory');
    const recorder = await recording(join(temporaryFolder(), 'recording'), ['-p', '1', '-i', '0.5']);
    const killed = await run('sh', ['-c', `echo $$ > ${group}/cgroup.procs && exec tail /dev/zero`]);
    expect(killed.signal).toBe('SIGKILL');
    await pause(2000);
    const samples = await recorder.end();
    const events = samples.flatMap((sample) => sample.events.map((event) => ({ ...event, at: sample.timeMs })));
    const oom = events.filter(({ kind, text }) => kind === 'oom' && text.includes('tail'));
    expect(oom.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^tail invoked oom-killer: /),
      expect.stringMatching(/^Memory cgroup out of memory: Killed process \d+ \(tail\)/),
    ]);
    for (const { eventTime, at } of oom) expect(Math.abs(Date.parse(eventTime) - at)).toBeLessThan(5000);
    const known = existsSync('/proc/pressure') ? ['cpu', 'io', 'memory'] : [];
    for (const { pressure } of samples) expect(pressure.map(({ resource }) => resource)).toEqual(known);
  });
});

describe('a kernel log without a stack', () => {
  const log = '2026-11-25T03:12:00.000000+00:00 db1 kernel: nfs: server filer not responding, still trying\n';

  it('is read for what the kernel says, and not for stacks', async () => {
    const file = join(temporaryFolder(), 'log');
    writeFileSync(file, log);
    const converted = await kstack(['convert', file, '-f', 'jsonl']);
    expect(
      converted.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ type: 'event', host: 'db1', eventTime: '2026-11-25T03:12:00.000Z', kind: 'nfs' }]);
    const { code, stdout, stderr } = await kstack(['explain', file]);
    expect([code, stdout, stderr]).toEqual([1, '', `kstack: nothing in ${file} looks like a kernel stack\n`]);
    expect((await kstack(['report', file])).code).toBe(0);
  });
});

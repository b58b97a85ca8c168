import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { describeBpf } from '../../../../test/bpf-source.ts';
import { ended, fixture } from '../../../../test/harness.ts';
import { conditions, openBpf } from './availability.ts';
import type { TaskRecord } from './records.ts';
import { type BpfReader, lackingFacts, type PreviousPass } from './tasks.ts';

const ALL = { all: true, threads: true };
let opened: BpfReader | string | undefined;

function reader(): BpfReader {
  opened ??= openBpf(conditions('/proc'), () => performance.now());
  if (typeof opened === 'string') throw new Error(opened);
  return opened;
}

/** A pass over all threads, which builds on `last` if given. */
function pass(last?: PreviousPass): PreviousPass {
  const records = new Map<number, TaskRecord>();
  const stream = reader().stream(ALL, last);
  let next = stream.next();
  for (; next.done !== true; next = stream.next()) for (const record of next.value) records.set(record.tid, record);
  return { records, nowNs: next.value };
}

function start(script: string): number {
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end;
  });
  return child.pid ?? 0;
}

/** The record of a task once it sleeps, and has left its CPU. */
async function asleep(pid: number): Promise<TaskRecord> {
  for (;;) {
    const record = pass().records.get(pid);
    if (record?.stat.state === 'S' && !record.onCpu) return record;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const without = ({ records, nowNs }: PreviousPass, tid: number, instead?: TaskRecord): PreviousPass => {
  const others = new Map(records);
  others.delete(tid);
  if (instead !== undefined) others.set(tid, instead);
  return { records: others, nowNs };
};

/** What does not change while a task is off the CPU. */
const lasting = ({ tid, pid, uid, stat, startNs, arrivalNs, addresses }: TaskRecord) => ({
  ...{ tid, pid, uid, startNs, arrivalNs, addresses },
  comm: stat.comm,
});

describeBpf('a pass', () => {
  it('a pass that builds on another finds what a full pass finds, and unwinds only tasks that ran', async () => {
    await fixture('tasks', ['thread']);
    start('while sleep 0.005; do :; done');
    let last = pass();
    let compared = 0;
    let reused = 0;
    for (let round = 0; round < 10; round++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const next = pass(last);
      const whole = pass();
      for (const [tid, record] of next.records) {
        if (last.records.get(tid) === record) reused++;
        const other = whole.records.get(tid);
        // A task that ran between the two passes may have changed.
        if (other === undefined || other.switches !== record.switches || other.onCpu || record.onCpu) continue;
        compared++;
        expect(lasting(record)).toEqual(lasting(other));
      }
      last = next;
    }
    expect(compared).toBeGreaterThan(10 * 40);
    expect(reused).toBeGreaterThan(compared / 2);
  });

  it('reading tasks again does not return their siblings', async () => {
    const [pid = 0, tid = 0] = await fixture('tasks', ['thread']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const last = pass();
    expect([pid, tid].map((number) => last.records.get(number)?.pid)).toEqual([pid, pid]);
    const found = [...reader().stream(ALL, without(last, pid))].flat().map((record) => record.tid);
    expect(found.filter((number) => number === pid || number === tid)).toHaveLength(2);
    const many = new Map(
      [...last.records].map(([number, record]) => [number, { ...record, switches: record.switches + 1 }]),
    );
    const all = [...reader().stream(ALL, { records: many, nowNs: last.nowNs })].flat().map((record) => record.tid);
    expect(new Set(all).size).toBe(all.length);
  });

  it('a task that was on a CPU and now sleeps is unwound again, though it got no CPU in between', async () => {
    const pid = start('i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exec sleep 60');
    const running = pass();
    expect(running.records.get(pid)?.stat.state).toBe('R');
    // As if it had kept its CPU since before the first pass, without preemption.
    const sleeping = await asleep(pid);
    for (const before of [running, { ...running, nowNs: Number.MAX_SAFE_INTEGER }])
      expect(pass(before).records.get(pid)).toEqual(sleeping);
    expect(sleeping.addresses.length).toBeGreaterThan(running.records.get(pid)?.addresses.length ?? 0);
  });

  it('a task whose record in the last pass differs or is missing is read again', async () => {
    const pid = start('exec sleep 60');
    await asleep(pid);
    const last = pass();
    const record = last.records.get(pid);
    if (record === undefined) throw new Error('not seen');
    const other = { ...record, addresses: 'another', switches: record.switches + 1 };
    expect(pass(without(last, pid)).records.get(pid)).toEqual(record);
    expect(pass(without(last, pid, other)).records.get(pid)).toEqual(record);
    expect(
      pass(without(last, pid, { ...record, arrivalNs: record.arrivalNs - 1, addresses: 'another' })).records.get(pid),
    ).toEqual(record);
    expect(
      pass(without(last, pid, { ...record, startNs: record.startNs - 1, addresses: 'another' })).records.get(pid),
    ).toEqual(record);
    expect(pass({ records: new Map(), nowNs: last.nowNs }).records.get(1)?.stat.comm ?? 'hidden').toBe(
      last.records.get(1)?.stat.comm ?? 'hidden',
    );
    expect(pass(last).records.get(pid)).toBe(record);
  });

  it('names what this kernel does not record', () => {
    const { records } = pass();
    reader().seen();
    const missing = reader().missing().join('\n');
    expect(missing.includes('time off the CPU')).toBe([...records.values()].every(({ arrivalNs }) => arrivalNs === 0));
    expect(missing.includes('mmap locks')).toBe(readFileSync('/proc/version', 'latin1').includes('PREEMPT_RT'));
  });
});

it('names each fact that a kernel does not record', () => {
  expect(lackingFacts(0b111)).toEqual([]);
  expect(lackingFacts(0b110)).toEqual([expect.stringMatching(/^bpf: without time off the CPU: .*CONFIG_SCHED_INFO/)]);
  // These are found on the stacks of those that wait.
  expect(lackingFacts(0b101)).toEqual([]);
  expect(lackingFacts(0)).toHaveLength(2);
});

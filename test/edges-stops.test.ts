import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { allEdges, named } from './edges.ts';
import { FrozenGroup } from './frozen-group.ts';
import { fixture, kstack, needs, requires, temporaryFolder } from './harness.ts';

describe('tasks of a frozen control group', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it.for([
    [2, 'cgroup2', 'echo 0 > %/cgroup.freeze'],
    [1, 'a hierarchy of control groups that freezes', 'echo THAWED > %/freezer.state'],
  ] as const)('wait for its thaw, and so do those behind them: version %s', async ([version, need, undo], context) => {
    requires(context, need);
    const [holder = 0, one = 0, two = 0] = await fixture('file-locks', ['flock', join(temporaryFolder(), 'lock'), '2']);
    const group = new FrozenGroup(version);
    await group.freeze(holder);
    const key = `cgroup${version} ${group.folder}`;
    const { edges, resources } = await allEdges();
    expect(named(edges, { holder, one, two }, ['frozen', 'flock'])).toEqual([
      `holder frozen ${key}`,
      'one flock holder',
      'two flock holder',
    ]);
    const edge = edges.find(({ from }) => from.tid === holder);
    expect(edge?.inferred).toBe(false);
    expect(edge?.evidence[0]?.place).toBe(`/proc/${holder}/task/${holder}/cgroup`);
    expect(resources.find((each) => each.key === key)).toMatchObject({ name: group.folder, condition: 'is frozen' });
    const { stdout } = await kstack(['why', '-p', `${holder},${one},${two}`]);
    expect(stdout.split('\n')[0]).toBe(
      `3 tasks wait, directly or through others, for ${group.folder}, which is frozen.`,
    );
    const { stdout: long } = await kstack(['-p', `${holder}`, '-f', 'long']);
    expect(long).toMatch(/^1 task \(100\.0 %\) {2}blocked .*waits for .*thaw/m);
    expect(stdout).toContain(`\n  undo       ${undo.replace('%', group.folder)}   (changes the host)\n`);
  });

  it('wait for its thaw in every view, where version 1 has frozen them in their sleep', async (context) => {
    requires(context, 'a hierarchy of control groups that freezes');
    const sleeper = spawn('sleep', ['600']);
    onTestFinished(() => void sleeper.kill());
    const pid = `${sleeper.pid}`;
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/wchan`, 'latin1')).toContain('nanosleep'), 20_000);
    await new FrozenGroup(1).freeze(Number(pid));
    const sample = JSON.parse((await kstack(['-p', pid, '-f', 'json'])).stdout);
    expect(sample.stacks[sample.tasks[0].stack]).toMatchObject({
      frames: expect.arrayContaining([expect.objectContaining({ symbol: 'hrtimer_nanosleep' })]),
      finding: { rule: 'stop-freezer', waitsFor: expect.stringContaining('thaw') },
    });
    const recording = join(temporaryFolder(), 'frozen.kstack');
    await kstack(['record', '-p', pid, '--for', '2s', '-o', recording]);
    for (const view of [
      ['-p', pid, '-f', 'long'],
      ['report', recording],
      ['top', '-n', '1', recording],
    ])
      expect((await kstack(view)).stdout).toContain('a thaw: the host is being suspended');
  });

  it('hold up nobody if nobody else waits for them', async (context) => {
    requires(context, 'cgroup2');
    const [parent = 0] = await fixture('tasks', ['crowd', '1']);
    const pid = Number(readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1'));
    await new FrozenGroup(2).freeze(pid);
    const { stdout } = await kstack(['why', '-p', `${pid}`]);
    expect(stdout).toMatch(/^Nothing holds up the /);
  });
});

describe('a traced task that is stopped', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it('waits for its tracer', async () => {
    const [tracee = 0] = await fixture('tasks', ['traced']);
    const [, tracer = ''] = /^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${tracee}/status`, 'latin1')) ?? [];
    const { edges } = await allEdges();
    expect(named(edges, { tracee, tracer: Number(tracer) }, ['ptrace'])).toEqual(['tracee ptrace tracer']);
    expect(edges.find(({ from }) => from.tid === tracee)?.inferred).toBe(false);
  });
});

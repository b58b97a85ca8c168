import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeBpf, SOURCES } from './bpf-source.ts';
import { edgesBy } from './edges.ts';
import { fixture, kstack, needs, shell, temporaryFolder, testRequires } from './harness.ts';

/** A wait for a commit counts after five seconds. The tasks of open-handle.sh have waited since before it was ready. */
const [PATIENCE_MS, WAITED_MS] = [5000, 1500];

/** Until those waits count which began before what this returned. */
function patience(): () => Promise<void> {
  const countsAt = performance.now() + PATIENCE_MS - WAITED_MS;
  return () => pause(Math.max(0, countsAt - performance.now()));
}

const lookBy = (source: string) => edgesBy(source, /who holds up whom, |is not known/);

/** 50 processes that sleep. */
async function innocents(): Promise<number[]> {
  const [parent = 0] = await fixture('tasks', ['crowd', '50']);
  return readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1').trim().split(' ').map(Number);
}

const byName = (name: string) =>
  Number(shell(`grep -lx '${name}' /proc/[0-9]*/comm 2>/dev/null || true`).split('/')[2] ?? 0);

describe('a transaction of ext4 that a task has open', () => {
  beforeEach(needs('root', 'loop', 'compiler', 'bindfs and /dev/fuse'));

  it('is what its commit waits for, and that is what others wait for', async () => {
    const sleepers = await innocents();
    const [server = 0, opener = 0, syncer = 0, starter = 0, number = -1] = await fixture('open-handle.sh', [
      temporaryFolder(),
      'commit',
    ]);
    const waitsCount = patience();
    const thread = byName(`jbd2/loop${number}-8`);
    expect(thread).toBeGreaterThan(0);
    for (const source of SOURCES) {
      const certainty = source === 'bpf' ? 'the kernel says' : 'inferred';
      const { edges, ends } = await lookBy(source);
      expect(edges).toContainEqual([syncer, 'commit', thread, certainty]);
      expect(edges).toContainEqual([starter, 'commit', thread, certainty]);
      expect(edges.filter(([from]) => from === thread)).toEqual([[thread, 'transaction', opener, certainty]]);
      expect(edges).toContainEqual([opener, 'mount', `mount 7:${number}`, expect.any(String)]);
      expect(sleepers.filter((pid) => ends.has(pid))).toEqual([]);
    }
    await waitsCount();
    const selected = [opener, syncer, starter, thread, ...sleepers].join(',');
    for (const source of SOURCES) {
      const { stdout } = await kstack(['why', '-p', selected, '--evidence', '--source', source]);
      const mark = source === 'bpf' ? '' : ' (inferred)';
      expect(stdout).toMatch(
        new RegExp(
          `^\\d tasks wait, directly or through others, for ${server} bindfs, which is stopped by a signal\\.`,
        ),
      );
      expect(stdout).toContain(
        `\n    ${thread} jbd2/loop${number}-8 waits for ${opener} rm, which has the transaction open${mark}\n`,
      );
      expect(stdout).toContain(
        `    ${syncer} sync, ${starter} chmod wait for ${thread} jbd2/loop${number}-8, which commits the transaction${mark}\n`,
      );
      for (const pid of sleepers) expect(stdout).not.toMatch(new RegExp(`\\b${pid}\\b`));
    }
  });
});

describeBpf('a transaction of ext4 that a task has open, by bpf', () => {
  it('is what a task waits for that wants nobody to have one open', async () => {
    testRequires('python3');
    const [, opener = 0, locker = 0] = await fixture('open-handle.sh', [temporaryFolder(), 'lock']);
    const { edges } = await lookBy('bpf');
    expect(edges).toContainEqual([locker, 'transaction', opener, 'the kernel says']);
  });
});

describeBpf('a transaction of btrfs that a task has open', () => {
  beforeEach(needs('root', 'loop', 'compiler', 'bindfs and /dev/fuse'));

  it('leads from who wants to start the next one over its commit to who has it open', async () => {
    testRequires('btrfs and mkfs.btrfs');
    const sleepers = await innocents();
    const [server = 0, opener = 0, committer = 0, starter = 0] = await fixture('open-handle.sh', [
      temporaryFolder(),
      'btrfs',
    ]);
    const waitsCount = patience();
    const { edges, ends } = await lookBy('bpf');
    // The commit waits for a lock of the tree that the opener holds, before it waits for who has the transaction open.
    expect(edges.filter(([from, by]) => from === starter && by === 'commit')).toEqual([
      [starter, 'commit', committer, expect.any(String)],
    ]);
    expect(edges.filter(([from]) => from === committer).map(([, , to]) => to)).toEqual([opener]);
    expect(edges.filter(([, by, to]) => by === 'commit' && to === opener)).toEqual([]);
    expect(sleepers.filter((pid) => ends.has(pid))).toEqual([]);
    await waitsCount();
    const { stdout } = await kstack(['why', '-p', [opener, committer, starter, ...sleepers].join(',')]);
    expect(stdout).toMatch(
      new RegExp(`^3 tasks wait, directly or through others, for ${server} bindfs, which is stopped by a signal\\.`),
    );
    expect(stdout).toMatch(
      new RegExp(`\n    ${starter} chattr waits for ${committer} btrfs, which commits the transaction`),
    );
  });
});

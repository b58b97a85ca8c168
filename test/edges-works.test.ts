import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { allEdges } from './edges.ts';
import { fixture, needs, temporaryFolder } from './harness.ts';

const SOURCE = process.env['KSTACK_SOURCE'] ?? 'auto';
const MOST_LOOKS = 20;

const isWorker = (tid: number | null) => readFileSync(`/proc/${tid}/comm`, 'latin1').startsWith('kworker/');

describe.skipIf(SOURCE === 'procfs')('a work of the kernel that a task waits for', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler', 'BTF'));

  it('leads to the worker that runs it', async () => {
    const watchers = await fixture('watches', []);
    const found = new Set<number>();
    for (let looks = 0; looks < MOST_LOOKS && found.size < watchers.length; looks++)
      for (const { from, to, by, inferred, evidence } of (await allEdges()).edges) {
        if (by !== 'work' || from.tid === null || !watchers.includes(from.tid)) continue;
        expect(isWorker(to.tid)).toBe(true);
        expect(inferred).toBe(false);
        expect(evidence[0]?.place).toBe('worker.scheduled');
        found.add(from.tid);
      }
    expect(found.size).toBeGreaterThan(0);
  });

  it('leads to the worker that writes the log of XFS, and on to what that waits for', async ({ skip }) => {
    const hasXfs = /\bxfs$/m.test(readFileSync('/proc/filesystems', 'latin1')) && existsSync('/usr/sbin/mkfs.xfs');
    if (!hasXfs) skip('needs: XFS and mkfs.xfs');
    const [, first = 0, second = 0, number = -1] = await fixture('full-log.sh', [temporaryFolder()]);
    const { edges } = await allEdges();
    const works = edges.filter(({ from, by }) => by === 'work' && (from.tid === first || from.tid === second));
    const workers = new Set(works.map(({ to }) => to.tid));
    expect(works.map(({ from }) => from.tid).sort()).toEqual([first, second].sort());
    expect(works.every(({ inferred }) => !inferred)).toBe(true);
    expect(workers.size).toBe(1);
    const [worker = 0] = workers;
    expect(readFileSync(`/proc/${worker}/comm`, 'latin1')).toMatch(/^kworker\/.*xfs-cil/);
    expect(edges.find(({ from }) => from.tid === worker)).toMatchObject({
      by: 'device',
      to: { resource: `device 7:${number}` },
    });
  });
});

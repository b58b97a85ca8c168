import { readFileSync } from 'node:fs';
import { beforeEach, expect, it } from 'vitest';
import { describeBpf } from './bpf-source.ts';
import { allEdges } from './edges.ts';
import { fixture, needs, temporaryFolder, testRequires } from './harness.ts';

const MOST_LOOKS = 20;

const isWorker = (tid: number | null) => readFileSync(`/proc/${tid}/comm`, 'latin1').startsWith('kworker/');

describeBpf('a work of the kernel that a task waits for', () => {
  beforeEach(needs('compiler'));

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

  it('leads to the worker that writes the log of XFS, and on to what that waits for', async () => {
    testRequires('loop', 'XFS and mkfs.xfs');
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

import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { conditions, openBpf } from '../src/sources/live/bpf/availability.ts';
import type { BpfReader } from '../src/sources/live/bpf/tasks.ts';
import { describeBpf } from './bpf-source.ts';
import { ended, fixture, isExecutable, kstack, temporaryFolder } from './harness.ts';

const ALL = { all: true, threads: true };
/** As many looks as fit into so long, but at least so many. */
const LOOKING_MS = 2000;
const LEAST_LOOKS = 200;

interface Edge {
  readonly from: { readonly tid: number | null };
  readonly to: { readonly tid: number | null };
  readonly by: string;
  readonly evidence: readonly { readonly place: string }[];
}

/** Who waits for whom by lock, of what KSTACK_LOCKS says, as `FROM TO KIND`, and the places where that stands. */
async function lockEdges(locks: string, args: readonly string[] = ['-aL']) {
  const { code, stdout, stderr } = await kstack([...args, '-f', 'json', '--source', 'bpf'], {
    env: { ...process.env, KSTACK_LOCKS: locks },
  });
  if (code !== 0) throw new Error(stderr);
  const all: Edge[] = JSON.parse(stdout).edges;
  const edges = all.filter(({ by }) => /^(?:mutex|semaphore|rwsem-\w+)$/.test(by));
  return {
    edges: edges.map(({ from, to, by }) => `${from.tid} ${to.tid} ${by}`),
    places: new Set(edges.flatMap(({ evidence }) => evidence.map(({ place }) => place))),
  };
}

function stackReader(): BpfReader {
  const reader = openBpf({ ...conditions('/proc'), forcesStackLocks: true }, () => performance.now());
  if (typeof reader === 'string') throw new Error(reader);
  onTestFinished(() => reader.close());
  return reader;
}

describeBpf('the locks on the stacks of their waiters', () => {
  it('are of each kind those that the kernel records, and those that it does not, and nobody else waits', async () => {
    const sleepers = Array.from({ length: 50 }, () => spawn('sleep', ['1000'], { stdio: 'ignore' }));
    onTestFinished(async () => {
      for (const sleeper of sleepers) sleeper.kill('SIGKILL');
      await Promise.all(sleepers.map((sleeper) => ended(sleeper)));
    });
    const pids = await fixture('contended-locks', [temporaryFolder()]);
    const [creator, second, third, finder, lister, piper, writer, reader, filer, seeker, typist, other] = pids;
    const expected = [
      `${second} ${creator} rwsem-write`,
      `${third} ${creator} rwsem-write`,
      `${finder} ${creator} rwsem-read`,
      `${lister} ${creator} rwsem-read`,
      `${writer} ${piper} mutex`,
      `${reader} ${piper} mutex`,
      `${seeker} ${filer} mutex`,
      `${other} ${typist} mutex`,
    ];
    const strangers = new Set(sleepers.map(({ pid }) => `${pid}`));
    for (const locks of ['stack', '']) {
      // A task that has just woken is not told of.
      let all = await lockEdges(locks);
      const lacks = () => expected.filter((edge) => !all.edges.includes(edge));
      for (let tries = 0; tries < 5 && lacks().length > 0; tries++) all = await lockEdges(locks);
      expect(lacks()).toEqual([]);
      expect(all.edges.filter((edge) => edge.split(' ').some((part) => strangers.has(part)))).toEqual([]);
      if (locks === 'stack') {
        expect([...all.places].sort()).toEqual([
          'mutex_waiter on its kernel stack',
          'rwsem_waiter on its kernel stack',
        ]);
      }
    }
    // Those in the list before and behind are not selected, and neither is the holder.
    expect((await lockEdges('stack', ['-p', `${third}`])).edges).toEqual([`${third} ${creator} rwsem-write`]);
  });

  // This takes the source itself into the process of the test: once is enough.
  if (!isExecutable)
    it('agree with what the kernel records, in every look', async () => {
      await fixture('contended-locks', [temporaryFolder()]);
      await fixture('mmap-lock', [temporaryFolder(), '2', 'map']);
      const bpf = stackReader();
      const differing = new Set<string>();
      const kinds = new Map<string, number>();
      const began = performance.now();
      let looks = 0;
      for (; looks < LEAST_LOOKS || performance.now() - began < LOOKING_MS; looks++) {
        const before = bpf.read(ALL)?.records ?? [];
        bpf.seen();
        const locks = bpf.locksOf(before);
        const after = new Map(bpf.read(ALL)?.records.map((record) => [record.tid, record]));
        for (const { tid, startNs, switches, stat, lock: recorded } of before) {
          const later = after.get(tid);
          // Who has been woken, and got no CPU yet, does not wait any more.
          if (stat.state === 'R' || later?.stat.state !== stat.state) continue;
          // What ran in between, or what has not been recorded yet, is not the same.
          if (later.startNs !== startNs || later.switches !== switches || recorded === undefined) continue;
          if (later.lock?.address !== recorded.address) continue;
          const found = locks?.get(tid);
          const owners = found?.owner === undefined && recorded.kind !== 'semaphore' ? [0] : [found?.owner];
          const same =
            found?.kind === recorded.kind &&
            found.address === recorded.address &&
            (recorded.kind === 'semaphore' || owners.includes(recorded.owner) || owners.includes(later.lock.owner));
          if (!same) differing.add(`${tid}: ${JSON.stringify(recorded)}, and on its stack ${JSON.stringify(found)}`);
          kinds.set(recorded.kind, (kinds.get(recorded.kind) ?? 0) + 1);
        }
      }
      expect([...differing]).toEqual([]);
      // Older kernels record nothing to compare with.
      if (kinds.size > 0)
        for (const kind of ['mutex', 'rwsem-read', 'rwsem-write'])
          expect(kinds.get(kind) ?? 0, kind).toBeGreaterThanOrEqual(looks);
      expect(bpf.missing().filter((line) => line.includes('locks on kernel stacks'))).toEqual([]);
    });
});

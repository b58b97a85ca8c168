import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { allEdges, fixtureInNamespace, named } from './edges.ts';
import { fixture, kstack, needs, temporaryFolder, testRequires } from './harness.ts';

const KINDS = ['futex', 'thread-end'];

/** The C libraries, by the fixture that is linked with each. */
const GLIBC = 'user-locks';
const MUSL = 'user-locks-musl';

function requires(program: string): void {
  if (program === MUSL) testRequires('musl-gcc');
}

describe('a lock in user space', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it.for([
    [GLIBC, 'normal'],
    [GLIBC, 'recursive'],
    [GLIBC, 'errorcheck'],
    [GLIBC, 'adaptive'],
    [GLIBC, 'robust'],
    [GLIBC, 'robust-recursive'],
    [GLIBC, 'pi'],
    [GLIBC, 'pi-robust'],
    [MUSL, 'recursive'],
    [MUSL, 'errorcheck'],
    [MUSL, 'robust'],
    [MUSL, 'pi'],
  ] as const)('is held by the thread that its word or the words beside it name: %s, %s', async ([program, kind]) => {
    requires(program);
    const [, holder = 0, waiter = 0] = await fixture(program, ['mutex', kind]);
    const { edges } = await allEdges();
    expect(named(edges, { holder, waiter }, KINDS)).toEqual(['waiter futex holder']);
    const [edge] = edges.filter(({ from }) => from.tid === waiter);
    expect(edge?.inferred).toBe(true);
    expect(edge?.evidence[0]?.place).toMatch(/^\/proc\/\d+\/mem$/);
    expect(edge?.evidence[0]?.text).toMatch(new RegExp(`^0x[0-9a-f]+: .*, thread ${holder}$`));
  });

  it.for([
    [GLIBC, 'normal'],
    [GLIBC, 'robust'],
    [MUSL, 'robust'],
  ] as const)('that processes share may be held by a thread of another one: %s, %s', async ([program, kind]) => {
    requires(program);
    const [, holder = 0, waiter = 0] = await fixture(program, ['shared', kind]);
    expect(named((await allEdges()).edges, { holder, waiter }, KINDS)).toEqual(['waiter futex holder']);
  });

  it.for([
    [GLIBC, 'normal'],
    [GLIBC, 'robust'],
    [MUSL, 'recursive'],
  ] as const)('is half of a deadlock of two threads: %s, %s', async ([program, kind]) => {
    requires(program);
    const [pid = 0, one = 0, two = 0, third = 0] = await fixture(program, ['deadlock', kind]);
    const { edges, waits } = await allEdges();
    expect(named(edges, { one, two, third }, KINDS)).toEqual(['one futex two', 'third futex one', 'two futex one']);
    const [deadlock] = waits.filter((wait) => wait.deadlock);
    expect(deadlock?.edges.map((id) => edges[id]?.from.tid).sort()).toEqual([one, two].sort());
    const { stdout } = await kstack(['-Lf', 'long', '-p', `${pid}`]);
    expect(stdout).toMatch(/deadlock/);
    expect(stdout).toMatch(
      new RegExp(`\\b${one} .*waits for the user-space lock \\(futex\\) that ${two} .*likely holds`),
    );
  });

  it('blocks who waits for it, whatever shows that', async () => {
    const [pid = 0, one = 0, two = 0, third = 0] = await fixture(GLIBC, ['deadlock', 'normal']);
    const blocked = await kstack(['-L', '--blocked', '-p', `${pid}`, '-f', 'long']);
    expect(blocked.stdout).toMatch(/^3 tasks .* blocked/m);
    for (const tid of [one, two, third]) expect(blocked.stdout).toContain(`${pid}/${tid}`);
    expect(blocked.stdout).not.toMatch(/left out|to write to the pipe/);
    const top = await kstack(['top', '--batch', '-n', '1', '-L', '-p', `${pid}`]);
    expect(top.stdout).toMatch(/^ +3 {2}S .* a user-space lock/m);
    const file = join(temporaryFolder(), 'r.kstack');
    const recorded = await kstack(['record', '-o', file, '-L', '-p', `${pid}`, '--for', '2', '-i', '1']);
    expect(recorded.code).toBe(0);
    const report = await kstack(['report', file]);
    expect(report.stdout).toMatch(/3 tasks {2}waits? for a user-space lock \(futex\) that another task holds/);
  });

  it('is one of glibc in another PID namespace, too', async () => {
    const [, one = 0, two = 0, third = 0] = await fixtureInNamespace(GLIBC, ['deadlock']);
    expect(named((await allEdges()).edges, { one, two, third }, KINDS)).toEqual([
      'one futex two',
      'third futex one',
      'two futex one',
    ]);
  });

  it('that a thread takes twice is a deadlock of one', async () => {
    const [, thread = 0] = await fixture(GLIBC, ['self']);
    const { edges, waits } = await allEdges();
    expect(named(edges, { thread }, KINDS)).toEqual(['thread futex thread']);
    expect(waits.filter(({ deadlock, edges: [id = -1] }) => deadlock && edges[id]?.from.tid === thread).length).toBe(1);
  });

  it.for(['ended', 'forked'])('whose holder is not in the process is a root: %s', async (what) => {
    const [pid = 0, thread = 0] = await fixture(GLIBC, [what]);
    const { edges, resources } = await allEdges();
    const [edge] = edges.filter(({ from }) => from.tid === thread);
    const process = what === 'forked' ? thread : pid;
    expect(edge?.to.resource).toMatch(new RegExp(`^lock 0x[0-9a-f]+ of process ${process}$`));
    expect(resources.find(({ key }) => key === edge?.to.resource)?.condition).toMatch(
      /^was taken by thread \d+, which is not in its process$/,
    );
  });

  it('for reading and writing is held by who writes', async () => {
    const [, holder = 0, writer = 0, reader = 0] = await fixture(GLIBC, ['rwlock']);
    expect(named((await allEdges()).edges, { holder, writer, reader }, KINDS)).toEqual([
      'reader futex holder',
      'writer futex holder',
    ]);
  });

  it('for reading and writing tells nobody while it is read', async () => {
    const [, holder = 0, writer = 0] = await fixture(GLIBC, ['readers']);
    expect(named((await allEdges()).edges, { holder, writer }, KINDS)).toEqual([]);
  });

  it('of a stream is held by who writes to it', async () => {
    const [, holder = 0, waiter = 0] = await fixture(GLIBC, ['stream']);
    expect(named((await allEdges()).edges, { holder, waiter }, KINDS)).toEqual(['waiter futex holder']);
  });

  it('may be one of several that a task waits for', async () => {
    const [, one = 0, two = 0, waiter = 0] = await fixture(GLIBC, ['any']);
    expect(named((await allEdges()).edges, { one, two, waiter }, KINDS)).toEqual([
      'waiter futex one (any)',
      'waiter futex two (any)',
    ]);
  });
});

describe('a thread that another one waits for', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it.for([GLIBC, MUSL])('is the one that pthread_join() was called with: %s', async (program) => {
    requires(program);
    const [, waiter = 0, thread = 0] = await fixture(program, ['join']);
    expect(named((await allEdges()).edges, { waiter, thread }, KINDS)).toEqual(['waiter thread-end thread']);
  });
});

describe('a pool of idle threads', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it.for([GLIBC, MUSL])('waits for nobody, whatever its words hold: %s', async (program) => {
    requires(program);
    const [pid = 0] = await fixture(program, ['pool', '2000']);
    const { edges, tasks } = await allEdges();
    const tids = new Set(tasks.filter((task) => task.pid === pid).map(({ tid }) => tid));
    expect(tids.size).toBe(2001);
    const about = edges.filter(
      ({ from, to, by }) => KINDS.includes(by) && (tids.has(from.tid ?? 0) || tids.has(to.tid ?? 0)),
    );
    expect(about).toEqual([]);
  });
});

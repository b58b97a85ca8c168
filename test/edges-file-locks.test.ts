import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { allEdges, fixtureInNamespace, named } from './edges.ts';
import { fixture, needs, temporaryFolder } from './harness.ts';

const KINDS = ['flock', 'posix-lock', 'lease'];

const newFile = () => join(temporaryFolder(), 'lock');

describe('a lock of a file', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it.for([
    ['flock', 'flock'],
    ['posix', 'posix-lock'],
  ] as const)('has all that wait for it behind its holder: %s', async ([kind, by]) => {
    const [holder = 0, one = 0, two = 0, three = 0] = await fixture('file-locks', [kind, newFile(), '3']);
    const { edges } = await allEdges();
    expect(named(edges, { holder, one, two, three }, KINDS)).toEqual([
      `one ${by} holder`,
      `three ${by} holder`,
      `two ${by} holder`,
    ]);
    const [edge] = edges.filter(({ from }) => from.tid === three);
    expect(edge?.inferred).toBe(false);
    expect(edge?.evidence[0]?.place).toBe('/proc/locks');
    expect(edge?.evidence[0]?.text).toMatch(new RegExp(`^\\w+ ADVISORY WRITE ${holder} [0-9a-f:]+ 0 EOF$`));
  });

  it('of an open file description is held by all that have this', async () => {
    const [holder = 0, waiter = 0] = await fixture('file-locks', ['ofd', newFile(), '1']);
    const child = Number(readFileSync(`/proc/${holder}/task/${holder}/children`, 'latin1'));
    const { edges } = await allEdges();
    expect(named(edges, { holder, waiter, child }, KINDS)).toEqual([
      'waiter posix-lock child',
      'waiter posix-lock holder',
    ]);
    expect(edges.filter(({ from }) => from.tid === waiter).map(({ evidence }) => evidence[1]?.place)).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`^/proc/${holder}/fdinfo/\\d+$`))]),
    );
  });

  it('that several read is held by all of them', async () => {
    const [waiter = 0, one = 0, two = 0, three = 0] = await fixture('file-locks', ['readers', newFile(), '3']);
    expect(named((await allEdges()).edges, { waiter, one, two, three }, KINDS)).toEqual([
      'waiter posix-lock one',
      'waiter posix-lock three',
      'waiter posix-lock two',
    ]);
  });

  it('is held by who inherited it, if who took it has ended', async () => {
    const [heir = 0, waiter = 0] = await fixture('file-locks', ['inherited', newFile()]);
    expect(named((await allEdges()).edges, { heir, waiter }, KINDS)).toEqual(['waiter flock heir']);
  });

  it.for(['ring', 'self'])('may be part of a deadlock: %s', async (what) => {
    const pids = await fixture('file-locks', [what, newFile()]);
    const { edges, waits } = await allEdges();
    const deadlocked = waits
      .filter(({ deadlock }) => deadlock)
      .map((wait) => wait.edges.map((id) => edges[id]?.from.tid).sort());
    expect(deadlocked).toContainEqual([...pids].sort());
  });

  it('that the own process of a thread holds is no deadlock: another thread may release it', async () => {
    const path = newFile();
    const [pid = 0, thread = 0] = await fixture('file-locks', ['thread', path]);
    const { edges, resources } = await allEdges();
    const [edge] = edges.filter(({ from }) => from.tid === thread);
    const resource = resources.find(({ key }) => key === edge?.to.resource);
    expect([resource?.name, resource?.condition]).toEqual([path, `is held by process ${pid} itself`]);
  });

  it('is the one that the thread waits for, where others of its process wait for others', async () => {
    const [one = 0, two = 0, first = 0, second = 0] = await fixture('file-locks', ['two', newFile()]);
    expect(named((await allEdges()).edges, { one, two, first, second }, KINDS)).toEqual([
      'first flock one',
      'second flock two',
    ]);
  });

  it.for(['flock', 'posix'])('is found in another PID namespace: %s', async (kind) => {
    const [holder = 0, waiter = 0] = await fixtureInNamespace('file-locks', [kind, newFile(), '1']);
    const [edge = ''] = named((await allEdges()).edges, { holder, waiter }, KINDS);
    expect(edge).toMatch(/^waiter (flock|posix-lock) holder$/);
  });
});

describe('a lease of a file', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it('is held by the process that others wait for to give it back', async () => {
    const path = newFile();
    writeFileSync(path, '');
    const [holder = 0, waiter = 0] = await fixture('file-locks', ['lease', path]);
    expect(named((await allEdges()).edges, { holder, waiter }, KINDS)).toEqual(['waiter lease holder']);
  });
});

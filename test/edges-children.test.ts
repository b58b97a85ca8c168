import { beforeEach, describe, expect, it } from 'vitest';
import { allEdges, fixtureInNamespace, named } from './edges.ts';
import { fixture, needs } from './harness.ts';

const KINDS = ['child', 'thread-end'];

describe('a parent that waits', { tags: ['source'] }, () => {
  beforeEach(needs('root', 'compiler'));

  it.for(['one', 'id', 'pidfd', 'own-group', 'own', 'stopped'])('waits for the one child: %s', async (what) => {
    const [waiter = 0, child = 0] = await fixture('child-waits', [what]);
    const { edges } = await allEdges();
    expect(named(edges, { waiter, child }, KINDS)).toEqual(['waiter child child']);
    expect(edges.find(({ from }) => from.tid === waiter)?.inferred).toBe(false);
  });

  it.for(['any', 'group', 'thread'])('waits for any of two children: %s', async (what) => {
    const [waiter = 0, one = 0, two = 0] = await fixture('child-waits', [what]);
    expect(named((await allEdges()).edges, { waiter, one, two }, KINDS)).toEqual([
      'waiter child one (any)',
      'waiter child two (any)',
    ]);
  });

  it.for(['one', 'group', 'pidfd'])('counts as its own PID namespace does: %s', async (what) => {
    const [waiter = 0, child = 0, other = 0] = await fixtureInNamespace('child-waits', [what]);
    expect(named((await allEdges()).edges, { waiter, child, other }, KINDS)).toEqual(
      what === 'group' ? ['waiter child child (any)', 'waiter child other (any)'] : ['waiter child child'],
    );
  });

  it('waits for the last thread of a child whose main thread has ended', async () => {
    const [waiter = 0, child = 0, thread = 0] = await fixture('child-waits', ['leaderless']);
    expect(named((await allEdges()).edges, { waiter, child, thread }, KINDS)).toEqual([
      'child thread-end thread',
      'waiter child child',
    ]);
  });
});

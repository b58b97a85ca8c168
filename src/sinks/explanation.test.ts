import { expect, test } from 'vitest';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import { noteChanges } from '../model/changes.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrame } from '../model/stack.ts';
import { format } from './explanation.ts';

/** Of a function that rules know. */
const knownStack = (symbol: string) => ({ value: { id: 0, frames: [parseFrame(`[<0>] ${symbol}+0x1/0x2`)] } });
const stackOf = (symbol: string) => ({ value: { id: 0, frames: [parseFrame(`${symbol}+0x1/0x2`)] } });

function seenAt(second: number): Observation[] {
  const switched = second < 20 ? 'xfs_buf_lock' : 'rtnl_lock';
  return [
    observationOf(1, { stack: stackOf('xfs_buf_lock'), facts: { offCpuMs: 5000 + 1000 * second } }),
    observationOf(2, { stack: stackOf(switched), facts: { offCpuMs: 1000 * (second % 20) } }),
    ...(second === 10 ? [] : [observationOf(3, { stack: stackOf('xfs_buf_lock') })]),
  ];
}

function samples(): Sample[] {
  return [0, 10, 20, 30].map((second) => ({
    ...EMPTY_SAMPLE,
    monotonicMs: 1000 * second,
    observations: seenAt(second),
  }));
}

/** The same, where the source tells what changes. */
function told(): Sample[] {
  const all = samples();
  const tids = [[], [3], [2, 3], []];
  for (const [at, sample] of all.entries()) {
    const before = all[at - 1];
    const changed = ({ task }: Observation) => tids[at]?.includes(task.id.tid ?? 0) === true;
    if (before !== undefined)
      noteChanges(before, sample, {
        gone: before.observations.filter(changed),
        come: sample.observations.filter(changed),
      });
  }
  return all;
}

async function explained(all: Iterable<Sample>): Promise<string> {
  let text = '';
  const context = {
    zoneAt: () => ({ abbreviation: 'UTC', offsetSeconds: 0 }),
    colour: false,
    full: false,
    annotate: false,
  };
  for await (const piece of format.write(all, context)) text += piece;
  return text;
}

test('shows that a task has an empty name', async () => {
  const observations = [observationOf(7, { task: taskOf(7, { comm: '' }), stack: stackOf('xfs_buf_lock') })];
  expect(await explained([{ ...EMPTY_SAMPLE, observations }])).toContain("\n  tasks:  '' 7 (D)\n");
});

test('counts a task once, also where its host was renamed', async () => {
  const [first, second] = ['before', 'after'].map(
    (host): Sample => ({ ...EMPTY_SAMPLE, host, bootId: { value: 'one' }, observations: seenAt(0).slice(0, 1) }),
  );
  const { host: _, ...unnamed } = EMPTY_SAMPLE;
  if (first === undefined || second === undefined) throw new Error('none');
  expect(await explained([first, second])).toMatch(
    /^1 x xfs_buf_lock\+0x1\/0x2\n {2}tasks: {2}t1 1 \(D\) for 5\.0 s, reported 2/,
  );
  const others = [
    first,
    { ...second, bootId: { value: 'other' } },
    { ...unnamed, observations: seenAt(0).slice(0, 1) },
  ];
  expect(await explained(others)).toMatch(/^3 x xfs_buf_lock\+0x1\/0x2\n/);
});

test('says the same of a recording, which tells what changes, as of whole samples', async () => {
  const whole = await explained(samples());
  expect(whole).toMatch('t1 1 (D) for 35 s, reported 4 times');
  expect(whole).toMatch('t2 2 (D) for 10 s, reported 2 times');
  expect(await explained(told())).toBe(whole);
});

test('tells for how long the watchdog says that tasks ran, the longest first', async () => {
  const running = (tid: number, symbol: string, onCpuMs: number) =>
    observationOf(tid, { state: 'R', stack: stackOf(symbol), facts: { onCpuMs } });
  const at = (observations: readonly Observation[]) => ({ ...EMPTY_SAMPLE, observations });
  const first = [running(1, 'shrink_slab', 22_000), running(2, 'shrink_slab', 23_000), running(3, 'd_walk', 22_000)];
  const text = await explained([at(first), at([running(3, 'd_walk', 48_000)])]);
  expect(text.match(/t\d .*/g)).toEqual([
    't3 3 (R) for 48 s, reported 2 times',
    't1 1 (R) for 22 s, t2 2 (R) for 23 s',
  ]);
});

test('tells where the kernel only says that it was more', async () => {
  const at = (offCpuMs: number, atLeast?: true) => ({
    ...EMPTY_SAMPLE,
    observations: [
      observationOf(1, { stack: stackOf('xfs_buf_lock'), facts: { offCpuMs, ...(atLeast && { atLeast }) } }),
    ],
  });
  expect(await explained([at(122_000, true)])).toContain('t1 1 (D) for at least 2 min 2 s\n');
  expect(await explained([at(122_000, true), at(245_000, true)])).toContain('for at least 4 min 5 s, reported 2 times');
  expect(await explained([at(122_000)])).toContain('t1 1 (D) for 2 min 2 s\n');
});

test('shows who waits for somebody that is stuck first, and chains of idle tasks behind all that is blocked', async () => {
  const observations = [
    observationOf(1, { state: 'S', stack: knownStack('do_wait') }),
    observationOf(2, { state: 'S', stack: knownStack('ep_poll') }),
    observationOf(3, { state: 'D', stack: knownStack('mutex_lock'), facts: { offCpuMs: 9000 } }),
    observationOf(4, { state: 'T', stack: knownStack('do_signal_stop') }),
  ];
  const edges = [
    { from: 1, to: 2, by: 'child' as const, evidence: [] },
    { from: 3, to: 4, by: 'mutex' as const, evidence: [] },
  ];
  const text = await explained([{ ...EMPTY_SAMPLE, observations, edges }]);
  const places = [
    '4 t4 holds up 1 task',
    '1 x mutex_lock',
    'nobody is known to be stuck:\n2 t2 holds up 1',
    '1 x do_wait',
  ];
  const found = places.map((place) => text.indexOf(place));
  expect(found).not.toContain(-1);
  expect(found).toEqual(found.toSorted((a, b) => a - b));
});

test('names who holds what the tasks of a stack wait for', async () => {
  const waiter = (tid: number, owner: number) =>
    observationOf(tid, { stack: stackOf('xfs_buf_lock'), facts: { lock: { kind: 'mutex', owner } } });
  const holder = (tid: number, comm: string) =>
    observationOf(tid, { task: taskOf(tid, { comm }), stack: stackOf('blk_mq_get_tag') });
  const observations = [waiter(1, 8), waiter(2, 8), waiter(3, 9), holder(8, 'a\u001b'), holder(9, 'b')];
  const text = await explained([
    { ...EMPTY_SAMPLE, observations },
    { ...EMPTY_SAMPLE, observations },
  ]);
  expect(text).toContain(
    '\n  behind: the mutex that 8 a\\x1b holds  x 2\n          the mutex that 9 b holds\n  next: ',
  );
  expect(text.match(/behind:/g)).toHaveLength(1);
});

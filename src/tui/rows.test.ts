import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { plainText } from './cells.ts';
import { holdersIn } from './holders.ts';
import { explainedTasks, type Grouping, type RowOptions, rowsOf } from './rows.ts';
import { tableOf } from './table.ts';

const stackOf = (...lines: string[]) => ({
  value: { id: lines.join('').length, frames: parseFrames(lines.join('\n')) },
});
const MUTEX = stackOf('[<0>] __mutex_lock.constprop.0+0x3a0/0x7f0', '[<0>] rtnl_lock+0x15/0x20');
const VFORK = stackOf('[<0>] kernel_clone+0x3a2/0x450', '[<0>] __do_sys_vfork+0x4d/0x60');
const EPOLL = stackOf('[<0>] ep_poll+0x315/0x390', '[<0>] do_epoll_wait+0xd0/0xf0');

const seen = (tid: number, stack: Observation['stack'], more: Partial<Observation> = {}): Observation =>
  observationOf(tid, { stack, ...more });
const OPTIONS: RowOptions = { grouping: 'stack', sort: 'urgency', all: false, threads: true, filter: '' };

const SAMPLE: Sample = {
  ...EMPTY_SAMPLE,
  threads: true,
  observations: [
    seen(10, EPOLL, { state: 'S' }),
    seen(11, VFORK, { facts: { offCpuMs: 4000 }, task: taskOf(11, { comm: 'make' }) }),
    seen(12, MUTEX, { facts: { offCpuMs: 1000 } }),
    seen(13, MUTEX, { facts: { offCpuMs: 9000 }, task: taskOf(13, { comm: 'ip', uid: { value: 1000 }, user: 'ann' }) }),
    seen(14, EPOLL, { state: 'R', task: taskOf(14, { pid: 10, comm: 'pool', processName: 'server' }) }),
    seen(99, EPOLL, { state: 'R', task: taskOf(99, { own: true, comm: 'kstack' }) }),
  ],
  edges: [
    { from: 12, to: 11, by: 'mutex', evidence: [] },
    { from: 13, to: 12, by: 'mutex', evidence: [] },
  ],
};

const shown = (options: Partial<RowOptions>, sample = SAMPLE) =>
  rowsOf(explainedTasks(sample), holdersIn(sample), { ...OPTIONS, ...options }).map(
    ({ name, tasks, longestMs, finding }) => [
      name ?? finding.kind,
      tasks.map(({ observation }) => observation.task.id.tid),
      longestMs,
    ],
  );

describe('rowsOf', () => {
  it('shows blocked ones first, then the largest group, without idle ones and kstack itself', () => {
    expect(shown({})).toEqual([
      ['blocked', [13, 12], 9000],
      ['blocked', [11], 4000],
      ['running', [14], undefined],
    ]);
  });

  it('shows all on demand, and only main threads', () => {
    expect(shown({ all: true }).map(([kind]) => kind)).toContain('idle');
    expect(shown({ threads: false }).map(([kind]) => kind)).toEqual(['blocked', 'blocked']);
  });

  it('groups by what a task waits for at last', () => {
    expect(shown({ grouping: 'holder' })).toEqual([
      ['11 make', [13, 12], 9000],
      ['no known holder', [11, 14], 4000],
    ]);
  });

  it('counts what else the tasks of a group wait for', () => {
    const waits = (grouping: Grouping) =>
      rowsOf(explainedTasks(SAMPLE), holdersIn(SAMPLE), { ...OPTIONS, grouping }).map(
        ({ tasks, otherWaits }) => [tasks.length, otherWaits] as const,
      );
    expect(waits('finding').map(([, others]) => others)).toEqual([0, 0, 0]);
    expect(waits('holder')).toEqual([
      [2, 0],
      [2, 1],
    ]);
  });

  it('says on any terminal that a group waits for other things, too', () => {
    const holders = holdersIn(SAMPLE);
    const rows = rowsOf(explainedTasks(SAMPLE), holders, { ...OPTIONS, grouping: 'holder' });
    for (const columns of [60, 80, 200]) {
      const [same, several] = tableOf(rows, holders, columns).lines.map(plainText);
      expect(same).not.toContain('(+');
      expect(several).toContain(' (+1) ');
    }
  });

  it.each([
    ['command', ['ip', 'make', 't12', 'server']],
    ['user', ['unknown user', 'ann']],
    ['container', ['unknown control group']],
  ] as const)('groups by %s', (grouping, names) => {
    expect(shown({ grouping }).map(([name]) => name)).toEqual(names);
  });

  it.each([
    ['count', [13, 11, 14]],
    ['time', [13, 11, 14]],
    ['name', [11, 14, 13]],
  ] as const)('sorts by %s', (sort, first) => {
    const rows = rowsOf(explainedTasks(SAMPLE), holdersIn(SAMPLE), { ...OPTIONS, sort });
    expect(rows.map(({ tasks }) => tasks[0]?.observation.task.id.tid)).toEqual(first);
  });

  it.each([
    ['rtnl', 1],
    ['MAKE', 1],
    ['ann', 1],
    ['vfork child', 1],
    ['nothing has this', 0],
  ])('filters by %j', (filter, rows) => {
    expect(shown({ filter })).toHaveLength(rows);
  });

  it('gives a group the same key in the next sample, whatever numbers its stack has then', () => {
    const again = {
      ...SAMPLE,
      observations: SAMPLE.observations.map((each) =>
        'value' in each.stack ? { ...each, stack: { value: { ...each.stack.value, id: 1000 } } } : each,
      ),
    };
    const keys = (sample: Sample) => rowsOf(explainedTasks(sample), holdersIn(sample), OPTIONS).map(({ key }) => key);
    expect(keys(again)).toEqual(keys(SAMPLE));
  });
});

describe('holdersIn', () => {
  it('ends with rings', () => {
    const ring: Sample = {
      ...SAMPLE,
      edges: [
        { from: 12, to: 13, by: 'mutex', evidence: [] },
        { from: 13, to: 12, by: 'mutex', evidence: [] },
        { from: 11, to: 12, by: 'mutex', evidence: [] },
      ],
    };
    const holders = holdersIn(ring);
    expect(ring.observations.slice(1, 4).map((each) => typeof holders.of(each))).toEqual([
      'number',
      'number',
      'number',
    ]);
  });
});

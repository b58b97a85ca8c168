import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample } from '../../test/arbitrary-sample.ts';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import { everythingUnread, type Observation, startTimeSeconds } from './sample.ts';

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a sample', () => {
  it('is the same after JSON, whatever is in it', () => {
    fc.assert(
      fc.property(sample, (sample) => {
        expect(throughJson(sample)).toStrictEqual(sample);
      }),
      { numRuns: 300 },
    );
  });

  it('with every oddity is the same after JSON', () => {
    expect(throughJson(ODD_SAMPLES)).toStrictEqual(ODD_SAMPLES);
  });
});

describe('startTimeSeconds', () => {
  it('is the boot time and the whole seconds since then, and unknown where any of it is', () => {
    const task = taskOf(1, { id: { tid: 1, startTicks: 1234 } });
    const known = { ...EMPTY_SAMPLE, bootTimeSeconds: 1000, ticksPerSecond: 100 };
    const { bootTimeSeconds: _, ...withoutBoot } = known;
    expect(startTimeSeconds(task, known)).toBe(1012);
    expect(startTimeSeconds(task, withoutBoot)).toBeUndefined();
    expect(startTimeSeconds(taskOf(1, { id: { tid: 1 } }), known)).toBeUndefined();
  });
});

describe('everythingUnread', () => {
  const of = (...observations: Observation[]) => everythingUnread({ ...EMPTY_SAMPLE, observations });

  it('names what could not be read of each task, and why, in one order', () => {
    const task = taskOf(7, {
      commandLine: { value: 'x', cut: true },
      uid: { unread: 'denied' },
      cgroup: { unread: 'malformed', detail: 'line 1: missing' },
    });
    const known = { tid: 7, pid: 7, comm: 't7' };
    expect(of(observationOf(7, { task, stack: { unread: 'EIO' }, systemCall: { unread: 'timeout' } }))).toEqual([
      { ...known, what: 'stack', why: 'EIO' },
      { ...known, what: 'commandLine', why: 'cut' },
      { ...known, what: 'uid', why: 'denied' },
      { ...known, what: 'cgroup', why: 'malformed', detail: 'line 1: missing' },
      { ...known, what: 'systemCall', why: 'timeout' },
    ]);
  });

  it('says once what happened to the command line that threads share', () => {
    const commandLine = { unread: 'locked' } as const;
    const threads = [1, 2, 3].map((tid) => observationOf(tid, { task: taskOf(tid, { pid: 1, commandLine }) }));
    expect(of(...threads).map(({ tid, what }) => [tid, what])).toEqual([[1, 'commandLine']]);
  });

  it('leaves out what a text does not tell, and a task of which its status alone is known', () => {
    const inText = taskOf(1, { commandLine: { unread: 'notTold' } });
    const stuck = taskOf(2, { id: { tid: 2 }, commandLine: { unread: 'timeout' } });
    const listed = { tid: 2, what: 'task', why: 'timeout' } as const;
    const observations = [observationOf(1, { task: inText }), observationOf(2, { task: stuck })];
    expect(everythingUnread({ ...EMPTY_SAMPLE, observations, unread: [listed] })).toEqual([listed]);
  });
});

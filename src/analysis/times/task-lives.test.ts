import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE } from '../../../test/samples.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { StackTable } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { BlockedSeries, largestWaits } from './blocked-series.ts';
import { TaskLives } from './task-lives.ts';

const stacks = new StackTable();

function seen(tid: number, state: State, symbol: string, startTicks = 1): Observation {
  return {
    task: { id: { tid, startTicks }, pid: tid, comm: `p${tid}`, commandLine: { value: '' } },
    state,
    stack: { value: stacks.intern(`[<0>] ${symbol}+0x1/0x2`) },
  };
}

function sampleAt(seconds: number, observations: readonly Observation[], host = 'h'): Sample {
  return { ...EMPTY_SAMPLE, timeMs: 1000 * seconds, host, threads: true, observations };
}

/** From when to when each task did what, in seconds. */
function spans(samples: readonly Sample[]) {
  const lives = new TaskLives();
  for (const sample of samples) lives.add(sample);
  return lives
    .all()
    .map(({ task, stretches }) => [
      task.id.tid,
      ...stretches.map(({ observation, fromMs, toMs }) => [observation.state, fromMs / 1000, toMs / 1000]),
    ]);
}

describe('the life of a task', () => {
  it('is one stretch as long as it stays where it is, though each sample is read anew', () => {
    const samples = [0, 1, 2, 3].map((at) => sampleAt(at, [seen(1, 'D', 'jbd2_log_wait_commit')]));
    expect(spans(samples)).toEqual([[1, ['D', 0, 4]]]);
  });

  it('changes with its state and its stack, and ends when it is gone', () => {
    const samples = [
      sampleAt(0, [seen(1, 'D', 'jbd2_log_wait_commit'), seen(2, 'S', 'ep_poll')]),
      sampleAt(1, [seen(1, 'S', 'ep_poll'), seen(2, 'S', 'ep_poll')]),
      sampleAt(2, [seen(2, 'S', 'ep_poll')]),
      sampleAt(3, [seen(2, 'S', 'ep_poll')]),
    ];
    expect(spans(samples)).toEqual([
      [1, ['D', 0, 1], ['S', 1, 2]],
      [2, ['S', 0, 4]],
    ]);
  });

  it('does not end because another recording of its host does not show it', () => {
    const blocked = [seen(1, 'D', 'jbd2_log_wait_commit')];
    const samples = [0, 1, 2, 3].flatMap((at) => [sampleAt(at, blocked), { ...sampleAt(at, []), stream: 1 }]);
    expect(spans(samples)).toEqual([[1, ['D', 0, 4]]]);
  });

  it('is not known in a gap', () => {
    const samples = [0, 1, 2, 60, 61].map((at) => sampleAt(at, [seen(1, 'D', 'jbd2_log_wait_commit')]));
    expect(spans(samples)).toEqual([[1, ['D', 0, 3], ['D', 60, 62]]]);
  });

  it('is another one for another task of the same number, or on another host', () => {
    const samples = [sampleAt(0, [seen(1, 'S', 'ep_poll')]), sampleAt(1, [seen(1, 'S', 'ep_poll', 2)])];
    expect(spans([...samples, sampleAt(1, [seen(1, 'S', 'ep_poll', 2)], 'other')]).length).toBe(3);
  });
});

describe('what tasks are blocked on over time', () => {
  it('counts those that are blocked, by what they wait for, over all hosts', () => {
    const series = new BlockedSeries();
    series.add(sampleAt(0, [seen(1, 'D', 'jbd2_log_wait_commit'), seen(2, 'S', 'ep_poll')]));
    series.add(sampleAt(1, [seen(3, 'D', 'jbd2_log_wait_commit'), seen(4, 'D', 'rpc_wait_bit_killable')], 'other'));
    series.add(sampleAt(2, [seen(2, 'S', 'ep_poll')]));
    const counts = series.moments.map((moment) => [...moment.counts.values()]);
    expect(counts).toEqual([[1], [2, 1], [1, 1]]);
    expect(largestWaits(series.moments)[0]).toContain('journal');
  });

  it('counts a task that several recordings of a host show once, and what one that is over showed last not at all', () => {
    const series = new BlockedSeries();
    const [one, two] = [seen(1, 'D', 'jbd2_log_wait_commit'), seen(2, 'D', 'jbd2_log_wait_commit')];
    for (const at of [0, 1, 2]) {
      series.add(sampleAt(at, [one]));
      series.add({ ...sampleAt(at, [one, two]), stream: 1 });
    }
    series.add(sampleAt(3, [one]));
    series.add(sampleAt(60, [one]));
    const sums = series.moments.map(({ counts }) => [...counts.values()].reduce((sum, count) => sum + count, 0));
    expect(sums).toEqual([1, 2, 2, 2, 2, 2, 2, 1]);
  });
});

import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import { taskKey } from '../model/task.ts';
import { History } from './history.ts';
import { TaskTrack } from './task-track.ts';

it('a task is not gone because another recording of its host does not show it', () => {
  const history = new History(1 << 20);
  const at = (seconds: number, tids: readonly number[], stream = 0) => ({
    ...EMPTY_SAMPLE,
    timeMs: 1000 * seconds,
    ...(stream > 0 && { stream }),
    observations: tids.map((tid) => observationOf(tid, { state: 'D' })),
  });
  for (const seconds of [0, 10, 20]) {
    history.add(at(seconds, [7]));
    history.add(at(seconds + 1, [8], 1));
  }
  history.add(at(30, []));
  const stays = (tid: number) =>
    new TaskTrack(taskKey(observationOf(tid, {}).task.id), history)
      .upTo(history.next - 1)
      .map(({ observation, fromMs, toMs }) => [observation?.task.id.tid, fromMs, toMs]);
  expect(stays(7)).toEqual([
    [undefined, 30_000, 30_000],
    [7, 0, 20_000],
  ]);
  expect(stays(8)[0]).toEqual([8, 1000, 21_000]);
});

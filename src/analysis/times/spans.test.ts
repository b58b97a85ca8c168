import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../../test/samples.ts';
import { parseFrames } from '../../model/stack.ts';
import { spansOf } from './spans.ts';

const JOURNAL = { value: { id: 0, frames: parseFrames('[<0>] jbd2_log_wait_commit+0x1/0x2') } };

it('a span does not end because another recording of its host does not show the task', async () => {
  const at = (seconds: number, tids: readonly number[]) => ({
    ...EMPTY_SAMPLE,
    host: 'db1',
    timeMs: 1000 * seconds,
    observations: tids.map((tid) => observationOf(tid, { state: 'D', stack: JOURNAL })),
  });
  // That of another host has a number of its own, too.
  const samples = [0, 10, 20].flatMap((seconds) => [
    at(seconds, [1]),
    { ...at(seconds + 1, [2]), stream: 1 },
    { ...at(seconds + 2, [3]), host: 'db2', stream: 2 },
  ]);
  const spans: unknown[] = [];
  for await (const { host, ended } of spansOf(samples))
    for (const { span, toMs } of ended) spans.push([host, span.task.id.tid, span.fromMs, toMs]);
  expect(spans).toEqual([
    ['db1', 1, 0, 30_000],
    ['db1 (recording 2)', 2, 1000, 31_000],
    ['db2', 3, 2000, 32_000],
  ]);
});

import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import { parseFrame } from '../model/stack.ts';
import { FindingWriter } from './finding-writer.ts';

it('tells what a thaw is where a task is frozen in its sleep, and each stack once', () => {
  const stack = { value: { id: 1, frames: [parseFrame('hrtimer_nanosleep')] } };
  const frozen = observationOf(1, { state: 'D', stack, waitsBy: 'frozen' });
  const writer = new FindingWriter();
  const lines = writer.linesFor({ ...EMPTY_SAMPLE, observations: [frozen, { ...frozen, cpu: 1 }] });
  const told = lines.map((line) => ('stack' in line ? [line.stack, ...line.means] : line.is.rule));
  expect(told).toEqual(['stop-freezer', ['__refrigerator', 'D', 0], undefined, ['hrtimer_nanosleep', 'D', 1]]);
});

it('tells what a stack means with the work that the log names, beside what it means alone', () => {
  const stack = { value: { id: 2, frames: ['__mutex_lock', 'process_one_work'].map(parseFrame) } };
  const worker = observationOf(1, { state: 'D', stack, facts: { work: 'reg_check_chans_work' } });
  const lines = new FindingWriter().linesFor({ ...EMPTY_SAMPLE, observations: [worker] });
  expect(lines.flatMap((line) => ('stack' in line ? [line.stack.split('\n').length] : []))).toEqual([2, 3]);
  expect(lines.map((line) => ('is' in line ? line.is.rule : ''))).toContain('rtnl-regulatory');
});

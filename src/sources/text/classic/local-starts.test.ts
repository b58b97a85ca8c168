import { expect, it } from 'vitest';
import type { Sample } from '../../../model/sample.ts';
import { textSamples } from '../index.ts';

interface Line {
  readonly tid: number;
  readonly start: string;
}

const DAY = '2026/11/25';

/** A sample of the classic text at a time of that day. */
function sampleAt(time: string, lines: readonly Line[], host = 'db1'): string {
  const tasks = lines.map(
    ({ tid, start }) => `PID: ${String(tid).padStart(5)}   State:  D   Start Time: ${DAY} ${start}   Cmd: tar\n`,
  );
  return `zzz <Wed Nov 25 ${time} IST 2026 - ${host}\n\n${tasks.join('')}Stack:\n[<0>] f+0x1/0x2\n\n`;
}

async function startsIn(...texts: readonly string[]): Promise<(string | undefined)[][]> {
  const found: Sample[] = [];
  for await (const sample of textSamples(texts)) found.push(sample);
  return found.map(({ observations }) => observations.map(({ task }) => task.id.startLocal?.replace(`${DAY} `, '')));
}

/** Not quite the classic text: it is read line by line. */
const torn = (text: string) => text.slice(0, -1);

const OLD = { tid: 2, start: '01:00:00' };
const YOUNG = { tid: 7, start: '03:00:00' };

it('a number that is used again is of another task', async () => {
  const again = { tid: 7, start: '03:10:30' };
  expect(await startsIn(sampleAt('03:10:00', [OLD, YOUNG]), sampleAt('03:11:00', [OLD, again]))).toEqual([
    ['01:00:00', '03:00:00'],
    ['01:00:00', '03:10:30'],
  ]);
});

it.each([
  ['back', '00:00:00', '02:00:00', '02:11:00'],
  ['forward', '02:00:00', '04:00:00', '04:11:00'],
  ['by less than a second', '01:00:01', '03:00:01', '03:11:00'],
])('a clock that is set %s makes no other tasks of those that are there', async (_, old, young, time) => {
  const moved = [
    { tid: 2, start: old },
    { tid: 7, start: young },
  ];
  const [before, after] = [sampleAt('03:10:00', [OLD, YOUNG]), sampleAt(time, moved)];
  const same = ['01:00:00', '03:00:00'];
  expect(await startsIn(before, after)).toEqual([same, same]);
  expect(await startsIn(before, torn(after), after)).toEqual([same, same, same]);
});

it('a number that is used again after the clock was set back is of another task', async () => {
  const samples = [
    sampleAt('03:10:00', [OLD, YOUNG]),
    sampleAt('02:11:00', [{ tid: 2, start: '00:00:00' }]),
    sampleAt('02:12:00', [{ tid: 7, start: '02:11:30' }]),
  ];
  expect(await startsIn(...samples)).toEqual([['01:00:00', '03:00:00'], ['01:00:00'], ['02:11:30']]);
});

it('each host has a clock of its own', async () => {
  const samples = [
    sampleAt('03:10:00', [OLD, YOUNG], 'db1'),
    sampleAt('03:10:00', [{ tid: 2, start: '00:30:00' }], 'db2'),
    sampleAt('03:11:00', [OLD, YOUNG], 'db1'),
  ];
  expect(await startsIn(...samples)).toEqual([['01:00:00', '03:00:00'], ['00:30:00'], ['01:00:00', '03:00:00']]);
});

/**
 * Takes samples in turn with runs of the C floor and prints both medians, in nanoseconds, as JSON: { floor, wall, cpu, processes }.
 * Arguments: the floor's path, `-a` or `-D`, rounds.
 */
import { execFileSync } from 'node:child_process';
import { groupByStack } from '../src/analysis/group.ts';
import type { Selection } from '../src/model/selection.ts';
import { systemClock } from '../src/native/clock.ts';
import { formatText } from '../src/sinks/text.ts';
import { procfs } from '../src/sources/procfs/index.ts';

const CASES: Record<string, { selection: Selection; files: string[] }> = {
  '-a': { selection: { all: true }, files: ['stat', 'cmdline', 'stack'] },
  '-D': { selection: { states: ['D'] }, files: ['stat'] },
};

const [floorPath = '', option = '', rounds = ''] = process.argv.slice(2);
const measured = CASES[option];
if (measured === undefined) throw new Error(`usage: in-process FLOOR -a|-D ROUNDS`);

const clock = systemClock();
const samples = procfs(measured.selection, { clock, root: '/proc' });
const floor: number[] = [];
const wall: number[] = [];
const cpu: number[] = [];
let processes = 0;
for (let round = 0; round < Number(rounds); round++) {
  const [nanoseconds = '', count = ''] = execFileSync(floorPath, ['1', ...measured.files])
    .toString()
    .trim()
    .split(' ');
  floor.push(Number(nanoseconds));
  processes = Number(count);
  const cpuBefore = process.cpuUsage();
  const before = process.hrtime.bigint();
  const { value: sample } = await samples.next();
  Array.from(formatText(sample, groupByStack(sample), { zoneAt: clock.zoneAt }));
  wall.push(Number(process.hrtime.bigint() - before));
  const used = process.cpuUsage(cpuBefore);
  cpu.push((used.user + used.system) * 1000);
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
console.log(JSON.stringify({ floor: median(floor), wall: median(wall), cpu: median(cpu), processes }));

/**
 * Takes samples in turn with runs of the C floor and prints medians, in nanoseconds, as JSON: { floor, wall, cpu, explain, processes, threads, stacks }.
 * `explain` is what it took to explain the stacks, within `wall`. Arguments: the floor's path, `-a`, `-D` or `-L` (with -f json), rounds.
 */
import { execFileSync } from 'node:child_process';
import { countKinds, explainGroups, kindOf } from '../src/analysis/explain-sample.ts';
import { groupByStack } from '../src/analysis/group.ts';
import { everythingUnread, type Field, type Sample } from '../src/model/sample.ts';
import type { Selection } from '../src/model/selection.ts';
import { systemClock } from '../src/native/clock.ts';
import { formatJson } from '../src/sinks/json.ts';
import { formatText } from '../src/sinks/text.ts';
import { procfs } from '../src/sources/procfs/index.ts';

interface Case {
  readonly selection: Selection;
  readonly fields?: readonly Field[];
  /** What the floor reads. */
  readonly files: readonly string[];
  write(sample: Sample): Iterable<string>;
}

const text = (sample: Sample) => formatText(sample, groupByStack(sample), { zoneAt: clock.zoneAt });
let explainNs = 0;
const json = (sample: Sample) => {
  const before = process.hrtime.bigint();
  const groups = explainGroups(sample);
  const counts = countKinds(sample);
  explainNs = Number(process.hrtime.bigint() - before);
  return formatJson(sample, groups, { threads: true, unread: everythingUnread(sample), counts, kindOf, userName: String });
};

const CASES: Record<string, Case> = {
  '-a': { selection: { all: true }, files: ['stat', 'cmdline', 'stack'], write: text },
  '-D': { selection: { states: ['D'] }, files: ['stat'], write: text },
  '-L': {
    selection: { all: true, threads: true },
    fields: ['uid', 'cgroup'],
    files: ['task/stat', 'task/stack', 'task/status', 'task/cgroup', 'cmdline'],
    write: json,
  },
};

const [floorPath = '', option = '', rounds = ''] = process.argv.slice(2);
const measured = CASES[option];
if (measured === undefined) throw new Error(`usage: in-process FLOOR -a|-D|-L ROUNDS`);

const clock = systemClock();
const samples = procfs(measured.selection, { clock, root: '/proc', fields: measured.fields ?? [] });
const floor: number[] = [];
const wall: number[] = [];
const cpu: number[] = [];
const explain: number[] = [];
let processes = 0;
let threads = 0;
let stacks = 0;
for (let round = 0; round < Number(rounds); round++) {
  const [nanoseconds = '', processCount = '', threadCount = ''] = execFileSync(floorPath, ['1', ...measured.files])
    .toString()
    .trim()
    .split(' ');
  floor.push(Number(nanoseconds));
  processes = Number(processCount);
  threads = Number(threadCount);
  const cpuBefore = process.cpuUsage();
  const before = process.hrtime.bigint();
  const { value: sample } = await samples.next();
  Array.from(measured.write(sample));
  wall.push(Number(process.hrtime.bigint() - before));
  const used = process.cpuUsage(cpuBefore);
  cpu.push((used.user + used.system) * 1000);
  explain.push(explainNs);
  stacks = groupByStack(sample).length;
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
console.log(
  JSON.stringify({ floor: median(floor), wall: median(wall), cpu: median(cpu), explain: median(explain), processes, threads, stacks }),
);

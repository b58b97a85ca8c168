/**
 * Alternates samples with runs of the C floor and prints medians as JSON, in nanoseconds and bytes. `explain` is the
 * part of `wall` spent on explaining stacks. Arguments: the floor's path, a case and the number of rounds. Cases: `-a`,
 * `-D`, `-L` (with -f json), `bpf` (all threads, nothing written), `steady` (all threads, ten times a second).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { countKinds, explainGroups } from '../src/analysis/explain/explain-sample.ts';
import { groupByStack } from '../src/analysis/group.ts';
import type { Field } from '../src/model/fields.ts';
import type { Sample } from '../src/model/sample.ts';
import type { Selection } from '../src/model/selection.ts';
import { systemClock } from '../src/native/clock.ts';
import { formatJson } from '../src/sinks/json.ts';
import { formatText } from '../src/sinks/text.ts';
import { openSampler } from '../src/sources/live/sampler.ts';
import type { SourceName } from '../src/sources/live/source-name.ts';

interface Case {
  readonly selection: Selection;
  readonly fields?: readonly Field[];
  readonly source?: SourceName;
  readonly everyMs?: number;
  /** The files that the floor reads. */
  readonly files: readonly string[];
  write(sample: Sample): Iterable<string>;
}

const text = (sample: Sample) => formatText(sample, { zoneAt: clock.zoneAt });
let explainNs = 0;
const json = (sample: Sample) => {
  const before = process.hrtime.bigint();
  explainGroups(sample);
  countKinds(sample);
  explainNs = Number(process.hrtime.bigint() - before);
  return formatJson(sample);
};

const CASES: Record<string, Case> = {
  '-a': { selection: { all: true }, files: ['stat', 'cmdline', 'stack'], write: text },
  '-D': { selection: { states: ['D'] }, files: ['stat'], write: text },
  '-L': {
    selection: { all: true, threads: true },
    fields: ['uid', 'cgroup', 'systemCall'],
    files: ['task/stat', 'task/stack', 'task/status', 'task/syscall', 'task/cgroup', 'cmdline'],
    write: json,
  },
  bpf: { selection: { all: true, threads: true }, source: 'bpf', files: ['task/stat', 'task/stack'], write: () => [] },
  steady: {
    selection: { all: true, threads: true },
    source: 'bpf',
    files: ['task/stat', 'task/stack', 'cmdline'],
    everyMs: 100,
    write: text,
  },
};

const [floorPath = '', option = '', rounds = ''] = process.argv.slice(2);
const measured = CASES[option];
if (measured === undefined) throw new Error(`usage: in-process FLOOR -a|-D|-L|bpf|steady ROUNDS`);

const clock = systemClock();
const { selection, fields = [], source = 'procfs', files, everyMs = 0 } = measured;
const sampler = await openSampler({ clock, root: '/proc' }, { selection, fields, source, facts: false, steady: true });
const resident = () => process.memoryUsage.rss();
const floor: number[] = [];
const wall: number[] = [];
const cpu: number[] = [];
const explain: number[] = [];
let processes = 0;
let threads = 0;
let stacks = 0;
function measureFloor(): void {
  const words = execFileSync(floorPath, ['1', ...files])
    .toString()
    .trim()
    .split(' ')
    .map(Number);
  [, processes = 0, threads = 0] = words;
  floor.push(words[0] ?? Number.NaN);
}

/** CPU nanoseconds of a process and its children. schedstat is exact, unlike stat (proc(5)). */
function cpuNs(pid: number): number {
  const own = Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]);
  return own + childrenNs(pid);
}

function childrenNs(pid = process.pid): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuNs(Number(child)), 0);
}

/** Resident bytes after each round. Garbage collection makes them a sawtooth, so single values mean nothing. */
const memory: number[] = [];
const start = clock.monotonicMs();
const never = new AbortController().signal;
for (let round = 0; round < Number(rounds); round++) {
  if (everyMs > 0) await clock.sleep(Math.max(0, start + round * everyMs - clock.monotonicMs()), never);
  // In a steady run the floor runs only now and then: it takes longer than the interval.
  if (everyMs === 0 || round % 100 === 0) measureFloor();
  const cpuBefore = process.cpuUsage();
  const readerBefore = childrenNs();
  const before = process.hrtime.bigint();
  const sample = await sampler.next();
  Array.from(measured.write(sample));
  wall.push(Number(process.hrtime.bigint() - before));
  const used = process.cpuUsage(cpuBefore);
  cpu.push((used.user + used.system) * 1000 + childrenNs() - readerBefore);
  explain.push(explainNs);
  stacks = groupByStack(sample).length;
  memory.push(resident());
}

const tenth = Math.max(1, Math.floor(memory.length / 10));
const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
console.log(
  JSON.stringify({
    floor: median(floor),
    wall: median(wall),
    cpu: median(cpu),
    explain: median(explain),
    processes,
    threads,
    stacks,
    early: median(memory.slice(tenth, 2 * tenth)),
    late: median(memory.slice(-tenth)),
  }),
);

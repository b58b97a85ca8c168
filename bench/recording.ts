/**
 * What recording costs beside sampling. Samples all tasks so many times at an interval, and prints as JSON the CPU
 * nanoseconds of taking and of recording a sample, and the bytes of the recording and of the classic log, both
 * compressed, of an hour at 10 seconds that goes on like that. Arguments: `threads` or `processes`, the number of samples and the interval in milliseconds.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, createGzip } from 'node:zlib';
import { systemClock } from '../src/native/clock.ts';
import { RecordingWriter } from '../src/recording/write.ts';
import { formatText } from '../src/sinks/text.ts';
import { openSampler } from '../src/sources/live/sampler.ts';

const [tasksOf = '', count = '', interval = ''] = process.argv.slice(2);
const clock = systemClock();
const sampler = await openSampler(
  { clock, root: '/proc' },
  {
    selection: { all: true, threads: tasksOf === 'threads' },
    source: 'auto',
    fields: ['uid', 'cgroup', 'systemCall'],
    facts: true,
    steady: true,
    ownsProcess: true,
  },
);
const writer = new RecordingWriter();
const folder = mkdtempSync(join(tmpdir(), 'kstack-bench-'));
const file = openSync(join(folder, 'recording'), 'w');
const log = createGzip();
let logBytes = 0;
log.on('data', (piece: Buffer) => {
  logBytes += piece.length;
});

/** CPU nanoseconds of this process and its readers. schedstat is exact, unlike stat (proc(5)). */
function cpuNs(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'latin1').split(' ');
  const { user, system } = process.cpuUsage();
  return children
    .filter(Boolean)
    .reduce(
      (sum, child) => sum + Number(readFileSync(`/proc/${child}/schedstat`, 'latin1').split(' ')[0]),
      (user + system) * 1000,
    );
}

const [taking, recording]: number[][] = [[], []];
const start = clock.monotonicMs();
const never = new AbortController().signal;
let bytes = 0;
let firstBytes = 0;
let tasks = 0;
for (let round = 0; round < Number(count); round++) {
  await clock.sleep(Math.max(0, start + round * Number(interval) - clock.monotonicMs()), never);
  const before = cpuNs();
  const sample = await sampler.next();
  const between = cpuNs();
  const piece = (await writer.add(sample)).at(bytes);
  writeSync(file, piece);
  const after = cpuNs();
  bytes += piece.length;
  if (round === 0) firstBytes = bytes;
  tasks = sample.observations.length;
  // Without what each source and each encoder does once.
  if (round >= 5) {
    taking?.push(between - before);
    recording?.push(after - between);
  }
  log.write([...formatText(sample, { zoneAt: clock.zoneAt })].join(''));
  await new Promise<void>((resolve) => log.flush(constants.Z_NO_FLUSH, resolve));
}
bytes += (await writer.end())?.length ?? 0;
await new Promise<void>((resolve) => log.on('end', resolve).end());
sampler.close();
closeSync(file);
rmSync(folder, { recursive: true });
const mean = (numbers: readonly number[] = []) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
/** A segment of tasks that sleep has so many samples, which is an hour. */
const HOUR = 360;
const hourBytes = firstBytes + ((bytes - firstBytes) / (Number(count) - 1)) * (HOUR - 1);
const hourLogBytes = (logBytes / Number(count)) * HOUR;
console.log(
  JSON.stringify({ tasks, taking: mean(taking), recording: mean(recording), firstBytes, hourBytes, hourLogBytes }),
);

/**
 * Writes a recording and the classic log of the same day: processes of which most sleep, a few run between two samples,
 * and some wait for a disk now and then. Arguments: the recording's file, the log's file or nothing, the number of
 * samples, of processes, and of those that run in between.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Observation, Sample } from '../src/model/sample.ts';
import { parseFrame, type Stack } from '../src/model/stack.ts';
import type { Task } from '../src/model/task.ts';
import { RecordingWriter } from '../src/recording/write.ts';
import { formatText } from '../src/sinks/text.ts';

const [recordingName = '', logName = '', ...numbers] = process.argv.slice(2);
const [count = 8640, processes = 4000, changes = 10] = numbers.map(Number);
const INTERVAL_MS = 10_000;
const STACKS = 60;
const BOOT_SECONDS = Date.UTC(2026, 8, 1) / 1000;
const START_MS = Date.UTC(2026, 8, 30);

const UTC = { abbreviation: 'UTC', offsetSeconds: 0 };
const ENTRY = 'do_syscall_64+0x5d/0x90 entry_SYSCALL_64_after_hwframe+0x6e/0xd8';
const IDLE = 'schedule+0x24/0x90 ep_poll+0x2a4/0x340 do_epoll_wait+0xb0/0xd0 __x64_sys_epoll_wait+0x60/0x100';
const BLOCKED = 'io_schedule+0x46/0x70 folio_wait_bit_common+0x13d/0x350 filemap_read+0x36b/0x380 vfs_read+0x201/0x350';

let seed = 42;
function random(below: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function stackOf(id: number, symbols: string): Stack {
  return { id, frames: `${symbols} ${ENTRY}`.split(' ').map((symbol) => parseFrame(`[<0>] ${symbol}`)) };
}

const blockedStack = stackOf(STACKS, BLOCKED);
const idleStacks = Array.from({ length: STACKS }, (_, at) => stackOf(at, `service_${at}_wait+0x10/0x20 ${IDLE}`));

function taskAt(at: number): Task {
  const pid = 3 * at + 1;
  return {
    id: { bootId: '5d2dcfd4-6a0f-4f4e-8a5e-0b1c9a3f7f10', tid: pid, startTicks: 1000 + 37 * at },
    pid,
    ppid: 1,
    comm: `daemon-${at}`,
    commandLine: { value: `/usr/sbin/daemon-${at}\0--config\0/etc/daemon/${at % 30}.conf\0` },
    uid: { value: at % 20 },
    cgroup: { value: `/system.slice/daemon-${at % 300}.service` },
  };
}

interface Process {
  readonly task: Task;
  readonly idle: Stack;
  isBlocked: boolean;
  sinceMs: number;
  switches: number;
  cpu: number;
}

const all: Process[] = Array.from({ length: processes }, (_, at) => ({
  task: taskAt(at),
  idle: idleStacks[random(1 + random(STACKS))] ?? blockedStack,
  isBlocked: false,
  sinceMs: -random(1_000_000),
  switches: random(100_000),
  cpu: random(16),
}));

const blocked: Process[] = [];
function anyProcess(): Process {
  const one = all[random(processes)];
  if (one === undefined) throw new Error('there are no processes');
  return one;
}

/** One more sample, in which some processes have run since the one before. */
function next(round: number): Sample {
  const [timeMs, monotonicMs] = [START_MS + INTERVAL_MS * round, 2_000_000_000 + INTERVAL_MS * round];
  for (let change = 0; change < changes; change++) {
    // Most that wait for the disk do so for one sample or two.
    const one = random(3) === 0 ? (blocked.shift() ?? anyProcess()) : anyProcess();
    one.sinceMs = monotonicMs - random(INTERVAL_MS);
    one.switches += 1 + random(50);
    one.cpu = random(16);
    one.isBlocked = random(5) === 0;
    if (one.isBlocked) blocked.push(one);
  }
  const observations = all.map(({ task, idle, isBlocked, sinceMs, switches, cpu }): Observation => {
    const [state, value] = isBlocked ? (['D', blockedStack] as const) : (['S', idle] as const);
    return { task, state, stack: { value }, cpu, facts: { switches, offCpuMs: monotonicMs - sinceMs } };
  });
  return {
    timeMs,
    uptimeSeconds: monotonicMs / 1000,
    monotonicMs,
    host: 'db1',
    bootId: { value: '5d2dcfd4-6a0f-4f4e-8a5e-0b1c9a3f7f10' },
    kernel: '6.12.0',
    architecture: 'x64',
    intervalMs: INTERVAL_MS,
    bootTimeSeconds: BOOT_SECONDS,
    ticksPerSecond: 100,
    source: { name: 'bpf' },
    threads: false,
    fields: ['uid', 'cgroup'],
    observations,
    holders: [],
    leftOut: {},
    unread: [],
  };
}

const writer = new RecordingWriter();
const recording = openSync(recordingName, 'w');
const log = logName === '' ? undefined : openSync(logName, 'w');
let bytes = 0;
function append(piece: Buffer | undefined): void {
  if (piece !== undefined) bytes += writeSync(recording, piece);
}
for (let round = 0; round < count; round++) {
  const sample = next(round);
  append((await writer.add(sample)).at(bytes));
  if (log !== undefined) writeSync(log, [...formatText(sample, { zoneAt: () => UTC })].join(''));
}
append((await writer.end())?.at(bytes));
closeSync(recording);
if (log !== undefined) closeSync(log);

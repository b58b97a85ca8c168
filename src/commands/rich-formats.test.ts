import { describe, expect, it } from 'vitest';
import { explainGroups } from '../analysis/explain-sample.ts';
import { FORMATS } from '../cli/output-options.ts';
import type { KernelFacts, Observation, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { lookUpCalls } from '../sources/live/system-calls/resolve.ts';
import { format, type View } from './formats.ts';

const STACK = {
  id: 0,
  frames: parseFrames('[<0>] futex_wait_queue+0x60/0x90\n[<0>] futex_wait+0x180/0x260\n[<0>] do_futex+0x105/0x1a0'),
};
const FIRST = 1000;
const READ = process.arch === 'arm64' ? 63 : 0;
/** Where no 32-bit task has anything. */
const HIGH = 1n << 40n;

/** So many threads in one stack: more than a call takes arguments. */
function sampleOf(
  count: number,
  factsOf: (tid: number) => KernelFacts,
  comm: (tid: number) => string = () => 'java',
): Sample {
  const place = { host: 'host', bootId: { value: '' }, kernel: '6.18', bootTimeSeconds: 0, ticksPerSecond: 100 };
  const observations = Array.from({ length: count }, (_, at): Observation => {
    const tid = FIRST + at;
    const known = {
      pid: FIRST,
      tid,
      ppid: 1,
      startTicks: at,
      comm: comm(tid),
      commandLine: { value: 'java -jar x' },
      kernelThread: false,
    };
    const systemCall = {
      value: { number: READ, arguments: [3n, 0n, 8n, 0n, 0n, 0n], stackPointer: HIGH, programCounter: HIGH },
    };
    return {
      task: { ...known, uid: { value: 0 } },
      state: 'D',
      stack: { value: STACK },
      cpu: at % 8,
      facts: factsOf(tid),
      systemCall,
    };
  });
  return { timeMs: 0, ...place, observations, unread: [] };
}

function viewOf(sample: Sample, full = false): View {
  return {
    sample,
    seen: sample,
    threads: true,
    full,
    colour: false,
    zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
    userName: String,
    lookUpCalls: async () => () => ({ calls: [], tasks: 0 }),
  };
}

/** The waits that a JSON document has. */
async function waitsIn(sample: Sample): Promise<{ root?: number; deadlock?: true; waits: unknown[] }[]> {
  const pieces = Array.from(await format('json', viewOf(sample)), String);
  const from = pieces.findIndex((piece) => piece.endsWith('"waits":[\n'));
  const to = pieces.findIndex((piece) => piece.startsWith('],\n"unread":['));
  return JSON.parse(`[${pieces.slice(from + 1, to).join('')}]`);
}

const waitsFor = (owner: number): KernelFacts => ({ offCpuMs: 1000, lock: { kind: 'mutex', address: '1', owner } });

describe('135,000 threads in one stack', () => {
  const count = 135_000;

  it.each(FORMATS)('are written as %s', async (name) => {
    let bytes = 0;
    let first = '';
    for (const piece of await format(name, viewOf(sampleOf(count, (tid) => ({ offCpuMs: tid }))))) {
      bytes += piece.length;
      if (first.length < 1000) first += String(piece);
    }
    expect(bytes).toBeGreaterThan(30);
    if (name === 'long') expect(first).toContain(`${count} tasks (100.0 %)  idle for 1.0 s to 2 min 16 s`);
    if (name === 'folded') expect(first).toMatch(/;futex_wait_queue 135000\n$/);
  });

  it.each([
    ['all for one mutex', (tid: number) => (tid === FIRST ? {} : waitsFor(FIRST))],
    ['each for the next', (tid: number) => (tid === FIRST ? {} : waitsFor(tid - 1))],
  ])('that wait, %s, are counted behind their root, and each is named in json', async (_, factsOf) => {
    const sample = sampleOf(count, factsOf);
    const [long] = Array.from(await format('long', viewOf(sample)), String).filter((piece) =>
      piece.includes('holds up'),
    );
    expect(long).toMatch(/^1000 java holds up 134999 tasks, and itself waits for /);
    const [wait, ...others] = await waitsIn(sample);
    expect([wait?.root, wait?.waits.length, others]).toEqual([FIRST, count - 1, []]);
  });

  it('that wait for each other in a circle are one deadlock', async () => {
    const sample = sampleOf(count, (tid) => waitsFor(tid === FIRST ? FIRST + count - 1 : tid - 1));
    const [wait, ...others] = await waitsIn(sample);
    expect([wait?.deadlock, wait?.waits.length, others]).toEqual([true, count, []]);
  });

  it('have each number in --full', async () => {
    const text = Array.from(
      await format(
        'long',
        viewOf(
          sampleOf(count, () => ({})),
          true,
        ),
      ),
      String,
    ).join('');
    expect(text).toContain(` ${FIRST}/${FIRST + count - 1}  0  D  cpu 0-7\n`);
  });
});

it('looks at a few tasks at a time, also at all of a large group', async () => {
  let under = 0;
  let most = 0;
  const look = async <T>(value: T): Promise<T> => {
    most = Math.max(most, ++under);
    await Promise.resolve();
    under--;
    return value;
  };
  const details = { descriptor: () => look('/a'), memory: () => look(undefined), isStillIn: () => look(true) };
  const [group] = explainGroups(sampleOf(20_000, () => ({})));
  if (group === undefined) throw new Error('no group');
  const callsOf = await lookUpCalls([group], details, true);
  expect(callsOf(group)).toMatchObject({ calls: [{ text: 'read(3</a>, NULL, 8)', count: 20_000 }], tasks: 20_000 });
  expect(most).toBeLessThan(50);
});

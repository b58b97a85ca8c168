import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { format, formatFirefox } from './firefox.ts';

const CONTEXT = {
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  colour: false,
  full: false,
  annotate: false,
};

async function written(samples: Iterable<Sample> | AsyncIterable<Sample>): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of format.write(samples, CONTEXT)) pieces.push(String(piece));
  return pieces.join('');
}

const profileOf = async (...samples: Sample[]) => JSON.parse(await written(samples));
const stackOf = (...symbols: string[]) => ({
  value: { id: 0, frames: parseFrames(symbols.map((symbol) => `[<0>] ${symbol}+0x1/0x2`).join('\n')) },
});
const JOURNAL = stackOf('jbd2_log_wait_commit', 'ext4_sync_file', 'do_syscall_64');
const EPOLL = stackOf('ep_poll', 'do_epoll_wait', 'do_syscall_64');

const at = (seconds: number, observations: readonly Observation[], more: Partial<Sample> = {}): Sample => ({
  ...EMPTY_SAMPLE,
  timeMs: 1_000_000 + 1000 * seconds,
  observations,
  ...more,
});

/** The schema has its types. */
type Profile = ReturnType<typeof JSON.parse>;

/** What of a profile refers to nothing, or is not as long as it says: a schema cannot tell. */
function brokenIn({ meta, shared, threads, counters }: Profile): string[] {
  const broken: string[] = [];
  const check = (name: string, isRight: boolean) => {
    if (!isRight) broken.push(name);
  };
  const { stackTable, frameTable, funcTable, resourceTable, stringArray } = shared;
  const isIn = (indices: number[], length: number) => indices.every((index) => index >= 0 && index < length);
  for (const [name, table] of Object.entries<Profile>(shared))
    for (const [column, list] of Object.entries<Profile>(table))
      if (Array.isArray(list)) check(`${name}.${column}`, list.length === table.length);
  check('stack frames', isIn(stackTable.frame, frameTable.length));
  check(
    'stack prefixes',
    stackTable.prefixOffset.every((offset: number, stack: number) => offset <= stack),
  );
  check('frame functions', isIn(frameTable.func, funcTable.length));
  check('frame categories', isIn(frameTable.category, meta.categories.length));
  check('function names', isIn(funcTable.name, stringArray.length));
  check('function resources', isIn(funcTable.resource, resourceTable.length));
  check('resource names', isIn(resourceTable.name, stringArray.length));
  check('texts', new Set(stringArray).size === stringArray.length);
  check('visible', isIn(meta.initialVisibleThreads, threads.length));
  check('TIDs', new Set(threads.map(({ tid }: Profile) => tid)).size === threads.length);
  const mains = threads.filter(({ isMainThread }: Profile) => isMainThread).map(({ pid }: Profile) => pid);
  check('main threads', new Set(mains).size === mains.length);
  for (const { samples, markers, name } of threads) {
    for (const table of [samples, markers])
      for (const [column, list] of Object.entries<Profile>(table))
        if (Array.isArray(list)) check(`${name} ${column}`, list.length === table.length);
    check(`${name} stacks`, isIn(samples.stack, stackTable.length));
    check(
      `${name} times`,
      samples.time.every((time: number, sample: number) => time >= (samples.time[sample - 1] ?? 0)),
    );
    check(`${name} marker names`, isIn(markers.name, stringArray.length));
  }
  for (const { samples, mainThreadIndex, pid } of counters) {
    check('counters', samples.time.length === samples.length && samples.count.length === samples.length);
    check('counter threads', threads[mainThreadIndex]?.pid === pid && threads[mainThreadIndex].isMainThread);
  }
  return broken;
}

const isProfile = new Ajv2020({ allErrors: true, strict: false }).compile(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../test/firefox-profile.schema.json'), 'utf8')),
);

describe('a profile', () => {
  it('is as the published types say, whatever is in the samples', async () => {
    const profile = await profileOf(...ODD_SAMPLES);
    expect(isProfile(profile) ? [] : isProfile.errors).toEqual([]);
    expect(brokenIn(profile)).toEqual([]);
    expect(isProfile({ ...profile, meta: { ...profile.meta, stackwalk: true } })).toBe(false);
  });

  it('of no samples is one, too', async () => {
    const profile = await profileOf();
    expect(isProfile(profile) ? [] : isProfile.errors).toEqual([]);
  });

  it('has a thread for each task, with a stack for each sample, outermost function first', async () => {
    const { shared, threads, meta } = await profileOf(
      at(0, [observationOf(7, { stack: JOURNAL }), observationOf(8, { state: 'S', stack: EPOLL })]),
      at(1, [observationOf(7, { stack: EPOLL, state: 'S' })]),
    );
    const { stackTable, frameTable, funcTable, stringArray } = shared;
    const functionsOf = (stack: number): string[] => {
      const offset = stackTable.prefixOffset[stack];
      const own = stringArray[funcTable.name[frameTable.func[stackTable.frame[stack]]]];
      return offset === 0 ? [own] : [...functionsOf(stack - offset), own];
    };
    const categoryOf = (stack: number) => meta.categories[frameTable.category[stackTable.frame[stack]]].name;
    const seen = threads.slice(1).map(({ tid, pid, samples }: Profile) => ({
      tid,
      pid,
      times: samples.time,
      stacks: samples.stack.map(functionsOf),
      categories: samples.stack.map(categoryOf),
    }));
    const [journal, epoll] = [JOURNAL, EPOLL].map(({ value }) => value.frames.map(({ symbol }) => symbol).toReversed());
    expect(seen).toEqual([
      { tid: 7, pid: '7', times: [0, 1000], stacks: [journal, epoll], categories: ['blocked', 'idle'] },
      { tid: 8, pid: '8', times: [0], stacks: [epoll], categories: ['idle'] },
    ]);
  });

  it('has a marker for each wait, and for each event', async () => {
    const { threads, shared, counters } = await profileOf(
      at(0, [observationOf(7, { stack: JOURNAL, facts: { offCpuMs: 250, switches: 1 } })]),
      at(1, [observationOf(7, { stack: JOURNAL, facts: { switches: 1 } })]),
      at(2, [observationOf(7, { stack: EPOLL, state: 'S' })], {
        events: [{ kind: 'oom', text: 'Out of memory' }],
        pressure: { io: { some: 5 } },
      }),
    );
    const [events, task] = threads.map(({ markers }: Profile) => markers);
    expect([events.startTime, events.phase, events.data]).toEqual([
      [2250],
      [0],
      [{ type: 'Event', text: 'Out of memory' }],
    ]);
    expect([task.startTime, task.endTime, task.phase]).toEqual([[0], [2250], [1]]);
    expect(shared.stringArray[task.name[0]]).toContain('journal');
    expect(task.data[0]).toMatchObject({ type: 'Wait', state: 'D', seen: 2, ran: 'no' });
    expect(counters.map(({ name, samples }: Profile) => [name, samples.time, samples.count])).toEqual([
      ['blocked tasks', [249, 250, 1250, 2250], [0, 1, 0, -1]],
      ['pressure io, some (%)', [2249, 2250], [0, 5]],
    ]);
  });

  it('of several hosts tells apart processes with the same number', async () => {
    const one = at(0, [observationOf(7, { stack: JOURNAL })]);
    const profile = await profileOf(one, { ...one, host: 'other', timeMs: 1_000_001 });
    expect(brokenIn(profile)).toEqual([]);
    expect(profile.threads.map(({ pid, processName }: Profile) => [pid, processName])).toEqual([
      ['host', 'host'],
      ['host 7', 't7 @ host'],
      ['other', 'other'],
      ['other 7', 't7 @ other'],
    ]);
  });

  it('says so where there is more than it keeps in memory', async () => {
    const samples = [at(0, [observationOf(7, { stack: JOURNAL })]), at(1, [observationOf(8, { stack: JOURNAL })])];
    const all = async (most: number) => {
      for await (const _ of formatFirefox(samples, most));
    };
    await expect(all(4)).resolves.toBeUndefined();
    await expect(all(3)).rejects.toThrow(/more than 3: take a part of it with --from and --to/);
  });
});

it('writes the odd samples as before: golden/firefox.txt', async () => {
  await expect(await written(ODD_SAMPLES)).toMatchFileSnapshot('golden/firefox.txt');
});

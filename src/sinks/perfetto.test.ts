import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { eventsIn, packetsIn, type TraceEvent } from '../../test/perfetto-trace.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { format } from './perfetto.ts';
import { FIELDS } from './perfetto-fields.ts';

const CONTEXT = {
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  colour: false,
  full: false,
  annotate: false,
};

async function written(samples: readonly Sample[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of format.write(samples, CONTEXT)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const traced = async (...samples: Sample[]) => eventsIn(packetsIn(await written(samples)));

const stackOf = (symbol: string) => ({ value: { id: 0, frames: parseFrames(`[<0>] ${symbol}+0x1/0x2`) } });
const JOURNAL = stackOf('jbd2_log_wait_commit');
const EPOLL = stackOf('ep_poll');

const START = 1_000_000;
const at = (seconds: number, observations: readonly Observation[], more: Partial<Sample> = {}): Sample => ({
  ...EMPTY_SAMPLE,
  timeMs: START + 1000 * seconds,
  observations,
  ...more,
});
const seconds = ({ timeNs }: TraceEvent) => (Number(timeNs / 1_000_000n) - START) / 1000;

/** From when to when each slice is, by the track and in the order of their ends. */
function slices(events: readonly TraceEvent[]) {
  const open = new Map<string, TraceEvent>();
  const ended: { track: string; from: number; to: number; name: string | undefined; end: TraceEvent }[] = [];
  for (const event of events) {
    if (event.type === 'sliceBegin') {
      expect(open.has(event.track)).toBe(false);
      open.set(event.track, event);
    }
    if (event.type !== 'sliceEnd') continue;
    const begin = open.get(event.track);
    if (begin === undefined) throw new Error(`nothing to end on ${event.track}`);
    open.delete(event.track);
    ended.push({ track: event.track, from: seconds(begin), to: seconds(event), name: begin.name, end: event });
  }
  expect([...open.keys()]).toEqual([]);
  return ended;
}

const spans = async (...samples: Sample[]) => slices(await traced(...samples)).map(({ from, to }) => [from, to]);

describe('a slice', () => {
  const blocked = (facts: Observation['facts'] = {}) => observationOf(7, { stack: JOURNAL, facts });
  const idle = observationOf(7, { state: 'S', stack: EPOLL, facts: {} });

  it('lasts as long as samples show the same, until the one that differs', async () => {
    expect(await spans(at(0, [blocked()]), at(1, [blocked()]), at(2, [blocked()]), at(3, [idle]))).toEqual([
      [0, 3],
      [3, 4],
    ]);
  });

  it('begins when the task left the CPU, where that is known, but not before it was seen elsewhere', async () => {
    expect(await spans(at(0, [blocked({ offCpuMs: 5000 })]), at(1, [blocked()]))).toEqual([[-5, 2]]);
    expect(await spans(at(0, [idle]), at(1, [blocked({ offCpuMs: 400 })]))).toEqual([
      [0, 0.6],
      [0.6, 2],
    ]);
    expect(await spans(at(0, [idle]), at(1, [blocked({ offCpuMs: 5000 })]))).toEqual([
      [0, 0],
      [0, 2],
    ]);
  });

  it('ends with the first sample without the task, and where a gap begins', async () => {
    expect(await spans(at(0, [blocked()]), at(1, []), at(2, [blocked()]), at(3, [blocked()]))).toEqual([
      [0, 1],
      [2, 4],
    ]);
    const steady = [0, 1, 2, 3].map((second) => at(second, [blocked()]));
    expect(await spans(...steady, at(100, [blocked()]), at(101, [blocked()]))).toEqual([
      [0, 4],
      [100, 102],
    ]);
  });

  it('says whether the task is known not to have run in between', async () => {
    const said = async (...switches: (number | undefined)[]) => {
      const samples = switches.map((each, second) =>
        at(second, [blocked(each === undefined ? {} : { switches: each })]),
      );
      return slices(await traced(...samples))[0]?.end.arguments;
    };
    expect(await said(4, 4, 4)).toEqual({ seen: 3n, ranInBetween: false });
    expect(await said(4, 5, 5)).toEqual({ seen: 3n, ranInBetween: true });
    expect(await said(4, undefined)).toEqual({ seen: 2n, ranInBetween: 'not known' });
  });

  it('is not of negative length when the clock is set back', async () => {
    const back = [at(5, [blocked()]), at(1, [blocked()]), at(2, [idle])];
    for (const { from, to } of slices(await traced(...back))) expect(to).toBeGreaterThanOrEqual(from);
    const timed = back.map((sample, index) => ({ ...sample, monotonicMs: 1000 * index }));
    expect(slices(await traced(...timed)).at(-1)).toMatchObject({ from: 7 });
  });
});

describe('an arrow', () => {
  const holder = observationOf(8, { task: taskOf(8, { comm: 'cp' }), stack: JOURNAL, facts: { offCpuMs: 9000 } });
  const waiter = observationOf(7, {
    stack: stackOf('__mutex_lock'),
    facts: { offCpuMs: 500, lock: { kind: 'mutex', address: 'a', owner: 8 } },
  });

  it('goes from the slice of a task that waits to the holder, later or at the same time', async () => {
    const events = await traced(at(0, [holder, waiter]), at(1, [holder, waiter]), at(2, [holder]));
    const [from, ...others] = events.filter(({ flow }) => flow !== undefined);
    const [to, ...ends] = events.filter(({ flowEnd }) => flowEnd !== undefined);
    expect([others, ends]).toEqual([[], []]);
    expect([from?.track, from?.type, from?.arguments['holder']]).toEqual(['t7 @ host 7 t7 7', 'sliceBegin', '8']);
    expect([to?.track, to?.type, to?.name]).toEqual(['cp @ host 8 cp 8', 'instant', 'holds up t7 7']);
    expect(from?.flow).toBe(to?.flowEnd);
    if (from === undefined || to === undefined) throw new Error('no arrow');
    expect([seconds(from), seconds(to)]).toEqual([-0.5, 0]);
  });

  it('is missing where the holder was not seen', async () => {
    const events = await traced(at(0, [waiter]));
    expect(events.filter(({ flow, flowEnd }) => flow !== undefined || flowEnd !== undefined)).toEqual([]);
    expect(events[0]?.arguments['holder']).toBe('8');
  });
});

describe('a host', () => {
  it('is a machine of its own, because PIDs are the same', async () => {
    const one = at(0, [observationOf(7, { stack: JOURNAL })]);
    const two = { ...one, host: 'other', timeMs: START + 1 };
    const packets = packetsIn(await written([one, two]));
    expect(
      packets.filter((packet) => packet['clock_snapshot'] !== undefined).map((each) => each['machine_id']),
    ).toEqual([undefined, 1n]);
    const uuids = packets.flatMap((packet) => {
      const descriptor = packet['track_descriptor'];
      return typeof descriptor === 'object' && 'uuid' in descriptor ? [descriptor['uuid']] : [];
    });
    expect(new Set(uuids).size).toBe(uuids.length);
    const begins = eventsIn(packets).filter(({ type }) => type === 'sliceBegin');
    expect(begins.map(({ track, machine }) => [track, machine])).toEqual([
      ['t7 @ host 7 t7 7', 0],
      ['t7 @ other 7 t7 7', 1],
    ]);
  });

  it('has counters of blocked tasks and of pressure, and a mark for each event', async () => {
    const events = await traced(
      at(0, [observationOf(7, { stack: JOURNAL })], { pressure: { io: { some: 12.5, full: 3 } } }),
      at(1, [], {
        uptimeSeconds: 100,
        events: [
          { kind: 'io-error', text: 'I/O error, dev sda', timeMs: START + 250 },
          { kind: 'oom', text: 'Out of memory\x1b', uptimeSeconds: 99.5 },
          { kind: 'trigger', text: 'blocked>3' },
        ],
      }),
    );
    const counted = events.filter(({ type }) => type === 'counter').map((event) => [event.track, event.value]);
    expect(counted).toEqual([
      ['blocked tasks @ host', 1n],
      ['pressure io, some @ host', 12.5],
      ['pressure io, full @ host', 3],
      ['blocked tasks @ host', 0n],
    ]);
    const marks = events.filter(({ category }) => category === 'event');
    expect(marks.map((mark) => [seconds(mark), mark.track, mark.name, mark.arguments['text']])).toEqual([
      [0.25, 'events @ host', 'io-error', 'I/O error, dev sda'],
      [0.5, 'events @ host', 'oom', 'Out of memory\\x1b'],
      [1, 'events @ host', 'trigger', 'blocked>3'],
    ]);
  });
});

it('begins its dictionary anew before it grows without bounds', async () => {
  const events = Array.from({ length: 25_000 }, (_, each) => ({ kind: 'nfs' as const, text: `text ${each}` }));
  const packets = packetsIn(await written([at(0, [], { events })]));
  expect(packets.filter(({ sequence_flags: flags }) => flags === 3n).length).toBe(2);
  expect(eventsIn(packets).map((event) => event.arguments['text'])).toEqual([
    ...events.map(({ text }) => text),
    undefined,
  ]);
});

it('puts samples without a time a second apart, beside those with one', async () => {
  const { timeMs: _, ...untimed } = at(0, [observationOf(7, { stack: JOURNAL })]);
  const timesOf = async (...samples: Sample[]) => {
    return (await traced(...samples)).filter(({ type }) => type === 'counter').map(seconds);
  };
  expect(await timesOf(untimed, untimed, at(0, []), untimed)).toEqual([-2, -1, 0, 1]);
  expect(await timesOf(untimed, untimed)).toEqual([-1000, -999]);
  const spans = slices(await traced(untimed, untimed));
  expect(spans.map(({ from, to }) => to - from)).toEqual([0, 0]);
});

it('writes the odd samples as before: golden/perfetto.txt', async () => {
  const lines = eventsIn(packetsIn(await written(ODD_SAMPLES))).map((event) => {
    const { type, machine, timeNs, track, name = '', category = '', flow = '', flowEnd = '', value = '' } = event;
    const given = JSON.stringify(event.arguments, (_, each) => (typeof each === 'bigint' ? Number(each) : each));
    const time = new Date(Number(timeNs / 1_000_000n)).toISOString();
    return [`${time} ${machine}`, track, type, name, category, flow, flowEnd, value, given].join(' | ');
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('golden/perfetto.txt');
});

it('has the numbers that test/perfetto.proto has', () => {
  const proto = readFileSync(join(import.meta.dirname, '../../test/perfetto.proto'), 'utf8');
  for (const [message, fields] of Object.entries(FIELDS)) {
    // What is interned has four names.
    const published = message === 'Interned' ? 'EventName' : message;
    const [, , body] = new RegExp(`^( *)message ${published} \\{\\n(.*?)^\\1\\}`, 'ms').exec(proto) ?? [];
    for (const [name, number] of Object.entries(fields)) expect(body).toMatch(new RegExp(` ${name} = ${number};`));
  }
});

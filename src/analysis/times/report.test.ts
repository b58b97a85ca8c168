import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../../test/samples.ts';
import type { Edge } from '../../model/edge.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { parseFrames } from '../../model/stack.ts';
import { report } from './report.ts';
import { type Moment, merged } from './timeline.ts';

const stackOf = (id: number, ...symbols: string[]) => ({
  value: { id, frames: parseFrames(symbols.map((symbol) => `[<0>] ${symbol}+0x1/0x2`).join('\n')) },
});
const FROZEN = stackOf(0, 'percpu_rwsem_wait', 'ext4_page_mkwrite', 'do_page_mkwrite', 'handle_mm_fault');
const EPOLL = stackOf(1, 'ep_poll', 'do_epoll_wait');

function sampleAt(seconds: number, observations: readonly Observation[], host = 'db1'): Sample {
  return { ...EMPTY_SAMPLE, host, timeMs: 1000 * seconds, observations };
}

function seen(tid: number, stack: Observation['stack'], more: Partial<Observation> = {}): Observation {
  return observationOf(tid, { task: taskOf(tid, { comm: `t${tid}` }), state: 'D', stack, ...more });
}

/** Waits for what task 7 holds. */
function held(tid: number): Observation {
  return seen(tid, FROZEN, { facts: { switches: 5, lock: { kind: 'mutex', address: 'ff', owner: 7 } } });
}

const idle = observationOf(9, { task: taskOf(9), state: 'S', stack: EPOLL });

describe('a report', () => {
  it('adds up for how long tasks were blocked, and on what', async () => {
    const { findings, samples, fromMs, toMs, hosts } = await report([
      sampleAt(0, [idle]),
      sampleAt(10, [idle, seen(1, FROZEN), seen(2, FROZEN)]),
      sampleAt(20, [idle, seen(1, FROZEN)]),
      sampleAt(30, [idle]),
    ]);
    expect([samples, fromMs, toMs, hosts]).toEqual([4, 0, 30_000, ['db1']]);
    expect(
      findings.map(({ finding, taskSeconds, count, tasks }) => [
        finding.rule,
        taskSeconds,
        count,
        tasks.map(({ task, seconds }) => [task.id.tid, seconds]),
      ]),
    ).toEqual([
      [
        'fs-frozen-fault',
        30,
        2,
        [
          [1, 20],
          [2, 10],
        ],
      ],
    ]);
  });

  it('does not count the time of a gap, and names it', async () => {
    const { findings, gaps } = await report(
      [0, 10, 20, 30, 3000, 3010].map((seconds) => sampleAt(seconds, [seen(1, FROZEN)])),
    );
    expect(gaps).toEqual([{ host: 'db1', fromMs: 30_000, toMs: 3_000_000 }]);
    expect(findings[0]?.taskSeconds).toBe(60);
  });

  it('takes a pause of the ordinary interval for none, however dense the samples before it are', async () => {
    const dense = Array.from({ length: 40 }, (_, at) => 10 + at / 10);
    const times = [0, ...dense, 23, 33];
    const stream = times.map((seconds) => sampleAt(seconds, [seen(1, FROZEN)]));
    const told = await report(stream.map((sample) => ({ ...sample, intervalMs: 10_000 })));
    expect(told.gaps).toEqual([]);
    expect(told.findings[0]?.taskSeconds).toBeCloseTo(33.1);
    expect((await report(stream)).gaps).toHaveLength(2);
    const later = await report([...stream, sampleAt(70, [])].map((sample) => ({ ...sample, intervalMs: 10_000 })));
    expect(later.gaps).toEqual([{ host: 'db1', fromMs: 33_000, toMs: 70_000 }]);
  });

  it('counts all of the time in which a task did not run', async () => {
    const { findings, gaps } = await report(
      [0, 10, 20, 30, 3000].map((seconds) => sampleAt(seconds, [seen(1, FROZEN, { facts: { switches: 5 } })])),
    );
    expect(gaps).toHaveLength(1);
    expect(findings.map(({ taskSeconds, tasks }) => [taskSeconds, tasks[0]?.seconds])).toEqual([[3000, 3000]]);
  });

  it('keeps hosts apart', async () => {
    const { findings, hosts } = await report([
      sampleAt(0, [seen(1, FROZEN)], 'a'),
      sampleAt(1, [seen(1, FROZEN)], 'b'),
      sampleAt(10, [seen(1, FROZEN)], 'a'),
      sampleAt(11, [seen(1, FROZEN)], 'b'),
    ]);
    expect(hosts).toEqual(['a', 'b']);
    expect([findings[0]?.count, findings[0]?.taskSeconds]).toEqual([2, 40]);
  });

  it('says who held up others, and for how long', async () => {
    const waiting = (tid: number) => seen(tid, FROZEN, { facts: { lock: { kind: 'mutex', address: 'ff', owner: 7 } } });
    const { holders } = await report([
      sampleAt(0, [waiting(1), waiting(2), seen(7, FROZEN)]),
      sampleAt(10, [waiting(1), seen(7, FROZEN)]),
    ]);
    expect(holders).toMatchObject([{ host: 'db1', key: 7, name: 't7', taskSeconds: 30, waiters: 2 }]);
  });

  it('says who waited for each other, since when and until when', async () => {
    const waits = (tid: number, owner: number, offCpuMs: number) =>
      seen(tid, FROZEN, { facts: { switches: 5, offCpuMs, lock: { kind: 'mutex', address: 'ff', owner } } });
    const at = (seconds: number) => [1, 2].map((tid) => waits(tid, 3 - tid, 1000 * (seconds + 10 * tid)));
    const stream = [40, 50, 60].map((seconds) =>
      sampleAt(seconds, seconds === 60 ? at(seconds).slice(1) : at(seconds)),
    );
    const { deadlocks, deadlockCount } = await report(stream);
    expect(deadlocks).toMatchObject([
      { host: 'db1', sinceMs: -10_000, untilMs: 50_000, seen: 2, isStill: false, isConfirmed: true },
    ]);
    expect(deadlocks?.[0]?.edges.map(({ from, to }) => [from, to])).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(deadlockCount).toBe(1);
    const again = stream.slice(0, 2).flatMap((sample) => [sample, { ...sample, stream: 1 }]);
    const ofTwo = await report([...again, sampleAt(5000, at(0))]);
    expect(ofTwo.deadlocks?.map(({ seen: times, isStill }) => [times, isStill])).toEqual([[5, true]]);
    expect((await report(stream.slice(2))).deadlocks).toEqual([]);
  });

  it('knows a deadlock that is inferred for certain once it was there twice', async () => {
    const edges: Edge[] = [1, 2].map((from) => ({ from, to: 3 - from, by: 'futex', inferred: true, evidence: [] }));
    const stream = [0, 10].map((at) => ({ ...sampleAt(at, [seen(1, FROZEN), seen(2, FROZEN)]), edges }));
    const confirmed = async (some: readonly Sample[]) =>
      (await report(some)).deadlocks?.map(({ isConfirmed, isStill }) => [isConfirmed, isStill]);
    expect(await confirmed(stream.slice(1))).toEqual([[false, true]]);
    expect(await confirmed(stream)).toEqual([[true, true]]);
  });

  it('does not say that a child holds up its shell, unless it is stuck', async () => {
    const edges: Edge[] = [{ from: 1, to: 2, by: 'child', evidence: [] }];
    const held = async (child: Partial<Observation>) => {
      const sample = (seconds: number) => ({
        ...sampleAt(seconds, [seen(1, EPOLL, { state: 'S' }), seen(2, EPOLL, child)]),
        edges,
      });
      const { holders } = await report([sample(0), sample(10)]);
      expect((await report([{ ...sample(0), source: { name: 'text', partial: true } }])).holders.length).toBe(
        holders.length,
      );
      return holders.map(({ key, waiters, taskSeconds }) => [key, waiters, taskSeconds]);
    };
    expect(await held({ state: 'S' })).toEqual([]);
    expect(await held({ state: 'T' })).toEqual([[2, 1, 20]]);
    expect(await held({ state: 'D', stack: FROZEN })).toEqual([[2, 1, 20]]);
  });

  it('knows a place again in another recording of the same host', async () => {
    const again = () => stackOf(7, 'percpu_rwsem_wait', 'ext4_page_mkwrite', 'do_page_mkwrite', 'handle_mm_fault');
    const { stuck } = await report([0, 10, 20, 30].map((seconds) => sampleAt(seconds, [seen(1, again())])));
    expect(stuck).toMatchObject([{ sinceMs: 0, untilMs: 30_000, seen: 4 }]);
  });

  it('takes a task for stuck only while it does not run', async () => {
    const at = (seconds: number, switches: number | undefined, offCpuMs = 0) =>
      sampleAt(seconds, [seen(1, FROZEN, { facts: { offCpuMs, ...(switches !== undefined && { switches }) } })]);
    const proven = await report([at(10, 5, 3000), at(20, 5), at(30, 5), at(40, 6), at(50, 6)]);
    expect(
      proven.stuck.map(({ sinceMs, untilMs, isStill, isProven }) => [sinceMs, untilMs, isStill, isProven]),
    ).toEqual([
      [7000, 30_000, false, true],
      [40_000, 50_000, true, true],
    ]);
    const unproven = await report([at(10, undefined), at(20, undefined)]);
    expect(unproven.stuck).toMatchObject([{ seen: 2, isProven: false }]);
  });

  it('takes tasks of one number that started at other times, by the clock of a log, for several', async () => {
    const startedAt = (startLocal: string) =>
      seen(1, FROZEN, { task: taskOf(1, { id: { tid: 1, startLocal }, comm: 't1' }) });
    const [one, other] = [startedAt('2026/11/25 03:00:00'), startedAt('2026/11/25 03:20:00')];
    const { findings, stuck } = await report([0, 10, 20, 30].map((at) => sampleAt(at, [at < 20 ? one : other])));
    expect(stuck.map(({ sinceMs, untilMs }) => [sinceMs, untilMs])).toEqual([
      [0, 10_000],
      [20_000, 30_000],
    ]);
    expect([findings[0]?.count, findings[0]?.taskSeconds]).toEqual([2, 40]);
  });

  it('takes a log of events for what it is: a task that it does not mention may be blocked, too', async () => {
    const told = (seconds: number, ...tids: number[]) => ({
      ...sampleAt(
        seconds,
        tids.map((tid) => seen(tid, FROZEN)),
      ),
      source: { name: 'text', partial: true } as const,
    });
    const { findings, stuck, gaps } = await report([told(0, 1), told(2, 2), told(120, 1), told(122, 2), told(5000, 1)]);
    expect(findings.map(({ taskSeconds, count }) => [taskSeconds, count])).toEqual([[240, 2]]);
    expect(stuck.map(({ sinceMs, untilMs, seen: times }) => [sinceMs, untilMs, times])).toEqual([
      [0, 120_000, 2],
      [2000, 122_000, 2],
    ]);
    expect(gaps).toEqual([]);
  });

  it('counts what the kernel says of a hung task: that it has not run for so long', async () => {
    const told = (seconds: number, hung: number, more: Partial<Observation> = {}): Sample => ({
      ...sampleAt(seconds, [seen(1, FROZEN, more)]),
      source: { name: 'text', partial: true },
      events: [{ kind: 'hung-task', text: `INFO: task a:b:1 blocked for more than ${hung} seconds.` }],
    });
    const ofOne = await report([told(1000, 122)]);
    expect(ofOne.findings).toMatchObject([
      { taskSeconds: 122, isAtLeast: true, count: 1, tasks: [{ seconds: 122, isAtLeast: true }] },
    ]);
    expect(ofOne.stuck).toMatchObject([{ sinceMs: 878_000, untilMs: 1_000_000, isProven: true, isReported: true }]);
    // The second one says so of all the time, or not.
    const since = async (hung: number) => (await report([told(1000, 122), told(1120, hung)])).stuck;
    expect(await since(243)).toMatchObject([{ sinceMs: 877_000, untilMs: 1_120_000, isProven: true, seen: 2 }]);
    expect(await since(100)).toMatchObject([{ sinceMs: 878_000, untilMs: 1_120_000, isProven: false, seen: 2 }]);
    const { timeMs: _, ...untimed } = told(0, 122);
    const later = { ...untimed, events: told(0, 243).events ?? [] };
    expect((await report([untimed, later])).findings).toMatchObject([{ taskSeconds: 243, count: 1 }]);
  });

  it('takes what a log and a recording tell of one task for one', async () => {
    const task = { id: { tid: 1 }, comm: 't1', commandLine: { unread: 'notTold' } } as const;
    const log: Sample = {
      ...sampleAt(1000, [seen(1, FROZEN, { task })]),
      source: { name: 'text', partial: true },
      events: [{ kind: 'hung-task', text: 'INFO: task t1:1 blocked for more than 122 seconds.' }],
    };
    const started = taskOf(1, { id: { tid: 1, startTicks: 4711 }, comm: 't1' });
    const recorded = [990, 1000, 1010].map((seconds) => sampleAt(seconds, [seen(1, FROZEN, { task: started })]));
    const [before, now, after] = recorded;
    for (const stream of [
      [before, now, log, after],
      [before, log, now, after],
    ]) {
      const { findings, stuck, stuckCount } = await report(stream.filter((sample) => sample !== undefined));
      expect(findings).toMatchObject([{ taskSeconds: 122, count: 1, isAtLeast: true, tasks: [{ task: started }] }]);
      expect(stuck).toMatchObject([{ sinceMs: 878_000, untilMs: 1_010_000, observation: { task: started } }]);
      expect(stuckCount).toBe(1);
    }
  });

  it('takes what two recordings tell of one task at a time for one', async () => {
    const same = stackOf(7, 'percpu_rwsem_wait', 'ext4_page_mkwrite', 'do_page_mkwrite', 'handle_mm_fault');
    const at = (seconds: number, stack: Observation['stack']) =>
      sampleAt(seconds, [seen(1, stack, { facts: { switches: 5, offCpuMs: 1000 * (seconds - 5) } })]);
    const { findings, stuck, stuckCount } = await report([at(10, FROZEN), at(11, same), at(20, FROZEN), at(21, same)]);
    expect(stuck).toMatchObject([{ sinceMs: 5000, untilMs: 21_000, isProven: true, isStill: true }]);
    expect([stuckCount, findings[0]?.count, findings[0]?.taskSeconds]).toEqual([1, 1, 16]);
  });

  it('counts a task that is in a sample twice once', async () => {
    const twice = await report([0, 10].map((at) => sampleAt(at, [seen(1, FROZEN), seen(1, FROZEN)])));
    expect(twice.findings.map(({ taskSeconds, count }) => [taskSeconds, count])).toEqual([[20, 1]]);
    expect(twice.timeline.map(({ blocked }) => blocked)).toEqual([1, 1]);
  });

  it('knows a host again that was renamed, and calls it by its last name', async () => {
    const at = (seconds: number, host: string, boot = 'a'): Sample => ({
      ...sampleAt(seconds, [held(1)], host),
      bootId: { value: boot },
      holders: [seen(7, FROZEN)],
    });
    const { hosts, timeline, findings, stuck, holders } = await report([
      ...[0, 10, 20].map((seconds) => at(seconds, 'vm')),
      ...[30, 40].map((seconds) => at(seconds, 'db1')),
    ]);
    expect(hosts).toEqual(['db1']);
    expect(timeline.map(({ blocked }) => blocked)).toEqual([1, 1, 1, 1, 1]);
    expect(findings).toMatchObject([{ taskSeconds: 50, count: 1, tasks: [{ host: 'db1' }] }]);
    expect(stuck).toMatchObject([{ host: 'db1', sinceMs: 0, untilMs: 40_000, seen: 5 }]);
    expect(holders).toMatchObject([{ host: 'db1', taskSeconds: 50, waiters: 1 }]);
    // Containers of one machine share a boot, and each has a recording of its own.
    const apart = await report([at(0, 'web1'), { ...at(1, 'web2'), stream: 1 }, at(10, 'web1')]);
    expect(apart.hosts).toEqual(['web1', 'web2']);
  });

  it('does not take a task for gone because another recording of its host does not show it', async () => {
    const owner = { holders: [seen(7, FROZEN)] };
    const one = [0, 10, 20, 30].map((seconds) => ({ ...sampleAt(seconds, [held(1)]), ...owner }));
    const other = [5, 15, 25, 35].map((seconds) => ({
      ...sampleAt(seconds, [held(1), held(2)]),
      ...owner,
      stream: 1,
    }));
    const merged = [...one, ...other].sort((a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0));
    const { timeline, findings, holders, stuck, gaps } = await report(merged);
    expect(timeline.map(({ blocked }) => blocked)).toEqual([1, 2, 2, 2, 2, 2, 2, 2]);
    expect(findings).toMatchObject([{ taskSeconds: 80, count: 2 }]);
    expect(holders).toMatchObject([{ key: 7, waiters: 2, taskSeconds: 80 }]);
    expect(stuck.map(({ observation, sinceMs, untilMs }) => [observation.task.id.tid, sinceMs, untilMs])).toEqual([
      [1, 0, 35_000],
      [2, 5000, 35_000],
    ]);
    expect(gaps).toEqual([]);
  });

  it('says of a task in a recording that is over when it was seen last', async () => {
    const other = [0, 1, 2].map((seconds) => ({ ...sampleAt(seconds, [seen(2, FROZEN)]), stream: 1 }));
    const one = [5, 10, 15, 20, 25].map((seconds) => sampleAt(seconds, [seen(1, FROZEN)]));
    const { stuck, timeline, gaps } = await report([...other, ...one]);
    expect(stuck).toMatchObject([{ isStill: true }, { untilMs: 2000, isStill: false }]);
    expect(timeline.map(({ blocked }) => blocked)).toEqual([1, 1, 1, 2, 1, 1, 1, 1]);
    expect(gaps).toEqual([]);
  });

  it('adds up what is blocked on several hosts at a time', async () => {
    const { timeline } = await report([
      sampleAt(0, [seen(1, FROZEN)], 'a'),
      sampleAt(1, [seen(1, FROZEN), seen(2, FROZEN)], 'b'),
      sampleAt(10, [], 'a'),
      sampleAt(11, [seen(1, FROZEN)], 'b'),
    ]);
    expect(timeline.map(({ blocked }) => blocked)).toEqual([1, 3, 2, 1]);
  });

  it('has the events in the order of their times, with the time of the sample if they have none', async () => {
    const event = (kind: 'trigger' | 'hung-task', timeMs?: number) => ({
      kind,
      text: kind,
      ...(timeMs !== undefined && { timeMs }),
    });
    const { events, eventCount } = await report([
      { ...sampleAt(10, []), events: [event('trigger')] },
      { ...sampleAt(20, []), events: [event('hung-task', 5000)] },
    ]);
    expect(events.map(({ host, kind, timeMs }) => [host, kind, timeMs])).toEqual([
      ['db1', 'hung-task', 5000],
      ['db1', 'trigger', 10_000],
    ]);
    expect(eventCount).toBe(2);
  });

  it('counts samples without a task', async () => {
    const { empty, samples } = await report([sampleAt(0, []), sampleAt(1, [idle]), sampleAt(2, [])]);
    expect([empty, samples]).toEqual([2, 3]);
  });

  it('counts samples of a log that only tell that something happened as samples without a task', async () => {
    const log = { source: { name: 'text', partial: true } } as const;
    const found = await report([
      { ...sampleAt(0, []), ...log },
      { ...sampleAt(1, [idle]), ...log },
    ]);
    expect([found.empty, found.samples]).toEqual([1, 2]);
  });

  it.each([
    ['back', -3600, [{ fromMs: 6_460_000, toMs: 10_000_000 }], 'the clock was set back by 3600 s'],
    ['forward', 3600, [{ fromMs: 10_040_000, toMs: 13_650_000 }], expect.stringMatching(/^the clock was set forward/)],
  ])('knows for how long a task was blocked if the clock is set %s', async (_, setSeconds, gaps, text) => {
    const at = (passed: number, set: number): Sample => ({
      ...sampleAt(10_000 + passed + set, [seen(1, FROZEN, { facts: { switches: 5, offCpuMs: 1000 * passed + 3000 } })]),
      bootId: { value: 'a' },
      monotonicMs: 70_000 + 1000 * passed,
    });
    const told = await report([
      ...[0, 10, 20, 30, 40].map((passed) => at(passed, 0)),
      ...[50, 60].map((passed) => at(passed, setSeconds)),
    ]);
    const untilMs = 1000 * (10_060 + setSeconds);
    expect(told.stuck).toMatchObject([{ sinceMs: untilMs - 63_000, untilMs, seen: 7, isProven: true }]);
    expect(told.findings).toMatchObject([{ taskSeconds: 70, count: 1 }]);
    expect(told.events).toEqual([{ host: 'db1', timeMs: 1000 * (10_050 + setSeconds), kind: 'clock', text }]);
    expect(told.gaps).toMatchObject(gaps);
    expect(told.timeline.map(({ blocked }) => blocked)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('knows that a clock was set back although nothing but the times tells', async () => {
    const times = [10_000, 10_010, 10_020, 6000, 6010];
    const { stuck, events, gaps } = await report(times.map((time) => sampleAt(time, [seen(1, FROZEN)])));
    expect(stuck).toMatchObject([{ sinceMs: 5_970_000, untilMs: 6_010_000, seen: 5 }]);
    expect(events).toMatchObject([{ kind: 'clock', timeMs: 6_000_000, text: 'the clock was set back by 4030 s' }]);
    expect(gaps).toEqual([{ host: 'db1', fromMs: 6_010_000, toMs: 10_000_000 }]);
  });

  it('takes a clock for none that was set if it is slewed, or if a sample was late to read it', async () => {
    const steady = [0, 10, 20.9, 30, 100_000].map((passed) => ({
      ...sampleAt(passed * 1.0004, []),
      bootId: { value: 'a' },
      monotonicMs: 1000 * passed,
    }));
    expect((await report(steady)).events).toEqual([]);
  });

  it('is the same whether or not the source tells what changed', async () => {
    const moments = [[1, 2], [1], [1, 2, 3], [2, 3], []];
    const known = new Map([1, 2, 3].map((tid) => [tid, seen(tid, FROZEN)]));
    const same = moments.map((tids, at) =>
      sampleAt(
        10 * at,
        tids.flatMap((tid) => known.get(tid) ?? []),
      ),
    );
    const anew = moments.map((tids, at) =>
      sampleAt(
        10 * at,
        tids.map((tid) => seen(tid, FROZEN)),
      ),
    );
    expect(await report(same)).toEqual(await report(anew));
  });

  it('claims what names no host and no date for none of the hosts, and keeps it out of their times', async () => {
    const hour = (at: number) => 490_000 + at;
    const { host: _, ...unnamed } = sampleAt(363, [seen(1, FROZEN)]);
    const dated = [0, 10, 20].map((at) => sampleAt(3600 * hour(at), [seen(2, FROZEN)]));
    const told = await report([unnamed, ...dated]);
    const [fromMs, toMs] = [3_600_000 * hour(0), 3_600_000 * hour(20)];
    expect(told).toMatchObject({ hosts: ['db1'], unnamed: 1, samples: 4, sinceBoot: 1, fromMs, toMs });
    expect(told.timeline.map(({ timeMs }) => timeMs)).toEqual([0, 10, 20].map((at) => 3_600_000 * hour(at)));
    expect(told.findings[0]?.tasks.map(({ host, task }) => [host, task.id.tid])).toContainEqual([undefined, 1]);
    const alone = await report([unnamed]);
    expect(alone).toMatchObject({ unnamed: 1, sinceBoot: 0, fromMs: 363_000, toMs: 363_000 });
    expect(alone.timeline).toHaveLength(1);
  });

  it('has nothing of a healthy host', async () => {
    const { findings, stuck, holders, timeline } = await report([sampleAt(0, [idle]), sampleAt(1, [idle])]);
    expect([findings, stuck, holders]).toEqual([[], [], []]);
    expect(timeline.map(({ blocked }) => blocked)).toEqual([0, 0]);
  });
});

describe('a timeline', () => {
  it('keeps the highest of what it merges', () => {
    const moments: Moment[] = Array.from({ length: 1000 }, (_, at) => ({ timeMs: at, blocked: at === 777 ? 9 : 0 }));
    const short = merged(moments, 10);
    expect(short).toHaveLength(10);
    expect(short.map(({ blocked }) => blocked)).toEqual([0, 0, 0, 0, 0, 0, 0, 9, 0, 0]);
  });
});

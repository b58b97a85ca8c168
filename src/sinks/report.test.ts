import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import { diff } from '../analysis/times/diff.ts';
import { report } from '../analysis/times/report.ts';
import type { Edge, Resource } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { formatDiffJson } from './diff-json.ts';
import { formatReport } from './report.ts';
import { formatReportJson } from './report-json.ts';

const schemaOf = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../schema/kstack-${name}-1.schema.json`), 'utf8'));
const ajv = new Ajv2020({ allErrors: true, schemas: ['sample', 'report', 'diff'].map(schemaOf) });

function errorsOf(schema: string, text: string) {
  const validate = ajv.getSchema(schema);
  if (validate === undefined) throw new Error(`no schema ${schema}`);
  validate(JSON.parse(text));
  return validate.errors;
}

const FROZEN = {
  value: { id: 1, frames: parseFrames('[<0>] percpu_rwsem_wait+0x1/0x2\n[<0>] mnt_want_write+0x1/0x2') },
};
const UNKNOWN = { value: { id: 2, frames: parseFrames('[<0>] nobody_knows_this+0x1/0x2') } };
const START_MS = Date.UTC(2026, 10, 26, 3, 10);

/** A night with everything in it: gaps, events, holders, names and texts that anybody may have chosen. */
function night(): Sample[] {
  const hostile = taskOf(7, { comm: '\x1b[2J\udcff' });
  const waiting = (tid: number, facts: Observation['facts'] = {}) =>
    observationOf(tid, { stack: FROZEN, facts: { switches: 1, offCpuMs: 3000, ...facts } });
  const tasks: Observation[][] = [
    [],
    [
      waiting(1),
      waiting(2, { lock: { kind: 'mutex', owner: 7 } }),
      observationOf(7, { task: hostile, stack: UNKNOWN }),
    ],
    [waiting(1), observationOf(3, { stack: { unread: 'timeout' } })],
  ];
  const samples = Array.from({ length: 60 }, (_, at): Sample => {
    const observations = tasks[Math.min(2, Math.floor(at / 20))] ?? [];
    return { ...EMPTY_SAMPLE, timeMs: START_MS + 10_000 * at + (at > 50 ? 600_000 : 0), observations };
  });
  const events = [
    { kind: 'trigger', text: 'blocked > 1 for 10 s' },
    { kind: 'hung-task', text: 'INFO: task \x1b[2J blocked', timeMs: START_MS + 400_000 },
  ] as const;
  const edges: Edge[] = [{ from: 1, to: 'mount 45', by: 'mount', inferred: true, evidence: [] }];
  const resources: Resource[] = [{ key: 'mount 45', kind: 'mount', name: '/mnt/\x1b[2J\udcff', evidence: [] }];
  return samples.map((sample, at) => ({
    ...sample,
    ...(at === 25 && { events }),
    ...(at >= 20 && at < 40 && { edges, resources }),
  }));
}

const context = { zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }), top: 4, columns: 100 };

describe('a report as text', () => {
  it('tells a holder of one sample without a time, and tasks that were stuck alike in one line', async () => {
    const lock = { kind: 'mutex', owner: 9 } as const;
    const waiting = (tid: number, comm: string) =>
      observationOf(tid, {
        task: taskOf(tid, { comm }),
        stack: FROZEN,
        facts: { offCpuMs: 600_000, switches: 1, lock },
      });
    const observations = [waiting(1, 'cp'), waiting(2, 'cp'), waiting(3, ''), observationOf(9, { state: 'S' })];
    const text = [...formatReport(await report([{ ...EMPTY_SAMPLE, timeMs: START_MS, observations }]), context)].join(
      '',
    );
    expect(text).toMatch(/^host: 2026-11-26 03:10:00\n1 sample\n/);
    expect(text).toContain('\nheld up others:\n  t9 9 held up 3 tasks\n');
    expect(text).toMatch(
      /\nstuck in one place:\n {2}10 min 0 s {2}2 x cp \(D\) since [^\n]*\n[^\n]*\n {2}10 min 0 s {2}'' 3 \(D\)/,
    );
  });

  it('cuts no sentence and no command', async () => {
    const observations = [observationOf(1, { stack: FROZEN, facts: { offCpuMs: 600_000, switches: 1 } })];
    const { host: _, ...unnamed } = { ...EMPTY_SAMPLE, timeMs: START_MS + 1000, observations };
    const found = await report([{ ...EMPTY_SAMPLE, timeMs: START_MS, observations }, unnamed]);
    const [finding] = found.findings;
    if (finding === undefined) throw new Error('none');
    const next = ['grep . /sys/block/*/a/path/that/is/longer/than/a/line/of/the/report/and/ends/with/this/very/name'];
    const findings = [{ ...finding, finding: { ...finding.finding, next } }];
    const text = [...formatReport({ ...found, findings, sinceBoot: 1, untimed: 1 }, { ...context, columns: 80 })].join(
      '',
    );
    expect(text).toContain(`    next: ${next[0]}\n`);
    expect(text).toMatch(/^ {4}causes: .* froze it and\n {6}has not thawed it, or the freeze waits for I\/O\.$/m);
    expect(text).toMatch(/ to be thawed, in order to\n {4}change it\n/);
    expect(text).toMatch(/\n2 samples, 1 of them without a host name, [^.]*,\s+1 of them\s+without a time\n/);
  });

  it('is on one screen, in the order of the person on call', async () => {
    const text = [...formatReport(await report(night()), context)].join('');
    const lines = text.split('\n');
    expect(lines.length).toBeLessThanOrEqual(50);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    const titles = [
      'host: 2026-11-26 03:10:00 to',
      '60 samples, 20 of them without a task, 1 gap',
      'blocked tasks, at most 3',
    ];
    const order = [
      ...titles,
      'events:',
      'blocked, by',
      'causes: ',
      'next: ',
      'held up others:',
      'stuck in',
      'not read:',
    ];
    const places = order.map((title) => text.indexOf(title));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('fills in the numbers of the task that was blocked longest, where all are of one host', async () => {
    const vfork = { value: { id: 3, frames: parseFrames('[<0>] kernel_clone+0x1/0x2\n[<0>] __do_sys_vfork+0x1/0x2') } };
    const sample = (host: string): Sample => ({
      ...EMPTY_SAMPLE,
      host,
      timeMs: START_MS,
      observations: [observationOf(41, { task: taskOf(41, { pid: 40 }), state: 'D', stack: vfork })],
    });
    const textOf = async (...hosts: string[]) => [...formatReport(await report(hosts.map(sample)), context)].join('');
    expect(await textOf('a')).toMatch(/^ {4}next: .*\b4[01]\b/m);
    expect(await textOf('a')).not.toMatch(/^ {4}next: .*\b[PT]ID\b/m);
    expect(await textOf('a', 'b')).toMatch(/^ {4}next: .*\b[PT]ID\b/m);
  });

  it('says that a log without the name of a host, and without a date, is of no host that it knows', async () => {
    const blocked = { observations: [observationOf(41, { state: 'D', stack: FROZEN })] };
    const events = [{ kind: 'nfs', text: 'nfs: server filer not responding' }] as const;
    const { host: _, ...unnamed } = { ...EMPTY_SAMPLE, ...blocked, timeMs: 363_000, events };
    const dated = { ...EMPTY_SAMPLE, ...blocked, host: 'db1', timeMs: START_MS };
    const text = [...formatReport(await report([unnamed, dated]), context)].join('');
    expect(text).toMatch(/^db1, unknown host: 20.*\n2 samples, 1 of them without a host name, 1 of them with only/);
    expect(text).toMatch(/^ {4}(?=.*\bdb1 \w+ 41 )(?=.*\bunknown host \w+ 41 )/m);
    expect(text).not.toMatch(/^ +!$/m);
    const alone = [...formatReport(await report([unnamed]), context)].join('');
    expect(alone).toMatch(/^unknown host: 363\.0 s after boot\n1 sample\n/);
  });

  it('says first who waits for each other, and since when', async () => {
    const waits = (tid: number, owner: number) =>
      observationOf(tid, {
        state: 'D',
        stack: FROZEN,
        facts: { switches: 5, offCpuMs: 600_000, lock: { kind: 'mutex', address: 'ff', owner } },
      });
    const observations = [waits(1, 2), waits(2, 1)];
    const text = [...formatReport(await report([{ ...EMPTY_SAMPLE, timeMs: START_MS, observations }]), context)].join(
      '',
    );
    expect(text).toMatch(
      /sample\n\ndeadlock for 10 min 0 s, since [^\n]*, still there at the end:\n {2}1 t1 waits for the mutex that 2 t2 holds\n {2}2 t2 waits for the mutex that 1 t1 holds\n\nblocked tasks, /,
    );
  });

  it('tells the zone of its times if that changes in between', async () => {
    const changeMs = Date.UTC(2025, 9, 26, 1);
    const zoneAt = (seconds: number) =>
      1000 * seconds < changeMs
        ? { offsetSeconds: 7200, abbreviation: 'CEST' }
        : { offsetSeconds: 3600, abbreviation: 'CET' };
    const textOf = async (...minutes: number[]) => {
      const blocked = { observations: [observationOf(1, { stack: FROZEN })] };
      const samples = minutes.map((at) => ({ ...EMPTY_SAMPLE, ...blocked, timeMs: changeMs + 60_000 * at }));
      return [...formatReport(await report(samples), { ...context, zoneAt })].join('');
    };
    const text = await textOf(-60, -30, 0, 30, 59);
    expect(text).toMatch(/^host: 2025-10-26 02:00:00 CEST to 2025-10-26 02:59:00 CET \(1 h 59 min\)\n/);
    expect(text).toMatch(/\n {2}02:00:00 CEST +02:59:00 CET\n/);
    expect(text).toContain(' since 2025-10-26 02:00:00 CEST, still there at the end\n');
    expect(await textOf(-60, -30)).not.toContain('CEST');
  });

  it('marks events below the timeline', async () => {
    const text = [...formatReport(await report(night()), context)].join('');
    expect(text).toMatch(/\n {2}\|.{60}\|\n +T +!\n {2}03:10:00/);
    expect(text).toContain('  T 2026-11-26 03:14:10  trigger: blocked > 1 for 10 s\n');
    expect(text).not.toContain('\x1b');
  });
});

describe('what could not be read', () => {
  it('is told in words', async () => {
    const text = [...formatReport(await report(night()), context)].join('');
    expect(text).toMatch(/\nnot read: (?:kernel stack|command line|process) \([a-z ]+\) \d+ times/);
    expect(text).not.toContain(': timeout');
  });
});

describe('a stuck task of a log', () => {
  const hung = (timeMs: number): Sample => ({
    ...EMPTY_SAMPLE,
    host: 'h',
    timeMs,
    source: { name: 'text', partial: true },
    observations: [observationOf(1, { task: taskOf(1, { comm: 't1' }), stack: FROZEN, facts: {} })],
    events: [{ kind: 'hung-task', text: 'INFO: task t1:1 blocked for more than 122 seconds.' }],
  });

  it('did not run as far as the kernel says so, else it was seen there', async () => {
    const said = [...formatReport(await report([hung(1_000_000), hung(1_120_000)]), context)].join('');
    expect(said).toContain('    the kernel says that it did not run: ');
    const seen = [hung(1_000_000), hung(1_120_000)].map(({ events: _, ...sample }) => sample);
    expect([...formatReport(await report(seen), context)].join('')).toContain('    seen 2 times in the same place: ');
  });
});

describe('what held up others', () => {
  it('is also a resource, by its name', async () => {
    const whole = await report(night());
    const lines = [...formatReport(whole, context)].join('').split('\n');
    const at = lines.indexOf('held up others:');
    expect(lines.slice(at + 1, at + 3)).toEqual([
      '  3 min 20 s  \\x1b[2J\\xff 7 held up 1 task',
      '  3 min 20 s  /mnt/\\x1b[2J\\xff held up 1 task',
    ]);
    const { holders } = JSON.parse([...formatReportJson(whole, [])].join(''));
    expect(holders).toMatchObject([
      { tid: 7, resource: null, name: '\x1b[2J\\xff', taskSeconds: 200, waiters: 1 },
      { tid: null, resource: 'mount 45', name: '/mnt/\x1b[2J\\xff', taskSeconds: 200, waiters: 1 },
    ]);
  });

  it('has its key where the samples do not tell more', async () => {
    const unknown = night().map(({ resources: _, ...sample }) => sample);
    const text = [...formatReport(await report(unknown), context)].join('');
    expect(text).toContain('  mount 45 held up 1 task\n');
  });
});

describe('the timeline', () => {
  const events = [{ kind: 'hung-task', text: 'INFO: task x blocked' }] as const;
  const alone = (timeMs: number): Sample => ({
    ...EMPTY_SAMPLE,
    source: { ...EMPTY_SAMPLE.source, partial: true },
    timeMs,
    events,
  });

  it('has no kernel log that only tells the time since boot, and the report says how to get one that it has', async () => {
    const found = await report([...night(), { ...alone(12_300), uptimeSeconds: 12.3 }]);
    expect([...formatReport(found, { ...context, columns: 200 })].join('')).toContain(
      ', 1 of them with only a time since boot: not in the timeline (dmesg --time-format iso tells the time), ',
    );
  });

  it('is over the whole span, with dots where no sample is', async () => {
    const samples = [alone(START_MS - 960_000), ...night(), alone(START_MS + 2_150_000)];
    const text = [...formatReport(await report(samples), context)].join('');
    expect(text).toMatch(/\n {2}\|·{17,19}[^·].*[^·]·{17,19}\|\n {3}! +T +! +!\n {2}02:54:00 {46}03:45:50\n/);
  });

  it('is as narrow as the terminal, on which longer lines go on below', async () => {
    const found = await report(night());
    const text = (columns: number) => [...formatReport(found, { ...context, columns })].join('');
    expect(text(40)).toMatch(/\n {2}\|.{36}\|\n +T +!\n {2}03:10:00 {22}03:29:50\n/);
    // All but the timeline is what a terminal of 80 columns shows; there, sentences are broken at their words.
    const joined = (columns: number) => {
      const lines = text(columns).replace(/\n {2}\|(?:.*\n){3}/, '\n');
      return lines.replace(/\n {2,6}(?=\S)/g, ' ');
    };
    expect(joined(40)).toBe(joined(80));
    expect(
      Math.max(
        ...text(40)
          .split('\n')
          .map(({ length }) => length),
      ),
    ).toBeGreaterThan(80);
  });
});

describe('a report as JSON', () => {
  it('has what its schema says, and nothing else', async () => {
    const text = [...formatReportJson(await report(night()), ['x: damaged'])].join('');
    expect(errorsOf('urn:kstack:report:1', text)).toBeNull();
    const { findings, holders, stuck, events, gaps, problems, timeline } = JSON.parse(text);
    for (const list of [findings, holders, stuck, events, gaps, problems, timeline]) expect(list).not.toEqual([]);
    expect(text.isWellFormed()).toBe(true);
  });

  it('of nothing is valid, too', async () => {
    expect(errorsOf('urn:kstack:report:1', [...formatReportJson(await report([]), [])].join(''))).toBeNull();
  });
});

describe('a diff as JSON', () => {
  it('has what its schema says, and nothing else', async () => {
    const samples = night();
    const text = formatDiffJson(await diff(samples.slice(0, 40), samples.slice(40)), []);
    expect(errorsOf('urn:kstack:diff:1', text)).toBeNull();
    const { appeared, disappeared, before } = JSON.parse(text);
    expect([appeared.length, disappeared.length, before]).toEqual([1, 1, { samples: 40, seconds: 400 }]);
  });

  it('says that nothing was selected, also of a log, which only tells that something happened', async () => {
    const source = { name: 'text', partial: true } as const;
    const found = await report([{ ...EMPTY_SAMPLE, source, timeMs: START_MS, observations: [] }]);
    const written = (isSelection: boolean) => [...formatReport(found, { ...context, isSelection })].join('');
    expect(written(true)).toContain('No task matches the selection.');
    expect(written(false)).toContain('No task was blocked in any sample.');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anySample } from '../../../../test/any-samples.ts';
import { ODD_SAMPLES } from '../../../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../../../test/samples.ts';
import { type Edge, type Evidence, edgeKey, edgesOf, type NodeKey, type Resource } from '../../../model/edge.ts';
import { withEdgeMarks } from '../../../model/edge-marks.ts';
import { escapeInvalid } from '../../../model/raw-text.ts';
import { everythingUnread, type Observation, type Sample } from '../../../model/sample.ts';
import { type Frame, parseFrames } from '../../../model/stack.ts';
import type { WriteContext } from '../../../sinks/format.ts';
import { type FormatName, loadFormat } from '../../../sinks/formats.ts';
import { escapeUnsafe } from '../../../terminal/escape.ts';
import { type InputNotes, textSamples } from '../index.ts';

const CONTEXT: WriteContext = {
  zoneAt: () => ({ offsetSeconds: 3600, abbreviation: 'CET' }),
  colour: false,
  full: true,
  annotate: false,
};

async function written(name: FormatName, samples: readonly Sample[], context: Partial<WriteContext> = {}) {
  let text = '';
  for await (const piece of (await loadFormat(name)).write(samples, { ...CONTEXT, ...context })) text += piece;
  return text;
}

async function readBack(text: string | readonly string[], notes: InputNotes = {}): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of textSamples(typeof text === 'string' ? [text] : text, { notes })) samples.push(sample);
  return samples;
}

/** Without what is undefined. */
function plain<T>(value: T): unknown {
  return JSON.parse(JSON.stringify(value));
}

/**
 * What JSON cannot carry of a task: the last NULs of a command line that is cut or overwritten; the name of
 * the process of a main thread, which is its own; facts of which there is none; that a task is kstack itself; two
 * registers of a system call; bytes that are not UTF-8 of anything but names, command lines and control groups; of a
 * frame, whatever stood around its parts.
 */
function carriedTask({ task, stack, facts, systemCall, wchan, ...seen }: Observation) {
  const { own: _, processName, commandLine, ...others } = task;
  const call =
    systemCall !== undefined && 'value' in systemCall && typeof systemCall.value === 'object'
      ? { ...systemCall, value: { ...systemCall.value, stackPointer: undefined, programCounter: undefined } }
      : systemCall;
  return {
    ...seen,
    task: {
      ...others,
      processName: task.id.tid === task.pid ? undefined : processName,
      commandLine:
        'value' in commandLine ? { ...commandLine, value: commandLine.value.replace(/\0+$/, '') } : commandLine,
    },
    wchan: wchan === undefined ? undefined : escapeInvalid(wchan),
    systemCall: call,
    facts: facts !== undefined && Object.keys(facts).length > 0 ? facts : undefined,
    stack:
      'value' in stack ? { value: stack.value.frames.map(carriedFrame), mixed: stack.value.mixed === true } : stack,
  };
}

function carriedFrame({ symbol, offset, size, module }: Frame) {
  return {
    symbol: escapeInvalid(symbol),
    offset,
    size,
    module: module === undefined ? undefined : escapeInvalid(module),
  };
}

function carriedEvents({ events }: Sample) {
  return events?.map((event) => ({ ...event, text: escapeInvalid(event.text) }));
}

const carriedKey = (key: NodeKey) => (typeof key === 'number' ? key : escapeInvalid(key));

const carriedEvidence = (evidence: readonly Evidence[]) =>
  evidence.map(({ place, text, ...more }) => ({ ...more, place: escapeInvalid(place), text: escapeInvalid(text) }));

/** Each edge once, and none that the facts about a task tell already. */
function carriedEdges({ edges = [], observations, holders }: Sample): Edge[] | undefined {
  const told = new Set([...observations, ...holders].flatMap(edgesOf).map(edgeKey));
  const others = new Map(edges.toReversed().map((edge) => [edgeKey(edge), edge]));
  const carried = edges.filter((edge) => others.get(edgeKey(edge)) === edge && !told.has(edgeKey(edge)));
  if (carried.length === 0) return undefined;
  return carried.map((edge) => ({
    ...edge,
    from: carriedKey(edge.from),
    to: carriedKey(edge.to),
    evidence: carriedEvidence(edge.evidence),
  }));
}

function carriedResources({ resources = [] }: Sample): Resource[] | undefined {
  if (resources.length === 0) return undefined;
  return resources.map((resource) => ({
    ...resource,
    key: escapeInvalid(resource.key),
    name: escapeInvalid(resource.name),
    ...(resource.condition !== undefined && { condition: escapeInvalid(resource.condition) }),
    evidence: carriedEvidence(resource.evidence),
  }));
}

/** What JSON cannot carry of a sample: seconds since boot, the ids of stacks, and that nothing was left out of it. */
/** What edges tell of how tasks wait is told again with the edges. */
function carriedByJson(sample: Sample) {
  const { uptimeSeconds: _, leftOut, unread: __, ...head } = sample;
  const [observations, holders] = [sample.observations, sample.holders].map((tasks) =>
    withEdgeMarks(tasks, sample.edges ?? []).map(carriedTask),
  );
  return plain({
    ...head,
    edges: carriedEdges(sample),
    resources: carriedResources(sample),
    events: carriedEvents(sample),
    leftOut: Object.fromEntries(Object.entries(leftOut).filter(([, count]) => count > 0)),
    observations,
    holders,
    unread: new Set(everythingUnread(sample).map((entry) => JSON.stringify(entry))).size,
  });
}

/** Lines tell tasks and what could not be read, events and pressures, and when and where. */
function carriedByLines(sample: Sample) {
  const { timeMs, host, kernel, bootId, observations, pressure } = sample;
  const unread = new Set(everythingUnread(sample).map((entry) => JSON.stringify(entry))).size;
  const events = carriedEvents(sample);
  return plain({ timeMs, host, kernel, bootId, observations: observations.map(carriedTask), unread, events, pressure });
}

const hasLines = ({ events = [], pressure, ...sample }: Sample) =>
  sample.observations.length + everythingUnread(sample).length + events.length > 0 || pressure !== undefined;
const isThere = (sample: Sample) => hasLines(sample) || (sample.bootId !== undefined && 'unread' in sample.bootId);

describe('what was written as json', () => {
  it('is read back as the same samples', async () => {
    const text = await written('json', ODD_SAMPLES);
    expect((await readBack(text)).map(carriedByJson)).toEqual(ODD_SAMPLES.map(carriedByJson));
  });

  it('is the same samples, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anySample, { maxLength: 3 }), async (samples) => {
        expect((await readBack(await written('json', samples))).map(carriedByJson)).toEqual(samples.map(carriedByJson));
      }),
    );
  });

  it('and laid out anew by another program, with its members sorted or not, is the same', async () => {
    const documents = (await written('json', ODD_SAMPLES)).split(/^(?=\{"format")/m).map((each) => JSON.parse(each));
    const expected = ODD_SAMPLES.map(carriedByJson);
    const sorted = (value: object) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    for (const text of [
      documents.map((each) => JSON.stringify(each)).join('\n'),
      documents.map((each) => JSON.stringify(each)).join(''),
      documents.map((each) => JSON.stringify(each, undefined, 2)).join('\n'),
      documents.map((each) => JSON.stringify(sorted(each), undefined, '\t')).join('\n'),
    ]) {
      expect((await readBack(text)).map(carriedByJson)).toEqual(expected);
      expect((await readBack(text.match(/.{1,1000}/gs) ?? [])).map(carriedByJson)).toEqual(expected);
    }
  });

  it('keeps who holds the locks, and equal stacks one object', async () => {
    const [first] = await readBack(await written('json', ODD_SAMPLES));
    expect(first?.holders.map(({ task }) => task.id.tid)).toEqual([900, 902]);
    const stacks = first?.observations.map(({ stack }) => ('value' in stack ? stack.value : undefined));
    expect(new Set(stacks).size).toBe(10);
  });

  it('has command lines as they were, also those that are cut', async () => {
    const [first] = await readBack(await written('json', ODD_SAMPLES));
    const lineOf = (tid: number) => first?.observations.find(({ task }) => task.id.tid === tid)?.task.commandLine;
    expect(lineOf(1)).toEqual({ value: '/usr/bin/t1\0-v\0' });
    expect(lineOf(621)).toEqual({ value: 'java\0-cp\0/usr/share/a.jar:/usr/sha', cut: true });
    expect(lineOf(2)).toEqual({ value: '' });
  });

  it('is read as far as it goes if it is cut off, and that is said', async () => {
    const notes: InputNotes = {};
    const text = await written('json', ODD_SAMPLES.slice(0, 1));
    const [sample] = await readBack(text.slice(0, text.indexOf('"comm":"defunct"')), notes);
    expect(sample?.observations.map(({ task }) => task.id.tid)).toEqual([
      1, 2, 501, 502, 503, 504, 505, 510, 511, 520, 521,
    ]);
    expect(notes.cut).toBe('a sample in JSON ends early: what comes before its end was read');
  });

  it('of another version is not read, and that is said', async () => {
    const text = (await written('json', ODD_SAMPLES.slice(0, 1))).replace('"version":1', '"version":2');
    const [sample] = await readBack(text);
    expect(sample?.unread.at(-1)).toEqual({
      tid: 0,
      what: 'task',
      why: 'malformed',
      detail: 'document.version: 2 is not 1, which this kstack reads',
    });
  });

  it('takes no value of another type for one, and says where it is', async () => {
    const text = await written('json', ODD_SAMPLES.slice(0, 1));
    for (const [right, wrong, detail] of [
      ['"tid":501', '"tid":"501"', 'tasks[2].tid: "501" is no whole number from 0 on'],
      ['"tid":501', '"tid":-1', 'tasks[2].tid: -1 is no whole number from 0 on'],
      ['"comm":"spin"', '"comm":["spin"]', 'tasks[12].comm: ["spin"] is no text'],
      ['"state":"D"', '"state":"DD"', 'tasks[2].state: "DD" is none of R S D I T t Z X P'],
      ['"offset":789', '"offset":1e99', 'stacks[0].frames[0].offset: 1e+99 is no whole number from 0 on'],
      ['"address":"ffff8881001a2b40"', '"address":"x"', 'tasks[2].lock.address: "x" is not in the right form'],
    ] as const) {
      expect(text).toContain(right);
      const [sample] = await readBack(text.replace(right, wrong));
      expect(sample?.unread.map((entry) => entry.detail)).toContain(detail);
    }
  });

  it('or changed at any place, is read without an exception', async () => {
    const text = await written('json', ODD_SAMPLES);
    const lines = await written('jsonl', ODD_SAMPLES);
    const garbage = fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', 'null', '\n', '\0', '{"a":');
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(), garbage), { maxLength: 5 }),
        async (isJson, changes) => {
          let changed = isJson ? text : lines;
          for (const [place, what] of changes) {
            const at = place % changed.length;
            changed = changed.slice(0, at) + what + changed.slice(at + 1);
          }
          for (const { observations } of await readBack(changed)) expect(observations.length).toBeLessThan(100);
        },
      ),
    );
  });

  it('with any value in any place is read without an exception', async () => {
    const [document] = (await written('json', ODD_SAMPLES)).split(/^(?=\{"format")/m);
    const paths: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      paths.push(path);
      if (typeof value !== 'object' || value === null) return;
      const list = Array.isArray(value) ? [...value.entries()].slice(0, 3) : Object.entries(value);
      for (const [name, each] of list) walk(each, [...path, name]);
    };
    walk(JSON.parse(document ?? ''), []);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths.slice(1)), fc.jsonValue(), async (path, value) => {
        const changed = JSON.parse(document ?? '');
        let place = changed;
        for (const name of path.slice(0, -1)) place = place[name];
        place[path.at(-1) ?? ''] = value;
        for (const sample of await readBack(JSON.stringify(changed))) await written('long', [sample]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what was written as jsonl', () => {
  it('is read back as the same tasks', async () => {
    const text = await written('jsonl', ODD_SAMPLES);
    expect((await readBack(text)).map(carriedByLines)).toEqual(ODD_SAMPLES.filter(isThere).map(carriedByLines));
  });

  it('is the same tasks, whatever is in them', async () => {
    // Nothing divides two samples of the same time and place.
    const samples = fc
      .array(anySample, { maxLength: 3 })
      .map((each) => each.map((sample, at) => ({ ...sample, timeMs: (sample.timeMs ?? 0) * 10 + at })));
    await fc.assert(
      fc.asyncProperty(samples, async (each) => {
        expect((await readBack(await written('jsonl', each))).map(carriedByLines)).toEqual(
          each.filter(isThere).map(carriedByLines),
        );
      }),
    );
  });

  it('has a sample where tasks follow what could not be read', async () => {
    const text = await written('jsonl', ODD_SAMPLES.slice(0, 1));
    expect((await readBack(text + text)).map(({ observations }) => observations.length)).toEqual([27, 27]);
  });

  it('and kept by a log store is the same', async () => {
    const expected = (await readBack(await written('jsonl', ODD_SAMPLES))).map(carriedByLines);
    const lines = (await written('jsonl', ODD_SAMPLES)).trimEnd().split('\n');
    const docker = lines.map((line) =>
      JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2026-11-25T03:12:00.1Z' }),
    );
    const cri = lines.map((line) => `2026-11-25T03:12:00.123456789Z stdout F ${line}`);
    for (const stored of [docker, cri])
      expect((await readBack(stored.join('\n'))).map(carriedByLines)).toEqual(expected);
  });

  it('lacks the last line if that is cut off, and that is said', async () => {
    const notes: InputNotes = {};
    const text = (await written('jsonl', ODD_SAMPLES)).split('\n').slice(0, 3).join('\n');
    const [sample] = await readBack(text.slice(0, -100), notes);
    expect(sample?.observations.map(({ task }) => task.id.tid)).toEqual([1, 2]);
    expect(notes.cut).toMatch(/^a sample in JSON (?:ends early|is damaged): /);
  });
});

/** What long tells of a task; names are as they are shown. */
function carriedByLong({ task, state, stack, cpu, facts }: Observation, threads: boolean) {
  const { id, pid, comm, processName, uid, user, cgroup } = task;
  const isThread = threads && id.tid !== pid && processName !== undefined && processName !== comm;
  const path = cgroup !== undefined && 'value' in cgroup ? cgroup.value : undefined;
  const isPlace = path !== undefined && path !== '/' && path !== '' && !/kubepods|machine/.test(path);
  return plain({
    tid: id.tid,
    pid: threads ? pid : undefined,
    comm: comm === undefined ? undefined : escapeUnsafe(comm),
    processName: isThread ? escapeUnsafe(processName) : undefined,
    state,
    cpu,
    user,
    uid: user === undefined ? uid && ('value' in uid ? { value: uid.value } : { unread: uid.unread }) : undefined,
    cgroup: isPlace ? escapeUnsafe(path) : undefined,
    offCpuMs: facts?.offCpuMs,
    stack:
      'value' in stack
        ? stack.value.frames.map(({ symbol, offset, size, module }) => ({
            symbol: escapeUnsafe(symbol),
            offset,
            size,
            module: module && escapeUnsafe(module),
          }))
        : stack.unread,
  });
}

const byTid = (list: readonly unknown[]) =>
  list
    .map((each) => JSON.stringify(each))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((each) => JSON.parse(each));

describe('what was written as long', () => {
  /**
   * Long tells neither which of several CPUs, nor which of several times, is whose, nor times of days to the second.
   */
  const vague = (told: unknown) => ({ ...(told as object), cpu: undefined, offCpuMs: undefined });
  const tasksOf = (list: readonly Observation[], threads: boolean) =>
    byTid(list.map((each) => vague(carriedByLong(each, threads))));

  it.each([
    ['plain', {}, (text: string) => text],
    ['in colour', { colour: true }, (text: string) => text],
    ['in a mail', {}, (text: string) => `They wrote:\n${text.replaceAll(/^/gm, '> ')}`],
    ['indented, after a prompt', {}, (text: string) => `root@db1:~# kstack -L\n${text.replaceAll(/^/gm, '    ')}`],
    ['with the ends of lines of DOS', {}, (text: string) => text.replaceAll('\n', '\r\n')],
  ] as const)('is read back as the same tasks: %s', async (_, context, paste) => {
    const samples = await readBack(paste(await written('long', ODD_SAMPLES, context)));
    const there = ODD_SAMPLES.filter(({ observations }) => observations.length > 0);
    expect(samples.map(({ timeMs, host, kernel }) => ({ timeMs, host, kernel }))).toEqual(
      there.map(({ timeMs, host, kernel }) => ({
        timeMs: timeMs === undefined ? undefined : Math.floor(timeMs / 1000) * 1000,
        host: host === undefined ? undefined : escapeUnsafe(host),
        kernel,
      })),
    );
    samples.forEach(({ observations, holders }, at) => {
      const expected = there[at];
      expect(tasksOf(observations, expected?.threads === true)).toEqual(
        tasksOf(expected?.observations ?? [], expected?.threads === true),
      );
      expect(tasksOf(holders, false)).toEqual(tasksOf(expected?.holders ?? [], false));
    });
  });

  it('has the CPU and the time off it where they are of one task', async () => {
    const [sample] = await readBack(await written('long', ODD_SAMPLES));
    const told = (tid: number) => {
      const found = sample?.observations.find(({ task }) => task.id.tid === tid);
      return [found?.cpu, found?.facts?.offCpuMs];
    };
    expect([told(2), told(502), told(503), told(510), told(612)]).toEqual([
      [0, 7_200_000],
      [0, 251_000],
      [1, undefined],
      [0, 0],
      [0, 90_000],
    ]);
  });

  it('has as many tasks as it says, also of those it does not name', async () => {
    const [first] = ODD_SAMPLES;
    const observations = Array.from({ length: 300 }, (_, at): Observation => {
      const task = { id: { tid: 1000 + at }, comm: `t${at % 20}`, commandLine: { value: '' } };
      const [seen] = first?.observations ?? [];
      return { task, state: 'S', stack: seen?.stack ?? { unread: 'gone' } };
    });
    const text = await written('long', [{ ...ODD_SAMPLES[0], observations, holders: [] } as Sample], { full: false });
    expect(text).toContain('... 10 more lines');
    const [sample] = await readBack(text);
    expect(sample?.observations).toHaveLength(300);
    expect(sample?.observations.filter(({ task }) => task.id.tid !== undefined)).toHaveLength(80);
    expect(sample?.observations.filter(({ task }) => task.comm !== undefined)).toHaveLength(150);
  });

  it('is found among other text, and leaves the rest of it', async () => {
    const text = `$ date\nWed Nov 25 07:44:35 UTC 2026\n${await written('long', ODD_SAMPLES.slice(1, 2))}$ cat /proc/9/stack\n[<0>] f+0x1/0x2\n`;
    expect((await readBack(text)).map(({ observations }) => observations.length)).toEqual([5, 1]);
  });

  it('or anything like it is read without an exception', async () => {
    const text = await written('long', ODD_SAMPLES, { full: false });
    const words = [...new Set(text.split(/( {2,}|\n| )/))];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...words), { maxLength: 60 }), async (some) => {
        await readBack(`1 task (100.0 %)  blocked  x\n  tasks   ${some.join(' ')}`);
        await readBack(some.join(''));
      }),
    );
  });
});

describe('what was written as folded', () => {
  const pathOf = ({ task, stack, state }: Observation) => [
    task.comm,
    'value' in stack
      ? stack.value.frames.map(({ symbol }) => escapeUnsafe(symbol).replaceAll(';', '\\x3b'))
      : stack.unread,
    'value' in stack && stack.value.frames.length === 0 ? state : undefined,
  ];
  const named = (observation: Observation) => {
    const [comm, ...others] = pathOf(observation);
    return [typeof comm === 'string' ? escapeUnsafe(comm).replaceAll(';', '\\x3b') : comm, ...others];
  };
  /** Folded tells of a task without a stack whether it was in R, and takes one in Z or X for one that has ended. */
  const withoutState = (told: readonly unknown[]) => (told[2] === 'R' ? told : told.slice(0, 2));

  it.each([{ annotate: false }, { annotate: true }])('is read back as the same stacks: %o', async (context) => {
    const samples = await readBack(await written('folded', ODD_SAMPLES, context));
    const all = ODD_SAMPLES.flatMap(({ observations }) => observations);
    expect(samples).toHaveLength(1);
    expect(byTid((samples[0]?.observations ?? []).map(named).map(withoutState))).toEqual(
      byTid(all.map(named).map(withoutState)),
    );
  });

  it('keeps the name of a thread apart from its functions', async () => {
    const [sample] = await readBack(
      'kstackd;ret_from_fork;kthread;nfsd 1\nserver;nfsd;do_syscall_64;f 3\nserver;f 1\n',
    );
    expect(
      sample?.observations.map(({ task, stack }) => [
        task.processName,
        task.comm,
        'value' in stack && stack.value.frames.length,
      ]),
    ).toEqual([
      [undefined, 'kstackd', 3],
      ['server', 'nfsd', 2],
      ['server', 'nfsd', 2],
      ['server', 'nfsd', 2],
      [undefined, 'server', 1],
    ]);
  });

  it.each([
    ['folded', /^'';/],
    ['long', / tasks +'': 7/],
  ] as const)('keeps an empty name, as does %s', async (format, shown) => {
    const stack = { value: { id: 0, frames: parseFrames('[<0>] f_wait+0x1/0x9\n[<0>] do_syscall_64+0x1/0x9') } };
    const observations = [observationOf(7, { task: taskOf(7, { comm: '' }), stack })];
    const text = await written(format, [{ ...EMPTY_SAMPLE, observations }]);
    expect(text).toMatch(shown);
    const [sample] = await readBack(text);
    expect(sample?.observations.map(({ task: { comm } }) => comm)).toEqual(['']);
  });

  it('may have the functions of the program before those of the kernel', async () => {
    const functions = async (text: string) => {
      const [sample] = await readBack(text);
      return sample?.observations.map(
        ({ stack }) => 'value' in stack && stack.value.frames.map(({ symbol }) => symbol),
      );
    };
    expect(await functions('cp;main;read;entry_SYSCALL_64_[k];vfs_read_[k] 2\n')).toEqual([
      ['vfs_read', 'entry_SYSCALL_64'],
      ['vfs_read', 'entry_SYSCALL_64'],
    ]);
    expect(await functions('cp;main;read;-;entry_SYSCALL_64;vfs_read 1\n')).toEqual([['vfs_read', 'entry_SYSCALL_64']]);
  });

  it('may count microseconds off the CPU, which are one task', async () => {
    const [sample] = await readBack('cp;entry_SYSCALL_64;vfs_read;schedule 900\ncp;entry_SYSCALL_64;vfs_read 3\n');
    expect(sample?.observations).toHaveLength(4);
  });

  it('is found in other text by how tasks enter the kernel', async () => {
    const [sample] = await readBack('Of 5 seconds:\n# offcputime -f 5\ncp;entry_SYSCALL_64;vfs_read;io_schedule 9\n');
    expect(sample?.observations).toHaveLength(9);
  });

  it('is looked for only where a text begins with it', async () => {
    expect(await readBack('# a list\nname;value 12\n')).toEqual([]);
  });

  it('claims no more tasks than a kernel can have', async () => {
    const samples = await readBack('a;f_g 999999999\n'.repeat(50));
    const count = samples.reduce((sum, { observations }) => sum + observations.length, 0);
    expect(count).toBe(4_194_304);
    expect(samples.reduce((sum, { leftOut }) => sum + (leftOut.lines ?? 0), 0)).toBe(50 * 999_999_999 - count);
  });
});

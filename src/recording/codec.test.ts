import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observation, sample } from '../../test/arbitrary-sample.ts';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import { viewOf } from '../model/bytes.ts';
import type { Edge, Resource } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';
import type { Task } from '../model/task.ts';
import { Interned, SegmentDecoder } from './decode.ts';
import { SegmentEncoder } from './encode.ts';

function throughSegment(samples: readonly Sample[]): Sample[] {
  const encoder = new SegmentEncoder(0);
  const decoder = new SegmentDecoder(new Interned());
  return taken(
    decoder,
    samples.flatMap((each) => encoder.encode(each).trimEnd().split('\n')),
  );
}

/** The samples in the next lines of a segment. */
function taken(decoder: SegmentDecoder, lines: readonly string[]): Sample[] {
  return lines.flatMap((line) => {
    const bytes = Buffer.from(`${line}\n`);
    const isKnown = decoder.passKnown(viewOf(bytes), 0) !== undefined;
    return isKnown ? [] : (decoder.decode(bytes.subarray(0, -1)) ?? []);
  });
}

/** The same through segments of so many samples, of which each but the first finds most of its lines known. */
function throughSegments(samples: readonly Sample[], length: number, interned = new Interned()): Sample[] {
  const all: Sample[] = [];
  for (let from = 0; from < samples.length; from += length) {
    const encoder = new SegmentEncoder(from);
    const decoder = new SegmentDecoder(interned);
    for (const sample of samples.slice(from, from + length))
      all.push(...taken(decoder, encoder.encode(sample).trimEnd().split('\n')));
  }
  return all;
}

/** The samples of a segment with these lines. */
function decoded(...lines: object[]): Sample[] {
  const decoder = new SegmentDecoder(new Interned());
  const place = { source: { name: 'bpf' }, threads: true, fields: [], leftOut: {} };
  const all = [{ format: 'kstack-recording', version: 1, segment: 0 }, { place: 0, is: place }, ...lines];
  return taken(
    decoder,
    all.map((line) => JSON.stringify(line)),
  );
}

/** The numbers of stacks are of the process that made them. */
function withoutIds(samples: readonly Sample[]): unknown {
  return JSON.parse(JSON.stringify(samples), (_, value) => {
    if (typeof value !== 'object' || value === null || !('frames' in value) || !('id' in value)) return value;
    const { id, ...told } = value;
    return told;
  });
}

/** Streams in which tasks stay, change, come and go. */
const stream = fc
  .tuple(fc.array(observation, { minLength: 1, maxLength: 6 }), fc.array(sample, { minLength: 1, maxLength: 5 }))
  .chain(([pool, samples]) =>
    fc.tuple(
      ...samples.map((each) =>
        fc.tuple(fc.shuffledSubarray(pool), fc.subarray(pool), fc.boolean()).map(([any, inOrder, shuffled]) => ({
          ...each,
          observations: [...(shuffled ? any : inOrder), ...each.observations],
        })),
      ),
    ),
  );

describe('a recorded stream', () => {
  it('is read back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(stream, (samples) => {
        expect(withoutIds(throughSegment(samples))).toStrictEqual(withoutIds(samples));
      }),
      { numRuns: 300 },
    );
  });

  it.each([false, true])(
    'is read back in several segments, and what stays is the same object (forgets: %s)',
    (forgets) => {
      fc.assert(
        fc.property(stream, fc.integer({ min: 1, max: 3 }), (all, length) => {
          // In a stream that forgets, nothing comes back.
          const samples = forgets ? all.slice(0, length) : all;
          const twice = [...samples, ...samples];
          const read = throughSegments(twice, length, new Interned({ forgets }));
          expect(withoutIds(read)).toStrictEqual(withoutIds(twice));
          const tasks = new Map<string, Task>();
          for (const { task } of read.flatMap(({ observations }) => observations)) {
            const key = JSON.stringify(task);
            expect(tasks.get(key) ?? task).toBe(task);
            tasks.set(key, task);
          }
        }),
        { numRuns: 100 },
      );
    },
  );

  it('is written again by what changed, as it was written first', () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 2, max: 5 }), (samples, length) => {
        const read = throughSegments([...samples, ...samples], length);
        const again = throughSegments(read, length + 1);
        expect(withoutIds(again)).toStrictEqual(withoutIds([...samples, ...samples]));
      }),
      { numRuns: 100 },
    );
  });

  it('defines things by the number that is next, also in words that are known', () => {
    const task = (number: string, tid: number) =>
      `{"task":${number},"is":{"id":{"tid":${tid}},"commandLine":{"value":""}}}`;
    const head = '{"format":"kstack-recording","version":1,"segment":0}';
    const first = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'].map((number) =>
      task(number, Number(number) + 1),
    );
    const second = (...lines: string[]) => {
      const interned = new Interned();
      const [before, after] = [new SegmentDecoder(interned), new SegmentDecoder(interned)];
      taken(before, [head, ...first]);
      // The second one is made before the first has its lines: it knows all that it has by then.
      taken(after, [head, ...lines]);
    };
    expect(() => second(...first)).not.toThrow();
    expect(() => second(task('0', 2), task('1', 4))).not.toThrow();
    expect(() => second(task('1', 1))).toThrow('task 1 does not follow task -1');
    expect(() => second(task('0', 1), task('0', 2))).toThrow('task 0 does not follow task 0');
    // ':' is behind '9': one that is no digit is no number either.
    expect(() => second(...first.slice(0, 10), task(':', 11))).toThrow(SyntaxError);
  });

  it('is read back as it was with every oddity that was seen', () => {
    expect(withoutIds(throughSegment(ODD_SAMPLES))).toStrictEqual(withoutIds(ODD_SAMPLES));
  });

  it('cuts a command line that no reader would take, and says so', () => {
    const [first] = ODD_SAMPLES;
    const [seen] = first?.observations ?? [];
    if (first === undefined || seen === undefined) throw new Error('no sample');
    const task = { ...seen.task, commandLine: { value: '\x01'.repeat(3 << 20) } };
    const [read] = throughSegment([{ ...first, observations: [{ ...seen, task }] }]);
    expect(read?.observations[0]?.task.commandLine).toEqual({ value: '\x01'.repeat(1 << 20), cut: true });
  });

  it('tells edges and resources once, and of a sample that has the same ones nothing', () => {
    const edge = (from: number): Edge => ({ from, to: 'mount 45', by: 'mount', inferred: true, evidence: [] });
    const mount: Resource = { key: 'mount 45', kind: 'mount', name: '/mnt', evidence: [{ place: 'x', text: 'y' }] };
    const numbers = Array.from({ length: 1000 }, (_, at) => at + 1);
    const all = () => ({ ...EMPTY_SAMPLE, edges: numbers.map(edge), resources: [{ ...mount }] });
    const without = { ...all(), edges: numbers.filter((tid) => tid !== 500).map(edge) };
    const { edges: _, resources: __, ...none } = all();
    const empty = { ...all(), edges: [], resources: [] };
    const samples = [none, all(), all(), without, none, empty, all()];
    const encoder = new SegmentEncoder(0);
    const lines = samples.map((sample) => encoder.encode(sample).trimEnd().split('\n'));
    expect(lines.map((some) => some.length)).toEqual([3, 1002, 1, 1, 1, 1, 1]);
    const rows = lines.map((some) => {
      const { edges, resources } = JSON.parse(some.at(-1) ?? '');
      return [edges, resources];
    });
    expect(rows).toEqual([
      [undefined, undefined],
      [[[0, 1000]], [[0, 1]]],
      [undefined, undefined],
      [
        [
          [0, 499],
          [500, 500],
        ],
        undefined,
      ],
      [null, null],
      [[], []],
      [[[0, 1000]], [[0, 1]]],
    ]);
    const read = throughSegment(samples);
    expect(withoutIds(read)).toStrictEqual(withoutIds(samples));
    expect(read[2]?.edges).toBe(read[1]?.edges);
  });

  it.each<[object, string]>([
    [{ put: [[0, 0, 0, 0, 0, 5, 9e15]] }, 'time off the CPU: 9000000000000000 is not a duration'],
    [{ put: [[0, 0, 0, 0, 0, 1e300]] }, 'switches: 1e+300 is not a count of 32 bits'],
    [{ put: [[0, 0, 0, 0, 0.5]] }, 'cpu: 0.5 is not a count of 32 bits'],
  ])('refuses a number that nobody can count or add to a time: %j', (tasks, message) => {
    const task = { id: { tid: 1 }, commandLine: { value: '' } };
    const known = [
      { task: 0, is: task },
      { stack: 0, frames: [] },
      { look: 0, is: {} },
    ];
    expect(() => decoded(...known, { sample: 0, timeMs: 1, monotonicMs: 1, tasks })).toThrow(message);
  });

  it.each<[object, string]>([
    [{ timeMs: 8.64e15 }, 'sample.timeMs: 8640000000000000 is not a time'],
    [{ monotonicMs: 4e12 }, 'sample.monotonicMs: 4000000000000 is not a duration'],
    [{ uptimeSeconds: -1 }, 'sample.uptimeSeconds: -1 is not a time'],
    [{ pressure: { io: { some: 101 } } }, 'sample.pressure.io.some: 101 is not a percentage'],
  ])('refuses a moment that cannot be: %j', (told, message) => {
    expect(() => decoded({ sample: 0, ...told })).toThrow(message);
  });

  it.each<[object, string]>([
    [{ look: 0, is: { facts: { offCpuMs: 1e13 } } }, 'look.facts.offCpuMs: 10000000000000 is not a duration'],
    [{ look: 0, is: { facts: { switches: 2 ** 32 } } }, 'look.facts.switches: 4294967296 is not a count of 32 bits'],
    [{ look: 0, is: { cpu: 2 ** 32 } }, 'look.cpu: 4294967296 is not a count of 32 bits'],
    [{ task: 0, is: { id: { startTicks: 4e12 } } }, 'task.id.startTicks: 4000000000000 is not a number of ticks'],
    [{ place: 1, is: { bootTimeSeconds: 1e12 } }, 'place.bootTimeSeconds: 1000000000000 is not a time'],
    [{ place: 1, is: { ticksPerSecond: 0 } }, 'place.ticksPerSecond: 0 ticks are none'],
    [{ place: 1, is: { intervalMs: 1e13 } }, 'place.intervalMs: 10000000000000 is not a duration'],
  ])('refuses a definition with such a number: %j', ({ is, ...kind }: object & { is?: object }, message) => {
    const place = { source: { name: 'bpf' }, threads: true, fields: [], leftOut: {} };
    const whole = 'place' in kind ? { ...kind, is: { ...place, ...is } } : { ...kind, is };
    const line = 'task' in kind ? { ...kind, is: { commandLine: { value: '' }, ...is } } : whole;
    expect(() => decoded(line)).toThrow(message);
  });

  it('leaves out edges and resources of a kind that only a later kstack knows', () => {
    const read = decoded(
      { edge: 0, is: { from: 1, to: 2, by: 'telepathy', evidence: [] } },
      { edge: 1, is: { from: 1, to: 'mount 45', by: 'mount', evidence: [], since: 4 } },
      { resource: 0, is: { key: 'mount 45', kind: 'realm', name: 'x', evidence: [] } },
      { sample: 0, edges: [[0, 2]], resources: [[0, 1]] },
    );
    expect(read).toMatchObject([{ edges: [{ from: 1, to: 'mount 45', by: 'mount', evidence: [] }], resources: [] }]);
  });

  it.each([
    ['edge 2 is not defined', [[0, 3]]],
    ['more than 1000000 in a sample: edge', Array.from({ length: 500_001 }, () => [0, 2])],
    ['sample.edges: not a list of runs', [7]],
    ['sample.edges: -1 is not a count', [[0, -1]]],
  ])('has bounds: %s', (message, edges) => {
    const told = { from: 1, to: 2, by: 'mutex', evidence: [] };
    expect(() => decoded({ edge: 0, is: told }, { edge: 1, is: told }, { sample: 0, edges })).toThrow(message);
  });

  it.each([
    ['edge.from: 0 is not', { from: 0, to: 2, by: 'mutex', evidence: [] }],
    ['edge.to: nothing is not a text', { from: 1, by: 'mutex', evidence: [] }],
    ['edge.evidence: nothing is not a list', { from: 1, to: 2, by: 'mutex' }],
    ['edge.any: false is not true', { from: 1, to: 2, by: 'mutex', evidence: [], any: false }],
  ])('takes no edge that is none: %s', (message, is) => {
    expect(() => decoded({ edge: 0, is })).toThrow(message);
  });

  it('keeps equal tasks and equal stacks as one object', () => {
    const [first] = ODD_SAMPLES;
    if (first === undefined) throw new Error('no sample');
    const [a, b] = throughSegment([first, { ...first, timeMs: 1 }]);
    expect(a?.observations[0]?.task).toBe(b?.observations[0]?.task);
    expect(a?.observations[0]?.stack).toBe(b?.observations[0]?.stack);
  });
});

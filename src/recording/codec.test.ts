import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observation, sample } from '../../test/arbitrary-sample.ts';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import type { Edge, Resource } from '../model/edge.ts';
import type { Sample } from '../model/sample.ts';
import { Interned, SegmentDecoder } from './decode.ts';
import { SegmentEncoder } from './encode.ts';

function throughSegment(samples: readonly Sample[]): Sample[] {
  const encoder = new SegmentEncoder(0);
  const decoder = new SegmentDecoder(new Interned());
  const lines = samples.flatMap((each) => encoder.encode(each).trimEnd().split('\n'));
  return lines.flatMap((line) => decoder.decode(line) ?? []);
}

/** The samples of a segment with these lines. */
function decoded(...lines: object[]): Sample[] {
  const decoder = new SegmentDecoder(new Interned());
  const place = { source: { name: 'bpf' }, threads: true, fields: [], leftOut: {} };
  const all = [{ format: 'kstack-recording', version: 1, segment: 0 }, { place: 0, is: place }, ...lines];
  return all.flatMap((line) => decoder.decode(JSON.stringify(line)) ?? []);
}

/** The numbers of stacks are of the process that made them. */
function withoutIds(samples: readonly Sample[]): unknown {
  return JSON.parse(JSON.stringify(samples), (_, value) => {
    if (typeof value !== 'object' || value === null || !('frames' in value) || !('id' in value)) return value;
    return { frames: value.frames };
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observation, sample } from '../../test/arbitrary-sample.ts';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import type { Sample } from '../model/sample.ts';
import { Interned, SegmentDecoder } from './decode.ts';
import { SegmentEncoder } from './encode.ts';

function throughSegment(samples: readonly Sample[]): Sample[] {
  const encoder = new SegmentEncoder(0);
  const decoder = new SegmentDecoder(new Interned());
  const lines = samples.flatMap((each) => encoder.encode(each).trimEnd().split('\n'));
  return lines.flatMap((line) => decoder.decode(line) ?? []);
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

  it('keeps equal tasks and equal stacks as one object', () => {
    const [first] = ODD_SAMPLES;
    if (first === undefined) throw new Error('no sample');
    const [a, b] = throughSegment([first, { ...first, timeMs: 1 }]);
    expect(a?.observations[0]?.task).toBe(b?.observations[0]?.task);
    expect(a?.observations[0]?.stack).toBe(b?.observations[0]?.stack);
  });
});

import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import type { Sample } from '../model/sample.ts';
import { format } from './pprof.ts';

async function profileOf(...samples: Sample[]): Promise<Profile> {
  const context = {
    zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
    colour: false,
    full: false,
    annotate: false,
  };
  const pieces: Uint8Array[] = [];
  for await (const piece of format.write(samples, context)) pieces.push(Buffer.from(piece));
  return Profile.decode(gunzipSync(Buffer.concat(pieces)));
}

const at = (timeMs: number): Sample => ({ ...EMPTY_SAMPLE, timeMs, observations: [observationOf(1)] });
const { timeMs: _, ...WITHOUT_TIME } = at(0);

it('begins with the first sample that has a time, and lasts until the last', async () => {
  const { timeNanos, durationNanos, sample } = await profileOf(
    WITHOUT_TIME,
    at(5_000_000),
    WITHOUT_TIME,
    at(5_060_000),
    WITHOUT_TIME,
  );
  expect([Number(timeNanos), Number(durationNanos)]).toEqual([5e12, 60e9]);
  expect(sample.map(({ value }) => Number(value[0]))).toEqual([5]);
});

it('has no time where no sample has one', async () => {
  const { timeNanos, durationNanos } = await profileOf(WITHOUT_TIME);
  expect([Number(timeNanos), Number(durationNanos)]).toEqual([0, 0]);
});

it('takes a time that is not whole', async () => {
  const { timeNanos } = await profileOf(at(1.5));
  expect(Number(timeNanos)).toBe(1_000_000);
});

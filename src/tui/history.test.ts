import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anySample } from '../../test/any-samples.ts';
import type { Sample } from '../model/sample.ts';
import { History } from './history.ts';

describe('History', () => {
  it('gives back each sample that it keeps', () => {
    fc.assert(
      fc.property(
        fc.array(anySample, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat({ max: 20 })),
        (samples, looks) => {
          const history = new History(1 << 20);
          samples.forEach((sample) => {
            history.add(sample);
          });
          expect([history.first, history.next]).toEqual([0, samples.length]);
          for (const number of looks)
            expect(plain(history.at(number))).toEqual(plain(number < samples.length ? samples[number] : undefined));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('forgets the oldest, and stays within its bounds', () => {
    const [sample] = fc.sample(anySample, { numRuns: 1, seed: 1 });
    if (sample === undefined) throw new Error('no sample to test with');
    const history = new History(8000);
    for (let time = 0; time < 600; time++) history.add({ ...sample, timeMs: time });
    expect(history.first).toBeGreaterThan(300);
    expect(history.at(history.first - 1)).toBeUndefined();
    expect(history.at(history.first)?.timeMs).toBe(history.first);
    expect(history.at(599)?.timeMs).toBe(599);
    expect(history.at(600)).toBeUndefined();
  });

  it('gives back what it keeps however often it has gone through its memory', () => {
    const samples = fc.sample(anySample, { numRuns: 400, seed: 2 });
    const history = new History(150_000);
    for (const [at, sample] of samples.entries()) {
      history.add(sample);
      if (at % 100 !== 99) continue;
      for (let number = history.first; number < history.next; number += 7)
        expect(plain(history.at(number))).toEqual(plain(samples[number]));
    }
    const kept = history.next - history.first;
    expect(kept > 60 && kept < 200, `${kept}`).toBe(true);
  });

  it('keeps at least the latest samples where not even they have room', () => {
    const samples = fc.sample(anySample, { numRuns: 150, seed: 3 });
    const history = new History(10);
    for (const sample of samples) history.add(sample);
    expect([history.first, history.next]).toEqual([120, 150]);
    expect(plain(history.at(149))).toEqual(plain(samples[149]));
  });
});

/** Numbers of stacks are given anew when a recording is read. */
function plain(sample: Sample | undefined): unknown {
  return sample === undefined ? undefined : JSON.parse(JSON.stringify(sample).replaceAll(/"id":\d+/g, '"id":0'));
}

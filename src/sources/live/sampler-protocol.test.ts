import { expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../../test/odd-samples.ts';
import type { Sample } from '../../model/sample.ts';
import { linesOf } from '../../recording/lines.ts';
import { recordedSamples } from '../../recording/read.ts';
import { SampleEncoder, type SamplerMessage, withoutMessages } from './sampler-protocol.ts';

async function* chunks(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

/** What arrives of a text in pieces of so many bytes: samples and messages, in their order. */
async function received(text: string, bytes = 1000): Promise<(Sample | SamplerMessage)[]> {
  const all: (Sample | SamplerMessage)[] = [];
  const damaged = (line: number, why: string) => {
    throw new Error(`line ${line}: ${why}`);
  };
  const lines = withoutMessages(linesOf(chunks(text, bytes)), (message) => all.push(message));
  for await (const sample of recordedSamples(lines, damaged)) all.push(sample);
  return all;
}

const withoutIds = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(/"id":\d+/g, '"id":0'));

it.each([1, 7, 1000, 1 << 20])('samples arrive as they were sent, in pieces of %i bytes', async (bytes) => {
  const encoder = new SampleEncoder();
  const text = ODD_SAMPLES.map((sample) => encoder.encode(sample)).join('');
  expect(withoutIds(await received(text, bytes))).toEqual(withoutIds(ODD_SAMPLES));
});

it('messages arrive behind the samples that were sent before them', async () => {
  const encoder = new SampleEncoder();
  const [sample] = ODD_SAMPLES;
  if (sample === undefined) throw new Error('no sample');
  const message = (text: string) => `${JSON.stringify({ kind: 'tell', text })}\n`;
  const text = `{"kind":"ready"}\n${encoder.encode(sample)}${message('a')}${message('b\u2028')}${encoder.encode(sample)}`;
  for (const bytes of [1, 50, 1 << 20]) {
    const all = await received(text, bytes);
    expect(all.map((each) => ('kind' in each ? each.kind : 'sample'))).toEqual([
      'ready',
      'sample',
      'tell',
      'tell',
      'sample',
    ]);
    expect(all[3]).toEqual({ kind: 'tell', text: 'b\u2028' });
  }
});

it('a sample that has nothing new is sent anew once much has changed', async () => {
  const encoder = new SampleEncoder();
  const [sample] = ODD_SAMPLES;
  const [seen] = sample?.observations ?? [];
  if (sample === undefined || seen === undefined) throw new Error('no sample');
  const named = (name: string): Sample => ({
    ...sample,
    observations: [{ ...seen, task: { ...seen.task, commandLine: { value: name.repeat(1 << 20) } } }],
  });
  const isFirst = (each: Sample) => encoder.encode(each).startsWith('{"format"');
  expect(['a', 'b', 'c', 'd'].map((name) => isFirst(named(name)))).toEqual([true, false, false, true]);
});

it('what is the same in two samples is sent once, and is the same object where it arrives', async () => {
  const encoder = new SampleEncoder();
  const [sample] = ODD_SAMPLES;
  if (sample === undefined) throw new Error('no sample');
  const texts = [sample, { ...sample, timeMs: 2 }].map((each) => encoder.encode(each));
  expect(texts[1]?.length).toBeLessThan((texts[0]?.length ?? 0) / 10);
  const [first, second] = (await received(texts.join(''))) as Sample[];
  for (const [at, { task, stack }] of (second?.observations ?? []).entries()) {
    expect(task).toBe(first?.observations[at]?.task);
    const before = first?.observations[at]?.stack;
    if ('value' in stack && before !== undefined && 'value' in before) expect(stack.value).toBe(before.value);
  }
});

it('both sides begin anew before they have kept too much', async () => {
  const encoder = new SampleEncoder();
  const texts = Array.from({ length: 200 }, (_, at) => {
    const [sample] = ODD_SAMPLES;
    if (sample === undefined) throw new Error('no sample');
    return encoder.encode({ ...sample, timeMs: at });
  });
  expect(texts.filter((text) => text.startsWith('{"format":')).length).toBeGreaterThan(2);
  const all = (await received(texts.join(''))) as Sample[];
  expect(all.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 200 }, (_, at) => at));
});

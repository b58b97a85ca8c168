import { expect, it } from 'vitest';
import type { Observation, Sample } from '../../model/sample.ts';
import { SampleDecoder, SampleEncoder, type SamplerAnswer } from './sampler-protocol.ts';

const stack = { value: { id: 7, frames: [{ symbol: 'f', offset: 1, size: 2, raw: '[<0>] f+0x1/0x2' }] } };

function sampleOf(count: number, holders: number): Sample {
  const observation = (tid: number): Observation => ({
    task: { id: { tid, startTicks: 5 }, pid: tid, comm: 'x\udcff', commandLine: { value: 'x\0-y\0' } },
    state: 'D',
    stack: tid % 3 === 0 ? { unread: 'timeout' } : stack,
    facts: { offCpuMs: tid },
  });
  return {
    timeMs: 1,
    host: 'h',
    bootId: { value: 'b' },
    kernel: '6.18',
    source: { name: 'bpf' },
    threads: true,
    fields: [],
    observations: Array.from({ length: count }, (_, at) => observation(at + 1)),
    holders: Array.from({ length: holders }, (_, at) => observation(count + at + 1)),
    leftOut: { idle: 3 },
    unread: [{ tid: 9, what: 'task', why: 'gone' }],
  };
}

/** As lines of JSON, in which a task and a stack are no objects any more that anybody else has. */
function send(encoder: SampleEncoder, decoder: SampleDecoder, sample: Sample): { decoded: Sample; bytes: number } {
  let bytes = 0;
  for (const piece of encoder.encode(sample)) {
    const line = JSON.stringify(piece);
    bytes += line.length;
    const answer: SamplerAnswer = JSON.parse(line);
    if (answer.kind === 'part') decoder.take(answer.part);
    if (answer.kind === 'sample') return { decoded: decoder.end(answer.sample), bytes };
  }
  throw new Error('the encoder never came to an end');
}

const withoutIds = (sample: Sample) =>
  JSON.parse(JSON.stringify(sample, (key, value) => (key === 'id' && typeof value === 'number' ? 0 : value)));

it.each([
  [0, 0],
  [1, 0],
  [0, 2],
  [500, 0],
  [1700, 3],
])('%i observations and %i holders arrive as they were sent', (count, holders) => {
  const sample = sampleOf(count, holders);
  const { decoded } = send(new SampleEncoder(), new SampleDecoder(), sample);
  expect(withoutIds(decoded)).toEqual(withoutIds(sample));
});

it('what is the same in two samples is sent once, and is the same object where it arrives', () => {
  const encoder = new SampleEncoder();
  const decoder = new SampleDecoder();
  const sample = sampleOf(1000, 0);
  const first = send(encoder, decoder, sample);
  const second = send(encoder, decoder, { ...sample, timeMs: 2 });
  expect(second.bytes).toBeLessThan(first.bytes * 0.75);
  for (const [at, { task, stack }] of second.decoded.observations.entries()) {
    expect(task).toBe(first.decoded.observations[at]?.task);
    if ('value' in stack) expect(stack).toBe(first.decoded.observations[at]?.stack);
  }
});

it('both sides begin anew before they have kept too much', () => {
  const encoder = new SampleEncoder();
  const decoder = new SampleDecoder();
  // Each sample has other tasks: none is the same object.
  for (let round = 0; round < 4; round++) {
    const sample = sampleOf(70_000, 0);
    const { decoded } = send(encoder, decoder, sample);
    expect(decoded.observations).toHaveLength(70_000);
    expect(decoded.observations[69_999]?.task.id.tid).toBe(70_000);
  }
});

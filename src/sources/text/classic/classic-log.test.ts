import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Changes, changesBetween, compared } from '../../../model/changes.ts';
import type { Observation, Sample } from '../../../model/sample.ts';
import { type InputNotes, textSamples } from '../index.ts';
import { InternedStacks } from '../interned.ts';
import { TextReader } from '../reader.ts';
import { Lines } from '../wrapping/lines.ts';

const STACKS = [
  '[<0>] do_wait+0x15c/0x2e0\n[<0>] kernel_wait4+0xbc/0x168',
  '[<0>] ep_poll+0x2a4/0x340\n[<0>] do_epoll_wait+0xb0/0xd0\n[<0>] do_syscall_64+0x5d/0x90',
  '',
  '[<0>] xfs_buf_lock+0x1/0x2 [xfs]',
];

/** Which stack each task has in a sample; undefined for one that is not there. */
type Moment = readonly (number | undefined)[];

const NAMES = ['-bash ', 'kworker/0:1', 'tmux: server', 'a) D 1', 'x'.repeat(5000), 'caf\\xe9'];

function logOf(moments: readonly Moment[]): string {
  return moments.map(textOf).join('');
}

/** Some tasks have one number, as a damaged log has it. */
const TASKS = 9;

function textOf(moment: Moment, at: number): string {
  const groups = new Map<number, string[]>();
  for (const [place, stack] of moment.entries()) {
    if (stack === undefined) continue;
    const task = place % TASKS;
    const line = `PID: ${String(task + 1).padStart(5)}   State:  ${stack === 0 ? 'D' : 'S'}   Start Time: 2023/09/30 15:09:59   Cmd: ${NAMES[task % NAMES.length]}`;
    groups.set(stack, [...(groups.get(stack) ?? []), line]);
  }
  const blocks = [...groups].map(([stack, lines]) => `${lines.join('\n')}\nStack:\n${STACKS[stack]}\n\n`);
  return `zzz <Sat Sep 30 17:${String(at % 60).padStart(2, '0')}:16 UTC 2023 - db1\n\n${blocks.join('')}`;
}

/** What was seen, without what tells one reader from another. */
function seen({ timeMs, host, source, threads, leftOut, observations }: Sample) {
  const tasks = observations.map(({ task, state, stack }) => [
    task.id.tid,
    task.comm,
    state,
    'value' in stack ? stack.value.frames.map(({ raw }) => raw) : stack.unread,
  ]);
  return { timeMs, host, source, threads, leftOut, tasks };
}

/** How many more there are of what; what is gone and comes again is neither. */
function balanceOf({ gone, come }: Changes): Map<Observation, number> {
  const balance = new Map<Observation, number>();
  for (const observation of come) balance.set(observation, (balance.get(observation) ?? 0) + 1);
  for (const observation of gone) balance.set(observation, (balance.get(observation) ?? 0) - 1);
  return new Map([...balance].filter(([, count]) => count !== 0));
}

async function read(text: string, size = 1 << 16): Promise<Sample[]> {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  const samples: Sample[] = [];
  for await (const sample of textSamples(chunks)) samples.push(sample);
  return samples;
}

function readByLine(text: string): Sample[] {
  const found: Sample[] = [];
  const reader = new TextReader(new InternedStacks(), {}, found, { known: undefined, assumeTimeMs: undefined });
  const lines = new Lines((part) => reader.take(part));
  lines.take(Buffer.from(text));
  lines.end();
  reader.end();
  return found;
}

const moment: fc.Arbitrary<Moment> = fc.array(fc.option(fc.nat(STACKS.length - 1), { nil: undefined }), {
  maxLength: 12,
});

describe('a classic log', () => {
  it('in blocks is what it is line by line, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), async (moments, size) => {
        const text = logOf(moments);
        const byBlock = (await read(text, size)).map(seen);
        // Line by line, a sample without tasks is none.
        expect(byBlock.filter(({ tasks }) => tasks.length > 0)).toEqual(readByLine(text).map(seen));
        expect(byBlock.length).toBe(moments.length);
      }),
    );
  });

  it('tells what changed between its samples', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 6 }), async (moments) => {
        const samples = await read(logOf(moments));
        for (const [at, sample] of samples.entries()) {
          const before = samples[at - 1];
          if (before === undefined) continue;
          const [told, real] = [changesBetween(before, sample), compared(before.observations, sample.observations)];
          expect(balanceOf(told)).toEqual(balanceOf(real));
        }
      }),
    );
  });

  it('has the same objects for what stays as it is', async () => {
    const [first, second] = await read(
      logOf([
        [0, 1, 1, 3],
        [0, 1, 2, 3],
      ]),
    );
    const kept = first?.observations.filter((observation) => second?.observations.includes(observation));
    expect(kept?.map(({ task }) => task.id.tid)).toEqual([1, 2, 4]);
  });

  it('that is torn anywhere has all samples but the torn one', async () => {
    const whole = logOf([
      [0, 1],
      [1, 1, 2],
      [3, 0],
    ]);
    const torn = textOf([0, 1, 2, 3], 9);
    for (let length = 1; length < torn.length - 2; length += 7) {
      const samples = await read(`${whole}${torn.slice(0, length)}\n${whole}`);
      const times = samples.map(({ timeMs = 0 }) => new Date(timeMs).getUTCMinutes());
      expect(times.filter((minute) => minute !== 9)).toEqual([0, 1, 2, 0, 1, 2]);
    }
  });

  it('has a sample for a moment without tasks', async () => {
    expect((await read(logOf([[], [0], []]))).map(({ observations }) => observations.length)).toEqual([0, 1, 0]);
  });

  it('may stand behind anything', async () => {
    const samples = await read(`some words\n[<0>] f+0x1/0x2\n\n${logOf([[0], [1]])}`);
    expect(samples.map(({ timeMs }) => timeMs !== undefined)).toEqual([false, true, true]);
  });
});

it('with other line ends is the same, and is not called torn', async () => {
  const text = logOf([
    [1, 2],
    [1, 0, 2],
  ]);
  const notes: InputNotes = {};
  const samples: Sample[] = [];
  for await (const sample of textSamples([text.replaceAll('\n', '\r\n')], { notes })) samples.push(sample);
  expect(notes.odd).toBeUndefined();
  expect(samples.map(seen)).toEqual((await read(text)).map(seen));
});

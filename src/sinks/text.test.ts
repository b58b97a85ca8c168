import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, taskOf } from '../../test/samples.ts';
import { groupByStack } from '../analysis/group.ts';
import { commandLineText } from '../model/command-line.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { StackTable } from '../model/stack.ts';
import { STATES } from '../model/task.ts';
import { decodeBytes } from '../native/decode.ts';
import { textSamples } from '../sources/text/index.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatText } from './text.ts';

const UTC = { offsetSeconds: 0, abbreviation: 'UTC' };
const zoneAt = () => ({ offsetSeconds: 3600, abbreviation: 'CET' });

async function readBack(samples: readonly Sample[]): Promise<Sample[]> {
  const read: Sample[] = [];
  for await (const sample of textSamples(samples.flatMap((sample) => [...formatText(sample, { zoneAt })])))
    read.push(sample);
  return read;
}

/** The tasks of a sample, those that share a stack one behind the other. */
function inGroups(sample: Sample): Observation[] {
  return groupByStack(sample).flatMap(({ observations }) => observations);
}

/** Old kernels print where they have loaded a function; stacks that differ in nothing else are one to a reader. */
const withoutAddress = (raw: string) => raw.replace(/^\[<[0-9a-f]+>\]/, '[<0>]');

/** What the classic text tells of a task: its name is that of the thread, or how its process was called. */
function toldOf({ task, state, stack }: Observation, threads: boolean) {
  const { id, pid, comm, commandLine } = task;
  const command = !threads && 'value' in commandLine ? commandLineText(commandLine.value) : '';
  const name = command === '' ? comm : command;
  return {
    tid: id.tid,
    pid: threads ? pid : undefined,
    name: name === undefined ? undefined : escapeUnsafe(name).trim(),
    state,
    frames: 'value' in stack ? stack.value.frames.map(({ raw }) => withoutAddress(escapeUnsafe(raw))) : [],
  };
}

function asRead({ task, state, stack }: Observation) {
  const frames = 'value' in stack ? stack.value.frames.map(({ raw }) => withoutAddress(raw)) : stack;
  return { tid: task.id.tid, pid: task.pid, name: task.comm, state, frames };
}

/** Lines in the form of /proc/PID/stack. */
const isPrinted = ({ stack }: Observation) =>
  !('value' in stack) || stack.value.frames.every(({ raw }) => raw.startsWith('[<'));

describe('the classic text, read back', () => {
  it('has the times and hosts of the odd samples, to the second and without what acts on a terminal', async () => {
    const places = (await readBack(ODD_SAMPLES)).map(({ timeMs, host }) => [timeMs, host]);
    const seconds = (timeMs = Number.NaN) => Math.floor(timeMs / 1000) * 1000;
    expect(places).toEqual(
      ODD_SAMPLES.map(({ timeMs, host }) => [
        timeMs && seconds(timeMs),
        host === undefined ? undefined : escapeUnsafe(host),
      ]),
    );
  });

  it('has the same tasks, states, names and stacks', async () => {
    const samples = ODD_SAMPLES.map((sample) => ({ ...sample, observations: sample.observations.filter(isPrinted) }));
    const read = await readBack(samples);
    expect(read).toHaveLength(samples.length);
    for (const [at, sample] of read.entries()) {
      const written = samples[at] ?? EMPTY_SAMPLE;
      expect(sample.observations.map(asRead)).toEqual(
        inGroups(written).map((observation) => toldOf(observation, written.threads)),
      );
    }
  });

  it('and written again is what it was, but for blanks at the ends of lines and old addresses', async () => {
    const textOf = (sample: Sample) => [...formatText(sample, { zoneAt: () => UTC })].join('');
    const tidied = (text: string) =>
      text
        .split('\n')
        .map((line) => withoutAddress(line.trimEnd()))
        .join('\n');
    const samples = ODD_SAMPLES.map((sample) => ({ ...sample, observations: sample.observations.filter(isPrinted) }));
    const written = samples.filter(({ observations }) => observations.length > 0).map(textOf);
    const again: string[] = [];
    for await (const sample of textSamples(written)) again.push(textOf(sample));
    expect(again.map(tidied)).toEqual(written.map(tidied));
    expect(written.join('')).toMatch(/TID: .*Start Time: 20.*Thread: .*Cmd: server/);
  });

  const symbol = fc.stringMatching(/^[a-z_][\w.]{0,30}$/);
  const hex = fc.nat({ max: 0xffff }).map((number) => `0x${number.toString(16)}`);
  const address = fc.constantFrom('0', 'ffffffff81a5d5d1', 'ffffffffffffffff');
  const frame = fc
    .tuple(address, symbol, hex, hex, fc.constantFrom('', ' [xfs]', ' [nf_tables]'))
    .map(([at, name, offset, size, module]) => `[<${at}>] ${name}+${offset}/${size}${module}`);
  const bare = fc.constantFrom('[<0>] 0xffffffffc0123456', '[<ffffffffc0123456>] 0xffffffffc0123456');
  /** The separator of -L in a name is one: nothing tells it from that behind the name. */
  const comm = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.uint8Array({ maxLength: 15 }).map((bytes) => decodeBytes(Buffer.from(bytes))),
      fc.constantFrom('PID: 1', 'Stack:', ' x ', '[<0>] f+0x1/0x2', 'a\u2028b', 'a\r', 'zzz <', 'unknow', '?'),
    )
    .filter((name) => escapeUnsafe(name).trim() !== '');
  const task = fc.record({ comm, state: fc.constantFrom(...STATES), tid: fc.integer({ min: 1, max: 4194304 }) });
  const group = fc.record({
    lines: fc.array(fc.oneof({ weight: 4, arbitrary: frame }, bare), { maxLength: 8 }),
    tasks: fc.array(task, { minLength: 1, maxLength: 3 }),
  });

  it('has any stacks of any tasks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 4 }), fc.boolean(), async (groups, threads) => {
        const stacks = new StackTable();
        const observations = groups.flatMap(({ lines, tasks }) =>
          tasks.map(({ comm, state, tid }): Observation => {
            return { task: taskOf(tid, { pid: 7, comm }), state, stack: { value: stacks.intern(lines.join('\n')) } };
          }),
        );
        const sample = { ...EMPTY_SAMPLE, threads, observations };
        const [read, ...others] = await readBack([sample]);
        expect(others).toEqual([]);
        expect(read?.observations.map(asRead)).toEqual(
          inGroups(sample).map((observation) => toldOf(observation, threads)),
        );
      }),
      { numRuns: 500 },
    );
  });
});

it('has no sample where a log tells only what happened', () => {
  const events = [{ kind: 'nfs', text: 'nfs: server filer OK' }] as const;
  expect([...formatText({ ...EMPTY_SAMPLE, source: { name: 'text' }, events }, { zoneAt })]).toEqual([]);
  expect([...formatText({ ...EMPTY_SAMPLE, source: { name: 'bpf' }, events }, { zoneAt })]).toHaveLength(1);
});

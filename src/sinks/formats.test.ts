import { afterAll, describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import type { KernelFacts, Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import type { Piece, WriteContext } from './format.ts';
import { FORMAT_NAMES, type FormatName, loadFormat } from './formats.ts';

const STACK = {
  id: 0,
  frames: parseFrames('[<0>] futex_wait_queue+0x60/0x90\n[<0>] futex_wait+0x180/0x260\n[<0>] do_futex+0x105/0x1a0'),
};
const FIRST = 1000;

/** So many threads in one stack. */
function sampleOf(count: number, factsOf: (tid: number) => KernelFacts): Sample {
  const observations = Array.from({ length: count }, (_, at) => {
    const tid = FIRST + at;
    const task = taskOf(tid, { pid: FIRST, comm: 'java', uid: { value: 0 }, user: 'root' });
    return observationOf(tid, { task, state: 'S', stack: { value: STACK }, cpu: at % 8, facts: factsOf(tid) });
  });
  return { ...EMPTY_SAMPLE, threads: true, fields: ['uid'], observations };
}

const CONTEXT: WriteContext = {
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  colour: false,
  full: false,
  annotate: false,
};

async function piecesOf(name: FormatName, sample: Sample, context: Partial<WriteContext> = {}): Promise<Piece[]> {
  const { write } = await loadFormat(name);
  const pieces: Piece[] = [];
  for await (const piece of write([sample], { ...CONTEXT, ...context })) pieces.push(piece);
  return pieces;
}

interface Wait {
  readonly root: { readonly tid: number } | null;
  readonly deadlock: boolean;
  readonly tasks: number;
  readonly edges: readonly number[];
}

/** The waits that a JSON document has. */
async function waitsIn(sample: Sample): Promise<Wait[]> {
  const pieces = (await piecesOf('json', sample)).map(String);
  const from = pieces.findIndex((piece) => piece.endsWith('"waits":[\n'));
  const to = pieces.findIndex((piece) => piece.startsWith('],\n"resources":['));
  return JSON.parse(`[${pieces.slice(from + 1, to).join('')}]`);
}

const waitsFor = (owner: number): KernelFacts => ({ offCpuMs: 1000, lock: { kind: 'mutex', address: '1', owner } });

describe('35,000 threads in one stack', () => {
  const count = 35_000;
  let shared: Sample | undefined;
  /** A sample that no test changes, made once. */
  const asleep = () => {
    shared ??= sampleOf(count, (tid) => ({ offCpuMs: tid }));
    return shared;
  };
  afterAll(() => {
    shared = undefined;
  });

  it('are more than a call takes arguments', () => {
    expect(() => Math.max(...Array.from({ length: count }, () => 0))).toThrow(RangeError);
  });

  it.each(FORMAT_NAMES)('are written as %s', async (name) => {
    const pieces = await piecesOf(name, asleep());
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    expect(bytes).toBeGreaterThan(30);
    const first = pieces.slice(0, 10).map(String).join('');
    if (name === 'long') expect(first).toContain(`${count} tasks (100.0 %)  idle for 1.0 s to 36 s`);
    if (name === 'folded') expect(first).toMatch(/;futex_wait_queue 35000\n$/);
  });

  it.each([
    ['all for one mutex', (tid: number) => (tid === FIRST ? {} : waitsFor(FIRST))],
    ['each for the next', (tid: number) => (tid === FIRST ? {} : waitsFor(tid - 1))],
  ])('that wait, %s, are counted behind their root, and each is named in json', async (_, factsOf) => {
    const sample = sampleOf(count, factsOf);
    const [long] = (await piecesOf('long', sample)).map(String).filter((piece) => piece.includes('holds up'));
    expect(long).toMatch(/^1000 java holds up 34999 tasks, and itself waits for /);
    const [wait, ...others] = await waitsIn(sample);
    expect([wait?.root?.tid, wait?.tasks, wait?.edges.length, others]).toEqual([FIRST, count - 1, count - 1, []]);
  });

  it('that wait for each other in a circle are one deadlock', async () => {
    const sample = sampleOf(count, (tid) => waitsFor(tid === FIRST ? FIRST + count - 1 : tid - 1));
    const [wait, ...others] = await waitsIn(sample);
    expect([wait?.deadlock, wait?.tasks, wait?.edges.length, others]).toEqual([true, count, count, []]);
  });

  it('have each number in --full', async () => {
    const text = (await piecesOf('long', asleep(), { full: true })).join('');
    expect(text).toContain(` ${FIRST}/${FIRST + count - 1}  root  S  cpu 0-7\n`);
  });
});

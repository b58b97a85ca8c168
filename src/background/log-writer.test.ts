import { describe, expect, it } from 'vitest';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import type { Piece } from '../recording/write.ts';
import type { Append } from './log-file.ts';
import type { LogFormat } from './log-format.ts';
import { LogWriter } from './log-writer.ts';
import type { Refusal } from './rotating-log.ts';
import type { RunState } from './run-file.ts';

const sample = (host: string) => ({ ...EMPTY_SAMPLE, host });

function pieceOf(text: string, continues = false): Piece {
  return { length: text.length, continues, at: () => Buffer.from(text) };
}

/** A sample becomes its host's name. With `inGroups`, four continue each other, unless they must not: `a+b+c+d`. */
function formatOf(inGroups: boolean, waitsForSpace: boolean): LogFormat {
  let place = 0;
  return {
    waitsForSpace,
    add: async ({ host }) => {
      const continues = inGroups && place++ % 4 !== 0;
      return pieceOf(`${continues ? '+' : ' '}${host}`, continues);
    },
    alone: async ({ host }) => pieceOf(` ${host}`),
    begin: () => {
      place = 0;
    },
    end: async () => {
      const isOpen = inGroups && place % 4 !== 0;
      place = 0;
      return isOpen ? pieceOf('.', true) : undefined;
    },
  };
}

/** A log that takes what is written, or refuses it, as the test says. */
function setting(mostWaitingBytes: number, { inGroups = false, waitsForSpace = false } = {}) {
  const written: string[] = [];
  const said: string[] = [];
  const log = { refusal: undefined as Refusal | undefined };
  const times = { startedMs: 0, endsMs: 1, writtenMs: 0 };
  let state: RunState = { pid: 1, startTicks: 1, ...times, samples: 0, messages: [] };
  const journal = {
    get state() {
      return state;
    },
    change: (change: Partial<RunState>) => {
      state = { ...state, ...change };
    },
    say: (_: string, text: string) => void said.push(text),
    announce: async (_: Append) => undefined,
    setAnswering: () => undefined,
  };
  const writer = new LogWriter({
    log: {
      append: async (piece) => {
        const { refusal } = log;
        if (refusal?.kind === 'apart' && !piece.continues) log.refusal = undefined;
        if (log.refusal === undefined) written.push(piece.at(0).toString());
        return log.refusal;
      },
      hurry: () => undefined,
    },
    journal,
    format: formatOf(inGroups, waitsForSpace),
    waitsMs: () => 0,
    mostMs: 2000,
    nowMs: () => 7,
    complain: (text) => void said.push(text),
    mostWaitingBytes,
  });
  return { writer, written, said, log, state: () => state };
}

const FAILING: Refusal = { kind: 'failing', reason: 'Cannot write to /d: EROFS: x.' };

describe('LogWriter', () => {
  it('keeps what cannot be written within its bounds, and covers all of the time with it', async () => {
    const { writer, written, said, log, state } = setting(1000);
    log.refusal = FAILING;
    for (let index = 0; index < 1000; index++) await writer.put(sample(String(index).padStart(9, '0')));
    expect(said).toEqual([
      'Cannot write to /d: EROFS: x. Samples are kept in memory until it can be written to again.',
    ]);
    const { kept = 0, leftOut = 0, paused, pausedMs } = state();
    expect([paused, pausedMs]).toEqual([FAILING.reason, 7]);
    expect(kept).toBeLessThanOrEqual(100);
    expect(kept).toBeGreaterThan(40);
    expect(kept + leftOut).toBe(1000);
    log.refusal = undefined;
    expect(await writer.drain()).toBe(0);
    expect(written).toHaveLength(kept);
    const numbers = written.map(Number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    // Each tenth of the time is there.
    for (let tenth = 0; tenth < 10; tenth++)
      expect(numbers.filter((number) => Math.floor(number / 100) === tenth).length).toBeGreaterThan(2);
    expect(said.at(-1)).toBe(
      `Writing again. ${leftOut} samples of the time in between were left out: there was no memory for them.`,
    );
    expect(state()).toMatchObject({ paused: undefined, leftOut: undefined, samples: kept });
  });

  it('keeps samples for a full file system if the format waits for space, and counts those that are lost', async () => {
    const { writer, written, said, log, state } = setting(1000, { inGroups: true, waitsForSpace: true });
    await writer.put(sample('a'));
    log.refusal = { kind: 'full', reason: 'Cannot write to /d: ENOSPC: no space.' };
    await writer.put(sample('b'));
    await writer.put(sample('c'));
    expect(said).toEqual([
      'Cannot write to /d: ENOSPC: no space. Samples are kept in memory until there is space again.',
    ]);
    expect(state()).toMatchObject({ kept: 2, samples: 1 });
    log.refusal = undefined;
    await writer.put(sample('d'));
    expect(written.join('')).toBe(' a+b. c+d');
    log.refusal = { kind: 'full', reason: 'Full.' };
    for (let index = 0; index < 300; index++) await writer.put(sample(String(index).padStart(9, '0')));
    expect(state().leftOut).toBeGreaterThan(0);
    expect(await writer.drain()).toBe(300);
  });

  it('keeps nothing for a file system that is full, and counts what is lost at the end', async () => {
    const { writer, written, log } = setting(1000);
    log.refusal = { kind: 'full', reason: 'Maximum filesystem space reached.' };
    await writer.put(sample('a'));
    log.refusal = FAILING;
    await writer.put(sample('b'));
    await writer.put(sample('c'));
    expect(await writer.drain()).toBe(2);
    log.refusal = undefined;
    expect([await writer.drain(), written]).toEqual([0, [' b', ' c']]);
  });

  it('drops and keeps together what continues each other', async () => {
    const { writer, written, log, state } = setting(400, { inGroups: true });
    log.refusal = FAILING;
    for (let index = 0; index < 400; index++) await writer.put(sample(String(index).padStart(9, '0')));
    log.refusal = undefined;
    expect(await writer.drain()).toBe(0);
    expect(state().samples).toBeGreaterThan(10);
    // Whatever continues something follows what was put before it.
    for (const group of written.join('').trimEnd().split(' ').slice(1)) expect(group).toMatch(/^\d+(?:\+\d+){0,3}\.?$/);
    const numbers = written.join('').match(/\d+/g) ?? [];
    expect(numbers).toHaveLength(state().samples);
    expect(numbers).toEqual([...new Set(numbers)].sort());
  });

  it('writes a sample anew whose place was taken by somebody else', async () => {
    const { writer, written, log } = setting(1000, { inGroups: true });
    await writer.put(sample('a'));
    await writer.put(sample('b'));
    log.refusal = { kind: 'apart', reason: '/d/log was changed by somebody else.' };
    await writer.put(sample('c'));
    await writer.put(sample('d'));
    await writer.put(sample('e'));
    expect(await writer.drain()).toBe(0);
    expect(written).toEqual([' a', '+b', ' c', ' d', '+e', '.']);
  });

  it('begins anew after what a full file system did not take', async () => {
    const { writer, written, log } = setting(1000, { inGroups: true });
    await writer.put(sample('a'));
    log.refusal = { kind: 'full', reason: 'Maximum filesystem space reached.' };
    await writer.put(sample('b'));
    log.refusal = undefined;
    await writer.put(sample('c'));
    await writer.put(sample('d'));
    expect(written).toEqual([' a', ' c', '+d']);
  });
});

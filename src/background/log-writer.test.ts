import { describe, expect, it } from 'vitest';
import { LogWriter } from './log-writer.ts';
import type { Append, Refusal } from './rotating-log.ts';
import type { RunState } from './run-file.ts';

/** A log that takes what is written, or refuses it, as the test says. */
function setting(mostWaitingBytes: number) {
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
      append: async (bytes) => {
        if (log.refusal === undefined) written.push(bytes.toString());
        return log.refusal;
      },
      hurry: () => undefined,
    },
    journal,
    waitsMs: () => 0,
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
    for (let index = 0; index < 1000; index++) await writer.put(String(index).padStart(10, '0'));
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

  it('keeps nothing for a file system that is full, and counts what is lost at the end', async () => {
    const { writer, written, log } = setting(1000);
    log.refusal = { kind: 'full', reason: 'Maximum filesystem space reached.' };
    await writer.put('a');
    log.refusal = FAILING;
    await writer.put('b');
    await writer.put('c');
    expect(await writer.drain()).toBe(2);
    log.refusal = undefined;
    expect([await writer.drain(), written]).toEqual([0, ['b', 'c']]);
  });
});

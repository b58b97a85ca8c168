import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import type { Connection } from '../clickhouse/connection.ts';
import { ClickHouseFailure, type FailureKind } from '../clickhouse/failure.ts';
import { Sender, type SenderOptions, Stopped } from './sender.ts';

const BATCH = { table: 'samples', rows: 3, bytes: Buffer.alloc(1000, 'x') } as const;

/** A clock that a sleep sets forward, and how long each was. */
function clockOf() {
  let nowMs = 0;
  const sleeps: number[] = [];
  const sleep = (milliseconds: number, signal: AbortSignal) => {
    if (!signal.aborted) sleeps.push(milliseconds);
    nowMs += signal.aborted ? 0 : milliseconds;
    return Promise.resolve();
  };
  return { monotonicMs: () => nowMs, sleep, sleeps };
}

/** A sender to a server that fails so in turn; it takes everything behind that. */
function senderTo(failures: readonly (FailureKind | undefined)[], more: Partial<SenderOptions> = {}) {
  const left = [...failures];
  const taken: Buffer[] = [];
  const told: string[] = [];
  const clock = clockOf();
  const connection: Pick<Connection, 'insert' | 'close'> = {
    insert: async (_, body) => {
      const bytes = await buffer(body);
      const kind = left.shift();
      if (kind !== undefined) throw new ClickHouseFailure(kind, `it is ${kind}`);
      taken.push(bytes);
    },
    close: () => Promise.resolve(),
  };
  const { signal } = new AbortController();
  const sender = new Sender({
    connect: () => Promise.resolve(connection),
    clock,
    maxRate: undefined,
    stop: signal,
    hurry: signal,
    mostTries: () => Number.POSITIVE_INFINITY,
    tell: (text) => told.push(text),
    ...more,
  });
  return { sender, taken, told, clock };
}

it('waits for whatever is wrong, longer each time but never longer than a minute, and says so once', async () => {
  const { sender, taken, told, clock } = senderTo([...Array<FailureKind>(9).fill('unreachable'), 'credentials']);
  await sender.send(BATCH);
  expect(taken).toEqual([BATCH.bytes]);
  expect(told).toEqual([
    'it is unreachable. It is tried again',
    'it is credentials. It is tried again',
    'sending again',
  ]);
  for (const [at, slept] of clock.sleeps.entries()) {
    const longest = Math.min(60_000, 1000 * 2 ** at);
    expect(slept).toBeGreaterThanOrEqual(longest / 2);
    expect(slept).toBeLessThanOrEqual(longest);
  }
  expect([sender.rows, sender.bytes]).toEqual([3, 1000]);
});

it('gives up at once on what never worked, and later on what does not pass or fails too often', async () => {
  const mostTries = () => 3;
  await expect(senderTo(['unreachable'], { mostTries }).sender.send(BATCH)).rejects.toThrow('it is unreachable');
  for (const failures of [['tables'], ['busy', 'busy', 'busy']] as const) {
    const { sender, taken } = senderTo([undefined, ...failures], { mostTries });
    await sender.send(BATCH);
    await expect(sender.send(BATCH)).rejects.toThrow(`it is ${failures[0]}`);
    expect(taken).toHaveLength(1);
    await sender.send(BATCH);
  }
  const { sender } = senderTo([undefined, 'busy', 'foreign'], { mostTries });
  await sender.send(BATCH);
  await sender.send(BATCH);
  expect(sender.rows).toBe(6);
});

it('keeps to its rate from one batch to the next', async () => {
  const { sender, clock, taken } = senderTo([], { maxRate: 500 });
  for (let times = 0; times < 3; times++) await sender.send(BATCH);
  expect(Buffer.concat(taken)).toHaveLength(3000);
  // The last piece need not be waited for.
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(5800);
  expect(clock.monotonicMs()).toBeLessThanOrEqual(6000);
});

it('ends between two tries when it is stopped', async () => {
  const stop = new AbortController();
  const { sender } = senderTo(['unreachable'], { stop: stop.signal, tell: () => stop.abort() });
  await expect(sender.send(BATCH)).rejects.toThrow(Stopped);
});

import { describe, expect, it } from 'vitest';
import { type Claim, claimOf, type Memory, mayNameSomebody, tidOfThread } from './futex-owner.ts';

const WORD = 0x7f0000001000n;
const TID = 4711;
const WAITERS = 0x80000000;

/** Memory of 32-bit words, at offsets from the futex. What is not given is zero within reach. */
function memoryOf(words: Readonly<Record<number, number>>): Memory {
  const u32 = (address: bigint) => {
    const offset = Number(address - WORD);
    return Math.abs(offset) > 800 ? undefined : (words[offset] ?? 0);
  };
  return {
    u32,
    u64(address) {
      const [low, high] = [u32(address), u32(address + 4n)];
      return low === undefined || high === undefined ? undefined : BigInt(low) | (BigInt(high) << 32n);
    },
  };
}

function claim(
  value: number | undefined,
  words: Readonly<Record<number, number>>,
  { shared = false, architecture = 'x64' } = {},
): Claim | undefined {
  return claimOf({ address: WORD, value, shared }, memoryOf({ 0: value ?? 0, ...words }), architecture);
}

/** Two halves of a pointer. */
const pointer = (at: number, value: bigint) => ({ [at]: Number(value & 0xffffffffn), [at + 4]: Number(value >> 32n) });

describe('a mutex of glibc', () => {
  const normal = { 4: 0, 8: TID, 12: 1, 16: 0 };

  it.each([
    ['normal', normal],
    ['recursive', { ...normal, 4: 3, 16: 1 }],
    ['errorcheck', { ...normal, 16: 2 }],
    ['adaptive', { ...normal, 16: 3 }],
    ['shared among processes', { ...normal, 16: 0x80 }],
    ['without elision', { ...normal, 16: 0x200 }],
  ])('names its owner: %s', (_, words) => {
    expect(claim(2, words)).toMatchObject({ by: 'futex', tid: TID });
  });

  it.each([
    ['no owner', { ...normal, 8: 0 }],
    ['an owner that is no TID', { ...normal, 8: 0xffffffff }],
    ['no user', { ...normal, 12: 0 }],
    ['a count, but not recursive', { ...normal, 4: 1 }],
    ['no count, but recursive', { ...normal, 16: 1 }],
    ['an unknown kind', { ...normal, 16: 0x400 }],
    ['a kind that is the end of a pointer', { ...normal, 16: 0xffffffff }],
    ['the kind of one that survives its owner', { ...normal, 16: 0x10 }],
    ['another value by now', { ...normal, 0: 1 }],
  ])('is none with %s', (_, words) => {
    expect(claim(2, words)).toBeUndefined();
  });

  it('that survives its owner has it in the word, too', () => {
    const robust = { ...normal, 4: 1, 16: 0x11 };
    expect(claim(WAITERS + TID, robust)).toMatchObject({ tid: TID, robust: true });
    expect(claim(WAITERS + TID, { ...robust, 8: TID + 1 })).toBeUndefined();
  });
});

describe('a mutex of musl', () => {
  it.each([
    ['recursive', 1, false],
    ['errorcheck', 2, false],
    ['shared and robust', 0x84, true],
  ])('has its owner in the word: %s', (_, type, robust) => {
    const found = claim(WAITERS + TID, { [-4]: type, 4: 1 });
    expect(found?.tid).toBe(TID);
    expect(found?.robust === true).toBe(robust);
  });

  it('that is normal has EBUSY there, which is no TID', () => {
    expect(claim(WAITERS + 16, { [-4]: 0, 4: 1 })).toBeUndefined();
  });

  it('is none if nobody waits', () => {
    expect(claim(WAITERS + TID, { [-4]: 1, 4: 0 })).toBeUndefined();
  });
});

it('a lock with priority inheritance has its owner in the word', () => {
  expect(claim(undefined, { 0: WAITERS + TID })).toMatchObject({ by: 'futex', tid: TID });
  expect(claim(undefined, { 0: 0x40000000 })).toBeUndefined();
});

describe('an rwlock of glibc', () => {
  /** Waits for the phase to change, 8 bytes into the lock. */
  const phase = { [-8]: 3, [-4]: 0, 4: 0, 8: 0, 12: 0, 16: TID, 20: 0, 40: 2 };

  it('names the writer', () => {
    expect(claim(3, phase)).toMatchObject({ tid: TID });
  });

  it.each([
    ['that is being read', { ...phase, [-8]: 8 }],
    ['without a writer', { ...phase, 16: 0 }],
    ['with something where nothing is', { ...phase, 8: 1 }],
    ['with unknown flags', { ...phase, 40: 3 }],
  ])('names nobody %s', (_, words) => {
    expect(claim(3, words)).toBeUndefined();
  });
});

describe('a thread to end', () => {
  const links = { ...pointer(-16, WORD + 0x1000n), ...pointer(-8, WORD + 0x2000n) };

  it('of glibc is known by its TID, which several processes may wait for', () => {
    expect(claim(TID, links, { shared: true })).toMatchObject({ by: 'thread-end', tid: TID, thread: WORD - 720n });
    expect(claim(TID, links, { shared: true, architecture: 'arm64' })?.thread).toBe(WORD - 208n);
    expect(claim(TID, {}, { shared: true })).toBeUndefined();
    expect(claim(TID, links)).toBeUndefined();
  });

  it('of glibc is one if its structure has its own address', () => {
    const thread = WORD - 720n;
    const whole = { 0: TID, ...links, ...pointer(-720, thread), ...pointer(-704, thread) };
    expect(tidOfThread(thread, memoryOf(whole), 'x64')).toBe(TID);
    expect(tidOfThread(thread, memoryOf({ ...whole, [-704]: 8 }), 'x64')).toBeUndefined();
  });

  it.each([
    ['x64', 56],
    ['arm64', 40],
  ])('of musl is known by its state: %s', (architecture, before) => {
    const thread = pointer(-before, WORD - BigInt(before));
    expect(claim(2, { [-8]: TID, ...thread }, { architecture })).toMatchObject({ by: 'thread-end', tid: TID });
    expect(claim(2, { [-8]: TID, ...pointer(-before, WORD) }, { architecture })).toBeUndefined();
  });
});

it('the lock of a stream has the structure of the thread that holds it', () => {
  const thread = 0x7f12f6540000n;
  expect(claim(2, { 4: 1, ...pointer(8, thread) })).toMatchObject({ tid: undefined, thread });
  expect(claim(2, { 4: 0, ...pointer(8, thread) })).toBeUndefined();
});

it.each([
  ['semaphores, and condition variables of glibc', 0, false],
  ['parked threads of Rust', 0xffffffff, false],
  ['a mutex with waiters', 2, true],
  ['a counter', 4712, false],
  ['an owner and waiters', WAITERS + TID, true],
])('tells by the value alone whether a wait may name somebody: %s', (_, value, may) => {
  expect(mayNameSomebody({ address: WORD, value, shared: false })).toBe(may);
});

it('takes no structure of an architecture whose C libraries it does not know', () => {
  expect(claim(2, { 8: TID, 12: 1 }, { architecture: 'riscv64' })).toBeUndefined();
});

import { expect, it } from 'vitest';
import { InternedStacks } from './interned.ts';

const frame = (symbol: string) => ({ symbol, offset: 1, size: 2, raw: `${symbol}+0x1/0x2` });

it('equal stacks are one object, whatever stands around their frames', () => {
  const stacks = new InternedStacks();
  const stack = stacks.intern([frame('f'), frame('g')]);
  expect(stacks.intern([{ ...frame('f'), raw: 'f' }, frame('g')])).toBe(stack);
  expect(stacks.intern([frame('f'), { ...frame('g'), module: 'm' }])).not.toBe(stack);
  expect(stacks.intern([])).toBe(stacks.intern([]));
});

it('stacks are forgotten when there are many, and no number is given twice', () => {
  const stacks = new InternedStacks();
  const first = stacks.intern([frame('f')]);
  const ids = new Set([first.id]);
  for (let at = 0; at < 110_000; at++) ids.add(stacks.intern([frame(`g${at}`)]).id);
  expect(ids.size).toBe(110_001);
  expect(stacks.intern([frame('f')])).not.toBe(first);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { requires } from '../../../test/harness.ts';
import { parseFrames, type Stack, StackTable } from '../../model/stack.ts';
import { explain } from '../explain.ts';
import { functionName, isSleepingPrimitive } from '../function-name.ts';
import { RULES } from './index.ts';
import type { Pattern } from './rule.ts';

const folder = join(import.meta.dirname, 'stacks');

/** Lines `rule: innermost < ... < outermost` of the files beside the rules; a function may be followed by ` [module]`. */
const EXAMPLES = readdirSync(folder)
  .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line): [string, string[]] => {
    const at = line.indexOf(': ');
    return [line.slice(0, at), line.slice(at + 2).split(' < ')];
  });

function stackOf(functions: readonly string[]): Stack {
  const lines = functions.map((name) => {
    const [symbol = '', module = ''] = name.split(' ');
    return `[<0>] ${symbol}+0x10/0x20${module === '' ? '' : ` ${module}`}`;
  });
  return { id: 0, frames: parseFrames(lines.join('\n')) };
}

describe('every rule', () => {
  it('has an id of its own', () => {
    const ids = RULES.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it('says what, why, how to go on, and names the kernel file it relies on', () => {
    const poor = RULES.filter(
      ({ waitsFor, causes, next, source, match }) =>
        match.length === 0 || /^$|\n/.test(waitsFor) || causes === '' || next.length === 0 || !/^[\w./+-]+\.[chS]: \w+/.test(source),
    );
    expect(poor.map(({ id }) => id)).toEqual([]);
  });

  it('has a stack that it wins', () => {
    const shown = new Set(EXAMPLES.map(([id]) => id));
    expect(RULES.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  it('wins its stacks as /proc prints them and as the kernel log does, with the scheduler in front', () => {
    const outcome = EXAMPLES.map(([id, functions]) => {
      const printed = explain(stackOf(functions)).rule;
      const logged = explain(stackOf(['__schedule', 'schedule', ...functions])).rule;
      return { id, printed, logged, functions: functions.join(' < ') };
    });
    expect(outcome.filter(({ id, printed, logged }) => printed !== id || logged !== id)).toEqual([]);
  });

  it('wins them without the slow paths of locks, too, where it is about more than those', () => {
    const primitive = (pattern: Pattern) => typeof pattern !== 'string' || pattern.split('|').every(isSleepingPrimitive);
    const onlyPrimitives = new Set(
      RULES.filter(({ id, match }) => /^(?:lock|page-bit|work|block)/.test(id) && match.every(primitive)).map(({ id }) => id),
    );
    const outcome = EXAMPLES.filter(([id]) => !onlyPrimitives.has(id)).map(([id, functions]) => {
      const first = functions.findIndex((name) => !isSleepingPrimitive(functionName(name.split(' ')[0] ?? '')));
      return { id, won: explain(stackOf(functions.slice(Math.max(first, 0)))).rule };
    });
    expect(outcome.filter(({ id, won }) => id !== won)).toEqual([]);
  });
});

describe('on this machine', () => {
  beforeEach((context: TestContext) => requires(context, 'root'));

  it('no stack of a task that sleeps is left unexplained', async () => {
    const first = unexplainedStacks();
    // What runs passes through any function: a stack that is still there after a while is one that sleeps.
    await setTimeout(300);
    const second = new Set(unexplainedStacks());
    expect(first.filter((text) => second.has(text))).toEqual([]);
  });
});

function unexplainedStacks(): string[] {
  const table = new StackTable();
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stacks = new Set(processes.flatMap(stacksOf));
  return [...stacks].filter((text) => text !== '' && explain(table.intern(text)).kind === 'unexplained');
}

/** The stacks of a process's threads; none of those that go away or may not be read. */
function stacksOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((tid) => readFileSync(`/proc/${pid}/task/${tid}/stack`, 'utf8').trimEnd());
  } catch {
    return [];
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { requires } from '../../../test/harness.ts';
import { parseFrames, type Stack, StackTable } from '../../model/stack.ts';
import { explain } from '../explain.ts';
import { functionName, isSleepingPrimitive } from '../function-name.ts';
import { RULES } from './index.ts';
import { namesOf } from './rule.ts';

const folder = join(import.meta.dirname, 'stacks');

/** Where a stack comes from: a real kernel, a public report, or the kernel's sources. */
const ORIGINS = [
  /^# seen on Linux \d\.\d+(?:$|, )/,
  /^# https?:\/\/\S+(?:$| \(Linux \d\.\d+.*\)$| \(\w+\)$)/,
  /^# written from the kernel's sources(?:$|, )/,
];

interface Example {
  readonly rule: string;
  /** Innermost first; a function may be followed by ` [module]`. */
  readonly functions: readonly string[];
  readonly origin: string | undefined;
  readonly place: string;
}

/**
 * Lines `rule: innermost < ... < outermost` of the files beside the rules. A comment states the origin of the stacks
 * that follow it.
 */
function readExamples(file: string): Example[] {
  let origin: string | undefined;
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (line.startsWith('#')) origin = line;
      if (line === '' || line.startsWith('#')) return [];
      const at = line.indexOf(': ');
      return [
        { rule: line.slice(0, at), functions: line.slice(at + 2).split(' < '), origin, place: `${file}:${index + 1}` },
      ];
    });
}

const EXAMPLES = readdirSync(folder).flatMap(readExamples);

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
        match.length === 0 ||
        /^$|^to |\n/.test(waitsFor) ||
        causes === '' ||
        next.length === 0 ||
        !/^[\w./+-]+\.[chS]: \w+/.test(source),
    );
    expect(poor.map(({ id }) => id)).toEqual([]);
  });

  it('advises no command that reads the command lines of others, and hangs where kstack does not', () => {
    const hanging = /\bpgrep\b|\bps (?:-ef|aux|-?\S*\bf)|\bps\b.*\b(?:cmd|args|command)\b|\bfuser\b/;
    expect(RULES.filter(({ next }) => next.some((command) => hanging.test(command))).map(({ id }) => id)).toEqual([]);
  });

  it('has a stack that it wins', () => {
    const shown = new Set(EXAMPLES.map(({ rule }) => rule));
    expect(RULES.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  it('says where each of its stacks comes from', () => {
    const isKnown = (origin = '') => ORIGINS.some((form) => form.test(origin));
    expect(EXAMPLES.filter(({ origin }) => !isKnown(origin)).map(({ place }) => place)).toEqual([]);
    expect(EXAMPLES.filter(({ origin = '' }) => /^# (?:seen|http)/.test(origin)).length).toBeGreaterThan(150);
  });

  it('wins its stacks as /proc prints them and as the kernel log does, with the scheduler in front', () => {
    const outcome = EXAMPLES.map(({ rule: id, functions }) => {
      const printed = explain(stackOf(functions)).rule;
      const logged = explain(stackOf(['__schedule', 'schedule', ...functions])).rule;
      return { id, printed, logged, functions: functions.join(' < ') };
    });
    expect(outcome.filter(({ id, printed, logged }) => printed !== id || logged !== id)).toEqual([]);
  });

  it('wins them without the slow paths of locks, too, where it is about more than those', () => {
    const onlyPrimitives = new Set(
      RULES.filter(
        ({ id, match: [first = []] }) => namesOf(first)?.every(isSleepingPrimitive) ?? id.startsWith('lock-'),
      ).map(({ id }) => id),
    );
    const outcome = EXAMPLES.filter(({ rule }) => !onlyPrimitives.has(rule)).map(({ rule: id, functions }) => {
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
    return readdirSync(`/proc/${pid}/task`).map((tid) =>
      readFileSync(`/proc/${pid}/task/${tid}/stack`, 'utf8').trimEnd(),
    );
  } catch {
    return [];
  }
}

import type { Reading } from '../../../model/reading.ts';
import type { Pattern, Selection } from '../../../model/selection.ts';
import type { Stack } from '../../../model/stack.ts';

/** A compiled pattern. */
export interface TextTest extends Pattern {
  test(text: string): boolean;
}

/** A selection that can be applied to tasks. */
export interface CompiledSelection extends Omit<Selection, 'command' | 'function' | 'cgroups'> {
  readonly command?: TextTest;
  readonly function?: TextTest;
  /** Tests one path of a task's control groups. The task is selected if any of its paths matches. */
  readonly cgroup?: (path: string) => boolean;
}

/**
 * Compiles a selection. Loads the matchers only if needed: they take as long to load as everything else together.
 * @throws PatternError if an expression is invalid
 */
export async function compileSelection(selection: Selection): Promise<CompiledSelection> {
  const { command, function: pattern, cgroups, ...rest } = selection;
  return {
    ...rest,
    ...(command !== undefined && { command: await compile(command) }),
    ...(pattern !== undefined && { function: await compile(pattern) }),
    ...(cgroups !== undefined && { cgroup: await cgroupTest(cgroups) }),
  };
}

async function compile(pattern: Pattern): Promise<TextTest> {
  const { compilePattern } = await import('./pattern.ts');
  return compilePattern(pattern);
}

async function cgroupTest(texts: readonly string[]): Promise<(path: string) => boolean> {
  const { cgroupPattern } = await import('./cgroup-pattern.ts');
  const tests = texts.map(cgroupPattern);
  return (path) => tests.some((test) => test(path));
}

/** Whether a stack has the selected function and module. A stack that could not be read has neither. */
export function takesStack({ function: pattern, module }: CompiledSelection, stack: Reading<Stack>): boolean {
  if (pattern === undefined && module === undefined) return true;
  if ('unread' in stack) return false;
  const { frames } = stack.value;
  if (pattern !== undefined && !frames.some(({ symbol }) => pattern.test(symbol))) return false;
  return module === undefined || frames.some((frame) => frame.module === module);
}

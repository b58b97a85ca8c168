import type { CompiledSelection, TextTest } from '../../../model/compiled-selection.ts';
import type { Pattern, Selection } from '../../../model/selection.ts';

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

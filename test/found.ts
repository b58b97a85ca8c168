import { StackFinder } from '../src/sources/text/stacks/stacks.ts';
import type { TextStack } from '../src/sources/text/stacks/text-stack.ts';

/** The stacks that are found in lines. `known`: functions that the kernel has. */
export function foundIn(lines: readonly string[], known?: ReadonlySet<string>): readonly TextStack[] {
  const finder = new StackFinder(known);
  for (const line of lines) finder.take(line);
  finder.end();
  return finder.found;
}

/** The same as text, each with its tasks: `tar 7 D, cp 8: io_schedule filemap_read`. */
export function toldIn(lines: readonly string[], known?: ReadonlySet<string>): string[] {
  return foundIn(lines, known).map(({ tasks, stack }) => {
    const whose = tasks.map(({ name, tid, state }) =>
      [name, tid, state].filter((part) => part !== undefined).join(' '),
    );
    return `${whose.join(', ')}: ${stack.frames.map(({ symbol }) => symbol).join(' ')}`;
  });
}

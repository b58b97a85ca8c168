import type { Finding } from '../model/finding.ts';
import type { Observation } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';

/** Equal for tasks that share an explanation. */
export function keyOf({ stack }: Observation, { kind, waitsFor }: Finding): string {
  const hasFrames = 'value' in stack && stack.value.frames.length > 0;
  return hasFrames ? `${contentOf(stack.value)}\n${kind} ${waitsFor}` : waitsFor;
}

const contents = new WeakMap<Stack, string>();

/** Equal for equal stacks, also where a source has given them different numbers. */
function contentOf(stack: Stack): string {
  let content = contents.get(stack);
  if (content === undefined) {
    const mark = stack.mixed === true ? ['mixed'] : [];
    const functions = stack.frames.map(({ symbol, offset, module }) => `${symbol} ${offset ?? ''} ${module ?? ''}`);
    content = [...mark, ...functions].join('\n');
    contents.set(stack, content);
  }
  return content;
}

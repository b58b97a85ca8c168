import { textSamples } from '../src/sources/text/index.ts';

/** The tasks of a text, each with its functions: `tar 7 D: io_schedule filemap_read`. */
export async function told(text: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { observations } of textSamples([text]))
    for (const { task, state, stack } of observations) {
      const functions = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol) : [stack.unread];
      const whose = [task.comm, task.id.tid, state].filter((part) => part !== undefined);
      all.push(`${whose.join(' ')}: ${functions.join(' ')}`);
    }
  return all;
}

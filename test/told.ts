import type { Sample } from '../src/model/sample.ts';
import { textSamples } from '../src/sources/text/index.ts';

/** The tasks of a text, each with its functions: `tar 7 D: io_schedule filemap_read`. */
export async function told(text: string | Uint8Array): Promise<string[]> {
  const all: string[] = [];
  for await (const sample of textSamples([text])) all.push(...toldIn(sample));
  return all;
}

/** Those of a sample. */
function toldIn({ observations }: Sample): string[] {
  return observations.map(({ task, state, stack }) => {
    const functions = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol) : [stack.unread];
    const whose = [task.comm, task.id.tid, state].filter((part) => part !== undefined);
    return `${whose.join(' ')}: ${functions.join(' ')}`;
  });
}

import { closeSync, openSync, readSync } from 'node:fs';
import { explain } from '../analysis/explain.ts';
import { KINDS } from '../analysis/explain-sample.ts';
import type { State } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { decodeBytes } from '../native/decode.ts';
import { type Explanation, formatExplanations } from '../sinks/explanation.ts';
import { type Header, parseText, type TextStack } from '../sources/text/index.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';

const STDIN = 0;
const MOST_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/**
 * Explains the stacks in a file, or on standard input. Returns the exit code, 1 when there are none.
 * @throws Error when the file cannot be read.
 */
export function explainFile(name: string | undefined, why: boolean): number {
  const { text, whole } = read(name);
  const { stacks, guesses, cut } = parseText(text);
  if (stacks.length === 0) {
    writeStderr(`kstack: nothing in ${name ?? 'the input'} looks like a kernel stack\n`);
    return 1;
  }
  writeStdout(formatExplanations(explanationsOf(stacks), why));
  if (guesses > 0)
    writeStderr(
      `kstack: ${guesses} frame${guesses === 1 ? '' : 's'} marked ? left out: they may be left over from earlier calls\n`,
    );
  if (cut > 0)
    writeStderr(`kstack: ${cut} ${cut === 1 ? 'line or stack' : 'lines or stacks'} left out: too long, or too many\n`);
  if (!whole) writeStderr(`kstack: only the first ${MOST_BYTES / 1024 / 1024} MiB were read\n`);
  return 0;
}

function read(name: string | undefined): { text: string; whole: boolean } {
  const fd = name === undefined ? STDIN : openSync(name, 'r');
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    while (total <= MOST_BYTES) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(fd, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      total += length;
    }
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
  return { text: decodeBytes(Buffer.concat(chunks).subarray(0, MOST_BYTES)), whole: total <= MOST_BYTES };
}

interface Found {
  readonly stack: Stack;
  readonly state: State | undefined;
  readonly tasks: string[];
  count: number;
}

/** An explanation for each distinct stack: first what is blocked, last what idles, and the most frequent first. */
function explanationsOf(stacks: readonly TextStack[]): Explanation[] {
  const found = new Map<string, Found>();
  for (const { stack, tasks } of stacks) {
    const headers: readonly (Header | undefined)[] = tasks.length === 0 ? [undefined] : tasks;
    for (const header of headers) {
      const state = stack.frames.length === 0 ? header?.state : undefined;
      const key = `${stack.id} ${state ?? ''}`;
      const group = found.get(key) ?? { stack, state, tasks: [], count: 0 };
      found.set(key, group);
      group.count++;
      if (header !== undefined) group.tasks.push(nameOf(header));
    }
  }
  return Array.from(found.values(), ({ stack, state, tasks, count }) => ({
    stack,
    tasks,
    count,
    ...explain(stack, state),
  })).sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || b.count - a.count);
}

function nameOf({ name, pid, state }: Header): string {
  return [name, pid, state === undefined ? undefined : `(${state})`].filter((part) => part !== undefined).join(' ');
}

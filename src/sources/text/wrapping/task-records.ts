import { numberIn, type Properties, textOf } from './properties.ts';

/** Where tools put the stack of a task, and what they call its numbers and names. */
const STACKS = ['stack', 'kernel_stack', 'kstack', 'stack_trace', 'stacktrace', 'backtrace', 'trace', 'frames'];
const NUMBERS = ['tid', 'pid'];
const NAMES = ['comm', 'name', 'command'];

const STATES = ['stat', 'state', 's'];

/** The stack of a task, below a title that tells whose it is, or the function it waits in, as ps(1) shows it. */
export function taskText(value: Properties): string | undefined {
  const stack = STACKS.map((name) => textOf(value[name])).find((text) => text?.includes('_'));
  if (stack === undefined) return rowIn(value);
  const number = NUMBERS.map((name) => numberIn(value[name])).find((each) => each !== undefined);
  const comm = NAMES.map((name) => value[name]).find((each) => typeof each === 'string');
  const state = typeof value['state'] === 'string' ? ` state ${value['state'].slice(0, 1)}` : '';
  const title = number === undefined ? '' : `PID ${number} (${String(comm ?? '').replace(/[\r\n]/g, ' ')})${state}:`;
  return `${title}\n${stack}`;
}

/** A row of a table of ps(1), below its titles. */
function rowIn(all: Properties): string | undefined {
  const { wchan = all['WCHAN'] } = all;
  if (typeof wchan !== 'string') return undefined;
  const value = Object.fromEntries(Object.entries(all).map(([name, each]) => [name.toLowerCase(), each]));
  const number = NUMBERS.map((name) => numberIn(value[name])).find((each) => each !== undefined);
  const [state, comm] = [STATES, [...NAMES, 'cmd']].map((names) =>
    names.map((name) => value[name]).find((each) => typeof each === 'string' && each !== ''),
  );
  if (number === undefined) return undefined;
  const name = String(comm ?? '-').replaceAll(/[\r\n]/g, ' ');
  return `PID STAT WCHAN COMMAND\n${number} ${String(state ?? '-').replaceAll(/\s/g, '')} ${wchan || '-'} ${name}`;
}

import { type Line, line } from './cells.ts';

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['up down j k', 'move; page-up, page-down, home, end and the mouse wheel, too'],
  ['enter', 'open the selected group or task'],
  ['e', 'explain the selected group: causes, what to look at, what would undo it'],
  ['w', 'the verdict: what holds this host up'],
  ['escape', 'back'],
  ['/', 'filter by text: name, number, user, command line, function, what is waited for'],
  ['g', 'group by stack, finding, holder, command, user, container'],
  ['s', 'sort by urgency, number of tasks, time, name'],
  ['a', 'all tasks, or only those that are blocked, running or unexplained'],
  ['t', 'all threads, or only the main thread of each process'],
  ['space', 'pause, and go on'],
  ['left right', 'the sample before, and after'],
  ['r', 'record from here on into a file, and stop recording'],
  ['m', 'leave the mouse to the terminal, to select text, and take it back'],
  ['?', 'this help'],
  ['q', 'quit'],
];

export function helpLines(): Line[] {
  return KEYS.map(([keys, does]) => [{ text: `  ${keys.padEnd(14)}`, style: 'bold' }, ...line(does)]);
}

/** What stands in the last line, as far as there is room: the most needed keys first. */
export const FOOTER =
  '? help  q quit  enter open  e explain  w verdict  / filter  r record  g group  s sort  a all  space pause  t threads';

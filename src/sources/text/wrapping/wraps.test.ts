import { describe, expect, it } from 'vitest';
import { foundIn } from '../../../../test/found.ts';
import { Wraps } from './wraps.ts';

const REPORT = [
  'INFO: task rsync:4102 blocked for more than 120 seconds.',
  '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
  'task:rsync           state:D stack:0     pid:4102  ppid:4100   flags:0x00004002',
  'Call Trace:',
  ' <TASK>',
  ' __schedule+0x34d/0x9e0',
  ' rpc_wait_bit_killable_with_a_name+0x11/0x70 [sunrpc]',
  ' __wait_on_bit+0x42/0x110',
  ' ret_from_fork+0x72/0xdc',
];
const READ = [['rsync 4102 D', '__schedule rpc_wait_bit_killable_with_a_name __wait_on_bit ret_from_fork']];

function tellAll(lines: readonly string[]): string[][] {
  return foundIn(lines).map(({ tasks: [task], stack }) => [
    [task?.name, task?.tid, task?.state].join(' '),
    stack.frames.map(({ symbol }) => symbol).join(' '),
  ]);
}

/** The parts of a line, broken before a word that has no place, or within it. */
function wrapped(line: string, width: number, breaksWords: boolean): string[] {
  if (breaksWords) return line.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
  const parts: string[] = [];
  for (const word of line.split(/(?<=\S) +(?=\S)/)) {
    const last = parts.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) parts.push(word);
    else parts[parts.length - 1] = `${last} ${word}`;
  }
  return parts;
}

const PREFIXES = [
  '[ 4712.100000] ',
  'Nov 25 03:12:01 fs1 kernel: [ 4712.100000] ',
  'Nov 25 03:12:01 fileserver01.prod.example.com kernel: [ 4712.100000] ',
  'Nov 25 03:12:01 a-very-long-host-name-of-a-node.cluster-07.eu-central-1.example.com kernel: ',
];
const QUOTED = { none: ['', ''], first: ['> ', ''], each: ['> ', '> '] };

describe('a log that a mail program has wrapped', () => {
  describe.each(PREFIXES)('%s', (prefix) => {
    it.each(Object.entries(QUOTED))(
      'is read as if it had not, with marks at parts: %s',
      (_, [first = '', next = '']) => {
        for (const width of [72, 76]) {
          const lines = REPORT.flatMap((line) =>
            wrapped(prefix + line, width, false).map((p, at) => (at === 0 ? first : next) + p),
          );
          expect(tellAll(lines)).toEqual(READ);
        }
      },
    );
  });

  it('is read where words are broken', () => {
    const lines = REPORT.flatMap((line) => wrapped(`${PREFIXES[1]}${line}`, 60, true));
    expect(tellAll(lines)).toEqual(READ);
  });
});

describe('Wraps', () => {
  const joined = (...lines: readonly string[]) => {
    const wraps = new Wraps();
    return [...lines.flatMap((line) => wraps.take(line)), ...wraps.end()];
  };
  const stamped = '[ 4712.100000]  a_function_of_a_driver_with_a_name_of_many_words+0x1/0x2';

  it('leaves whole lines, and what a person has written behind them', () => {
    for (const lines of [
      ['a', 'b'],
      [stamped, stamped],
      [stamped, 'words of somebody'],
      [stamped, 'g+0x1/0x2'],
      [stamped, '', '[m]'],
      ['[ 4712.100000]', 'f+0x1/0x2'],
    ])
      expect(joined(...lines)).toEqual(lines);
  });

  it('joins a module', () => expect(joined(stamped, '[m]')).toEqual([`${stamped} [m]`]));
});

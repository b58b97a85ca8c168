import { describe, expect, it } from 'vitest';
import { toldIn } from '../../../../test/found.ts';

const KNOWN = new Set(['ep_poll', 'jbd2_log_wait_commit', 'rpc_wait_bit_killable', 'rpc_wait_bit', '__lock_page']);

function tellAll(...lines: readonly string[]): string[] {
  return toldIn(lines, KNOWN);
}

describe('a task of which only the function is known in which it waits', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'ps behind grep',
      ['  1234 D    jbd2_log_wait_commit     archiver', '  1235 Ds   rpc_wait_bit_killable    /usr/bin/rsync -a /x /y'],
      ['archiver 1234 D: jbd2_log_wait_commit', 'rsync 1235 D: rpc_wait_bit_killable'],
    ],
    ['ps, which leaves out underscores', ['1234 D lock_page archiver'], ['archiver 1234 D: lock_page']],
    [
      'a column that is too narrow',
      ['PID S WCHAN COMMAND', '1234 D jbd2_log_+ archiver'],
      ['archiver 1234 D: jbd2_log_'],
    ],
    [
      'rows with a column that is too narrow, without its title',
      ['root 4101 0.0 0.1 D rpc_wait_b archiver', 'root 4102 0.0 0.1 Ds jbd2_log_w+ /usr/bin/writer -x'],
      ['archiver 4101 D: rpc_wait_b', 'writer 4102 D: jbd2_log_w'],
    ],
    [
      'rows around one whose function is known',
      [
        '4100 D my_driver_wai reader',
        '4101 R - burner -n 3',
        '4102 D rpc_wait_bit_k archiver',
        '4103 D other_mod_wai copier',
        '4104 S hrtime sleeper',
      ],
      [
        'reader 4100 D: my_driver_wai',
        'burner 4101 R: ',
        'archiver 4102 D: rpc_wait_bit_k',
        'copier 4103 D: other_mod_wai',
        'sleeper 4104 S: hrtime',
      ],
    ],
    [
      'names with blanks before the function',
      ['4101 D archiver rpc_wait_bit_k', '4102 D tmux: server my_driver_wai', '4103 S sleeper hrtime'],
      ['archiver 4101 D: rpc_wait_bit_k', 'tmux: server 4102 D: my_driver_wai', 'sleeper 4103 S: hrtime'],
    ],
    [
      'ps -l, whose columns tell what they are',
      [
        '1 D root      4101     2  0  80   0 -     0 rpc_wa ?        00:00:00 [archiver]',
        '4 S root      4102     1  0  80   0 -  1234 hrtime Nov28 pts/0    00:00:00 sleeper',
      ],
      ['archiver 4101 D: rpc_wa', 'sleeper 4102 S: hrtime'],
    ],
    [
      'names of threads that are no functions, and words',
      ['root 12 I rpc_wait', '13 I rpc_wait', '14 D rpc_w later'],
      [],
    ],
    [
      'ps with the state first, and with a user',
      ['D   1234 jbd2_log_wait_commit   archiver', 'root 1235 D rpc_wait_bit_killable rsync'],
      ['archiver 1234 D: jbd2_log_wait_commit', 'rsync 1235 D: rpc_wait_bit_killable'],
    ],
    [
      'grep, with one line for each of many tasks',
      ['/proc/41/wchan:ep_poll', '/proc/42/wchan:jbd2_log_wait_commit', '/proc/43/wchan:rpc_wait_bit'],
      ['41: ep_poll', '42: jbd2_log_wait_commit', '43: rpc_wait_bit'],
    ],
    [
      'a list that somebody numbered, which is none of tasks',
      ['1: __lock_page', '2: ep_poll', '3: rpc_wait_bit'],
      [': __lock_page ep_poll rpc_wait_bit'],
    ],
    ...['.', ')'].map((mark): [string, readonly string[], readonly string[]] => [
      `the same with "${mark}"`,
      ['__lock_page', 'ep_poll', 'rpc_wait_bit'].map((name, at) => `${at + 1}${mark} ${name}`),
      [': __lock_page ep_poll rpc_wait_bit'],
    ]),
    [
      'grep',
      ['/proc/1/wchan:ep_poll', '/proc/7/task/8/wchan:some_new_function', '/proc/9/wchan:0'],
      ['1: ep_poll', '8: some_new_function'],
    ],
    ['a loop', ['1234 jbd2_log_wait_commit', '1235: ep_poll'], ['1234: jbd2_log_wait_commit', '1235: ep_poll']],
    [
      'cat, and the next prompt behind the answer',
      ['# cat /proc/12/wchan', 'ep_pollroot@lab-a:~# cat /proc/13/wchan', 'rpc_wait_bit[root@lab-a ~]#'],
      ['12: ep_poll', '13: rpc_wait_bit'],
    ],
    [
      'a bugreport of Android',
      ['    1 /init                            ep_poll', '  345 kworker/u16:3                    jbd2_log_wait_commit'],
      ['init 1: ep_poll', 'kworker/u16:3 345: jbd2_log_wait_commit'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(tellAll(...lines)).toEqual(expected);
  });

  it('is no more than a title if its stack follows at once', () => {
    expect(
      tellAll(
        '812 D archiver jbd2_log_wait_commit',
        '[<0>] jbd2_log_wait_commit+0x1/0x2',
        '[<0>] f+0x1/0x2',
        '813 D copier rpc_wait_bit_killable',
        '[<0>] rpc_wait_bit_killable+0x1/0x2',
        '814 D reader ep_poll',
        '815 D writer ep_poll',
      ),
    ).toEqual([
      'archiver 812 D: jbd2_log_wait_commit f',
      'copier 813 D: rpc_wait_bit_killable',
      'reader 814 D: ep_poll',
      'writer 815 D: ep_poll',
    ]);
  });

  it('is none in a sentence, or in a log', () => {
    expect(tellAll('All 3 of them stay in ep_poll I guess', 'see 7 in D state at ep_poll here')).toEqual([]);
    expect(tellAll('[    1.000000] 1234 D jbd2_log_wait_commit archiver')).toEqual([]);
  });
});

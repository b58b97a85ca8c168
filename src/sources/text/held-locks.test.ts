import { describe, expect, it } from 'vitest';
import { textSamples } from './index.ts';

/** What the kernel reports of a hung task. */
function hung(comm: string, tid: number, ...functions: string[]): string[] {
  return [
    `INFO: task ${comm}:${tid} blocked for more than 120 seconds.`,
    `task:${comm} state:D stack:0 pid:${tid} tgid:${tid} ppid:2 flags:0x00004000`,
    'Call Trace:',
    ' <TASK>',
    ...functions.map((symbol) => ` ${symbol}+0x1/0x2`),
    ' </TASK>',
  ];
}

const MUTEX = ['__schedule', 'schedule', 'schedule_preempt_disabled', '__mutex_lock.constprop.0', 'xfs_log_force'];
const READ = ['__schedule', 'schedule', 'rwsem_down_read_slowpath', 'down_read', 'iterate_supers'];
const IO = ['__schedule', 'io_schedule', 'folio_wait_bit_common', 'filemap_fault'];

const [A, B] = ['ffff888012345678', 'ffff88801fedcba8'];

/** What lockdep lists of a task. */
function held(comm: string, tid: number, ...addresses: string[]): string[] {
  const locks = addresses.map((address, at) => ` #${at}: ${address} (&x->lock#${at}){+.+.}-{3:3}, at: f+0x1/0x2`);
  return [`${locks.length} lock${locks.length === 1 ? '' : 's'} held by ${comm}/${tid}:`, ...locks];
}

const LIST = ['', 'Showing all locks held in the system:'];

async function edgesOf(...lines: string[]) {
  const edges = [];
  for await (const sample of textSamples([`${lines.join('\n')}\n`])) edges.push(...(sample.edges ?? []));
  return edges;
}

const told = async (...lines: string[]) => (await edgesOf(...lines)).map(({ from, to, by }) => `${from} ${by} ${to}`);

describe('what lockdep lists as held', () => {
  it('shows who holds what a task waits for, as an inference with its evidence', async () => {
    const stamped = [...hung('tar', 7, ...MUTEX), ...LIST, ...held('tar', 7, B, A), ...held('cp', 8, A, B)].map(
      (line, at) => `[ 1234.${String(100_000 + at)}] ${line}`,
    );
    expect(await edgesOf(...stamped)).toEqual([
      {
        from: 7,
        to: 8,
        by: 'mutex',
        inferred: true,
        evidence: [{ place: 'the kernel log', text: `${A} (&x->lock#1){+.+.}-{3:3}, at: f+0x1/0x2, held by cp/8` }],
      },
    ]);
  });

  it('has the holders that the log shows no stack of, by their names', async () => {
    const names = async (...lines: string[]) => {
      const tasks = [];
      for await (const { holders } of textSamples([`${lines.join('\n')}\n`]))
        tasks.push(...holders.map(({ task, stack }) => ({ tid: task.id.tid, comm: task.comm, stack })));
      return tasks;
    };
    const waits = [...hung('tar', 7, ...MUTEX), ...hung('mv', 9, ...MUTEX)];
    const lists = [...held('tar', 7, A), ...held('mv', 9, A), ...held('a/b', 8, A, B)];
    expect(await names(...waits, ...lists)).toEqual([{ tid: 8, comm: 'a/b', stack: { unread: 'notTold' } }]);
    expect(await names(...waits, ...hung('a/b', 8, ...IO), ...lists)).toEqual([]);
  });

  it.each([
    ['behind each stack', [...hung('tar', 7, ...MUTEX), ...held('tar', 7, A), ...held('cp', 8, A, B)], ['7 mutex 8']],
    [
      'and all readers of an rw-semaphore',
      [...hung('tar', 7, ...READ), ...held('a/b', 8, A, B), ...held('tar', 7, A), ...held('c', 9, A, B)],
      ['7 rwsem-read 8', '7 rwsem-read 9'],
    ],
    [
      'and tasks that wait for each other',
      [...hung('tar', 7, ...MUTEX), ...hung('cp', 8, ...MUTEX), ...held('tar', 7, B, A), ...held('cp', 8, A, B)],
      ['7 mutex 8', '8 mutex 7'],
    ],
    [
      'and of several that have it last, the one that waits for something else',
      [
        ...[...hung('tar', 7, ...MUTEX), ...hung('cp', 8, ...IO), ...hung('mv', 9, ...MUTEX)],
        ...[...held('tar', 7, A), ...held('cp', 8, A), ...held('mv', 9, A)],
      ],
      ['7 mutex 8', '9 mutex 8'],
    ],
    [
      'or the only one that is not seen to wait',
      [
        ...hung('tar', 7, ...MUTEX),
        ...hung('mv', 9, ...MUTEX),
        ...held('tar', 7, A),
        ...held('cp', 8, A),
        ...held('mv', 9, A),
      ],
      ['7 mutex 8', '9 mutex 8'],
    ],
  ])('shows it %s', async (_, lines, expected) => {
    expect(await told(...lines)).toEqual(expected);
  });

  it.each([
    [
      'if several may have it',
      [...hung('tar', 7, ...MUTEX), ...held('tar', 7, A), ...held('x', 8, A), ...held('y', 9, A)],
    ],
    ['if nobody else lists the lock', [...hung('tar', 7, ...MUTEX), ...held('tar', 7, A), ...held('cp', 8, B)]],
    [
      'of a task that does not wait for a lock',
      [...hung('tar', 7, ...IO), ...held('tar', 7, A), ...held('cp', 8, A, B)],
    ],
    ['of a lock that is not the last one', [...hung('tar', 7, ...MUTEX), ...held('tar', 7, A, B), ...held('cp', 8, A)]],
    [
      'if the kernel names the owner',
      [
        ...hung('tar', 7, ...MUTEX),
        'INFO: task tar:7 is blocked on a mutex likely owned by task cp:8.',
        ...[...held('tar', 7, A), ...held('cp', 8, A, B)],
      ],
    ],
    [
      'of another moment',
      [
        ...hung('tar', 7, ...MUTEX).map((line) => `[ 1234.000001] ${line}`),
        ...[...held('tar', 7, A), ...held('cp', 8, A, B)].map((line) => `[ 9234.000001] ${line}`),
      ],
    ],
    [
      'whose lines are mixed with others',
      [
        ...hung('tar', 7, ...MUTEX),
        ...held('tar', 7, A),
        ...held('cp', 8, B, A).filter((line) => !line.includes('#0')),
      ],
    ],
  ])('says nothing %s', async (_, lines) => {
    expect(await told(...lines)).toEqual([]);
  });

  it('is no stack, also where functions were inlined', async () => {
    const inlined =
      ' #0: ffff8880228887a0 (&sb->s_type->i_mutex_key#8){++++}-{4:4}, at: inode_lock include/linux/fs.h:877 [inline]';
    const seen = [];
    for await (const { observations } of textSamples([[...LIST, '1 lock held by a/1:', inlined, ''].join('\n')]))
      seen.push(...observations);
    expect(seen).toEqual([]);
  });
});

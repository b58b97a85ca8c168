import { describe, expect, it } from 'vitest';
import type { Sample } from '../../../model/sample.ts';
import { textSamples } from '../index.ts';

const LONG = [
  'Wed Nov 25 07:44:35 UTC 2026 - lab-a - Linux 6.18.44',
  '',
  '2 tasks (100.0 %)  blocked  waits for a free request of a disk queue (a tag): all are in flight',
  '  tasks   writer x 2: 5201/5201 5202/5202  root  D  cpu 0-1',
  '  stack   io_schedule               +0x46/0x70',
  '          blk_mq_get_tag            +0x11b/0x280',
  '',
  '2 tasks seen: 2 blocked, 0 idle, 0 running, 0 unexplained.',
];
const FOLDED = [
  'archiver;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_read;vfs_read;folio_wait_bit;schedule 3',
  'kworker/0:1-events;ret_from_fork;kthread;worker_thread;schedule 2',
  'tmux: server;entry_SYSCALL_64_after_hwframe;do_syscall_64;do_epoll_wait;ep_poll 1',
];
const JSON_LINES = [
  '{"format":"kstack-sample","version":1,"host":"lab-a","kernel":"6.18.44",',
  '"stacks":[',
  '{"id":0,"frames":[{"symbol":"folio_wait_bit","offset":1,"size":2},{"symbol":"vfs_read","offset":1,"size":2}]}',
  '],',
  '"tasks":[',
  '{"pid":41,"tid":41,"comm":"archiver","state":"D","stack":0},',
  '{"pid":42,"tid":42,"comm":"tmux: server","state":"S","stack":0}',
  ']}',
];

/** What a text tells, each task on a line of its own. */
async function tellAll(lines: readonly string[]): Promise<string[]> {
  const samples: Sample[] = [];
  for await (const sample of textSamples([`${lines.join('\n')}\n`])) samples.push(sample);
  return samples.flatMap(({ host, kernel, observations }) =>
    observations.map(({ task, state, stack }) => {
      const frames = 'value' in stack ? stack.value.frames.map(({ symbol }) => symbol) : [];
      return [host, kernel, task.comm, task.id.tid, state, ...frames].join(' ');
    }),
  );
}

const PREFIXES = [
  'n1: ',
  'node042.example.com: ',
  '> ',
  '>> ',
  '| ',
  '- ',
  '# ',
  '[node3] ',
  'web-1  | ',
  'out.txt:',
  '/var/tmp/out.txt:',
  'out.txt-12-',
  '2025-11-25T03:12:07Z ',
  '2025-11-25T03:12:07.123Z h1 app: ',
  'Nov 25 03:12:07 h1 kstack[7]: ',
];
const NUMBERS: readonly ((line: string, at: number) => string)[] = [
  (line, at) => `${String(at + 1).padStart(6)}\t${line}`,
  (line, at) => `${at + 1}:${line}`,
  (line, at) => `out.txt:${at + 1}:${line}`,
  (line, at) => `${String(at + 1).padStart(4)} | ${line}`,
];

describe('what stands before lines of a format of kstack', () => {
  describe.each([
    ['long', LONG],
    ['folded', FOLDED],
    ['json', JSON_LINES],
  ])('%s', (_, lines) => {
    it.each(PREFIXES)('is taken off: %j', async (prefix) => {
      const told = await tellAll(lines);
      expect(told.length).toBeGreaterThan(1);
      expect(await tellAll(lines.map((line) => prefix + line))).toEqual(told);
    });

    it.each(NUMBERS)('is taken off, where it is a number: %#', async (numbered) => {
      expect(await tellAll(lines.map(numbered))).toEqual(await tellAll(lines));
    });
  });

  it('is taken off lines of any length', async () => {
    const long = JSON_LINES.map((line) => line.replace('"pid":', `"x":${JSON.stringify('y'.repeat(200_000))},"pid":`));
    expect(await tellAll(long.map((line) => `n1: ${line}`))).toEqual(await tellAll(JSON_LINES));
  });

  it('is a part of the name, where other tasks lack it or no more than two have it', async () => {
    const ofTwo = ['tmux: server;do_syscall_64;ep_poll 1', 'tmux: client;do_syscall_64;do_sys_poll 1'];
    expect(await tellAll(ofTwo)).toEqual([
      '  tmux: server   ep_poll do_syscall_64',
      '  tmux: client   do_sys_poll do_syscall_64',
    ]);
    const workers = ['kworker/0:1-events', 'kworker/u8:3-flush-8:0', 'kworker/1:1H-kblockd', 'dd'];
    const told = await tellAll(workers.map((name) => `${name};ret_from_fork;kthread;worker_thread 1`));
    expect(told.map((task) => task.trim().split(' ')[0])).toEqual(workers);
  });

  it('tells hosts apart', async () => {
    const told = await tellAll(FOLDED.flatMap((line) => [`n1: ${line}`, `n2: ${line}`]));
    expect(new Set(told.map((task) => task.split(' ')[0]))).toEqual(new Set(['n1', 'n2']));
    expect(told).toHaveLength(2 * (await tellAll(FOLDED)).length);
  });
});

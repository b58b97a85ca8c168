import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { type TextOptions, textSamples } from '../index.ts';

const TITLED = [
  '== 4101 (kworker/u8:2) ==',
  '[<0>] rescuer_thread+0x2a2/0x3c0',
  '[<0>] kthread+0xef/0x120',
  '[<0>] ret_from_fork+0x44/0x70',
  '== 4102 (dd) ==',
  '[<0>] blk_mq_get_tag+0x11b/0x2d0',
  '[<0>] submit_bio+0xb3/0x1c0',
];
const TITLED_TOLD = ['kworker/u8:2 4101: rescuer_thread kthread ret_from_fork', 'dd 4102: blk_mq_get_tag submit_bio'];
const TRACED = [
  '@[',
  '    io_schedule+70',
  '    blk_mq_get_tag+283',
  '    entry_SYSCALL_64_after_hwframe+110',
  ', dd]: 12',
  '@[',
  '    schedule+51',
  '    wait_transaction_locked+138',
  ', postgres]: 3',
];
const TRACED_TOLD = [
  'dd: io_schedule blk_mq_get_tag entry_SYSCALL_64_after_hwframe',
  'postgres: schedule wait_transaction_locked',
];
const NAMES = ['        schedule', '        io_schedule', '        ext4_sync_fs', '    -    dd (41)', '        1200'];
const KNOWN = new Set(['blk_mq_get_tag', 'ext4_sync_fs']);

/** The tasks, each with its host, if that is told, and its functions. */
async function tellAll(lines: readonly string[], options: TextOptions = { known: KNOWN }): Promise<string[]> {
  const told: string[] = [];
  for await (const { host, observations } of textSamples([Buffer.from(lines.join('\n'))], options))
    for (const { task, stack } of observations) {
      const frames = 'value' in stack ? stack.value.frames : [];
      const whose = [host, task.comm, task.id.tid].filter((part) => part !== undefined).join(' ');
      told.push(`${whose}: ${frames.map(({ symbol }) => symbol).join(' ')}`);
    }
  return told;
}

describe('what stands before all lines of a text', () => {
  it.each([
    'node042: ',
    '10.20.30.40: ',
    'node[042]: ',
    '[host1] out: ',
    'host1\t',
    'web-1  | ',
    '<jane> ',
    'jane: ',
    '[pod/node-debugger-x7k2p/debugger] ',
    'kube-system node-debugger-x7k2p debugger ',
    'module.x.null_resource.y[0] (local-exec): ',
    '    amazon-ebs.x: ',
    'INFO:root: ',
    'npm ERR! ',
    '(host1) ',
    'host1~ ',
    '@@ ',
    '# ',
    '\x1b[36mweb-1  | \x1b[0m',
  ])('is taken off, whatever it is: %j', async (prefix) => {
    expect(await tellAll(TITLED.map((line) => prefix + line))).toEqual(TITLED_TOLD);
    expect(await tellAll(TRACED.map((line) => prefix + line))).toEqual(TRACED_TOLD);
    expect(await tellAll(NAMES.map((line) => prefix + line))).toEqual(['dd 41: schedule io_schedule ext4_sync_fs']);
  });

  it.each([
    '2025-11-25T03:12:07.1234567Z ',
    '2025-11-25T03:12:07.123456789Z stdout F ',
    '[2025-11-25T03:12:07.123Z] [arm64] ',
    '03:12 <jane> ',
    '[03:12:07] <jane> ',
    '[28.11.26, 03:12:07] Jane Doe: ',
    '2025-11-25 03:12:07.123456 | node1 | ',
    '2025-11-25 03:12:07,123 - dump - INFO - ',
    '2025-11-25T03:12:07.123456+00:00 app[web.1]: ',
    'Nov 25 03:12:07 host1 dump-stacks.sh[811]: ',
    'web-1  | 2025-11-25T03:12:07.123456789Z ',
  ])('is taken off behind a time or before one, and titles are read there: %j', async (prefix) => {
    expect(await tellAll(TITLED.map((line) => prefix + line))).toEqual(TITLED_TOLD);
    expect(await tellAll(TRACED.map((line) => prefix + line))).toEqual(TRACED_TOLD);
  });

  it('is no time zone, if it is the name of a register or of a number', async () => {
    const lines = [
      'PID: 4401     TASK: ffff9a5df7a5a100  CPU: 3    COMMAND: "worker_a"',
      ' #0 [ffffb5a0c8a57ca8] f_wait at ffffffff8d5a8f3c',
    ];
    expect(await tellAll(lines.map((line) => `2025-11-25T03:12:07.123Z ${line}`))).toEqual(['worker_a 4401: f_wait']);
    const report = ['RIP: 0010:f_spins+0x1c5/0x1d0', 'Call Trace:', ' <TASK>', ' g_lock+0x1/0x2', ' </TASK>'];
    expect(await tellAll(report.map((line) => `2025-11-25T03:12:07.123Z ${line}`))).toEqual([': f_spins g_lock']);
  });

  it.each(['2026-02-03T10:11:12.1234567Z ', '03.02.2026 10:11:12 ', 'Feb 03 10:11:12 ', 'WARNING:kern:', '-'])(
    'is no part of the title of a stack of drgn: %j',
    async (prefix) => {
      const stack = ['PID 4402 (worker_b):', '#0  __schedule (kernel/sched/core.c:6696:8)', '#1  f_wait (fs/f.c:7:3)'];
      const told = (await tellAll(stack.map((line) => prefix + line))).map((task) => task.replace('h1 ', ''));
      expect(told).toEqual(['worker_b 4402: __schedule f_wait']);
    },
  );

  it('is a log, where a daemon mentions a process between the lines of the kernel', async () => {
    const lines = ['task:dd state:D stack:0 pid:41 ppid:1', 'Call Trace:', ' f_wait+0x1/0x2', ' g_write+0x1/0x2'].map(
      (line) => `Nov 25 03:12:07 host1 kernel: ${line}`,
    );
    lines.splice(3, 0, 'Nov 25 03:12:07 host1 systemd[1]: Main process 77 exited (PID 77)');
    expect(await tellAll(lines)).toEqual(['host1 dd 41: f_wait g_write']);
  });

  it('may be a number that counts them', async () => {
    for (const numbered of [
      (at: number) => `${at}: `,
      (at: number) => `${String(at).padStart(4)} `,
      (at: number) => `L${at}) `,
    ])
      expect(await tellAll(TITLED.map((line, at) => numbered(at + 8) + line))).toEqual(TITLED_TOLD);
  });

  it('may be the PID that a loop has put there', async () => {
    const lines = ['41: f_wait+0x1/0x2', '41: g_write+0x1/0x2', '42: h_wait+0x1/0x2', '42: g_write+0x1/0x2'];
    expect(await tellAll(lines)).toEqual(['41: f_wait g_write', '42: h_wait g_write']);
  });

  it('may stand before the name of a file of grep', async () => {
    const lines = ['f_wait', 'g_write'].map((name) => `node042: /proc/41/stack:[<0>] ${name}+0x1/0x2`);
    expect(await tellAll(lines)).toEqual(['41: f_wait g_write']);
  });

  it('may stand before what Android says of a thread of the kernel', async () => {
    const lines = ['"Binder:5101_1" prio=5 tid=7 Native', '  | sysTid=5103 nice=0', '  | state=S schedstat=( 0 0 0 )'];
    lines.push('  kernel: f_wait+0x1/0x2', '  kernel: g_write+0x1/0x2');
    const told = await tellAll(lines);
    expect(told).toEqual(['Binder:5101_1 5103: f_wait g_write']);
    expect(await tellAll(lines.map((line) => `node7: ${line}`))).toEqual(told);
  });

  it('tells the lines of several hosts apart, also where they alternate, and names the hosts', async () => {
    const lines = TITLED.flatMap((line) => [`node041: ${line}`, `node042: ${line}`]);
    const told = ['node041', 'node042'].flatMap((host) => TITLED_TOLD.map((each) => `${host} ${each}`));
    expect(await tellAll(lines)).toEqual(told);
    const stamped = TITLED.slice(5).flatMap((line, at) =>
      ['a', 'b'].map((host) => `web-${host}  | [ 5000.12345${at}]  ${line}`),
    );
    expect(await tellAll(stamped)).toEqual(['web-a: blk_mq_get_tag submit_bio', 'web-b: blk_mq_get_tag submit_bio']);
  });

  it('is learned where a text has it, and the lines around are read as they are', async () => {
    const lines = [
      '[<0>] f_wait+0x1/0x2',
      '',
      'From bob:',
      ...TITLED.map((line) => `<jane> ${line}`),
      '<bob> oh',
      '',
      ...TITLED,
    ];
    expect((await tellAll(lines)).toSorted()).toEqual([': f_wait', ...TITLED_TOLD, ...TITLED_TOLD].toSorted());
  });

  it('goes on with a stack whose first lines were read before it was learned', async () => {
    const long = Array.from({ length: 40 }, (_, at) => `node042: f_${at}+0x1/0x2`);
    const [first, second] = await tellAll([...long, ...TITLED.map((line) => `node042: ${line}`)]);
    expect([first?.split(' ').length, second]).toEqual([41, TITLED_TOLD[0]]);
  });

  it('is left where the lines read as they are: of JSON, of tables, of the kernel itself', async () => {
    const records = TITLED.slice(5).map((line) => `    "msg": ${JSON.stringify(line)},`);
    expect(await tellAll(['{', ...records, '    "x": 1', '}'])).toHaveLength(1);
    const table = TITLED.map((line, at) => `${at},"${line}"`);
    expect(await tellAll(['n,line', ...table])).toEqual(TITLED_TOLD);
    const held = ['pc : f_wait+0x1/0x2', 'lr : g_write+0x1/0x2'];
    expect(await tellAll([...held, ...held, 'Call trace:', ' f_wait+0x1/0x2', ' g_write+0x1/0x2'])).toEqual([
      ': f_wait g_write',
    ]);
  });

  it('takes time linear in the text, also where nothing is learned', async () => {
    const line = 'svc7: worker 7: crashed at 0x7f00 in lib foo_bar+0x12/0x30 (error 4)\n';
    for (const each of [line, 'a: b: c: f+0x1/0x2 d\n', 'x: schedule\n', `${'a: '.repeat(1000)}f+0x1/0x2\n`]) {
      const begin = performance.now();
      expect(await tellAll([each.repeat(Math.ceil(1e6 / each.length))])).toBeDefined();
      expect(performance.now() - begin).toBeLessThan(60_000);
    }
  });
});

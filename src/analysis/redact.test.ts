import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anySample } from '../../test/any-samples.ts';
import { changesBetween } from '../model/changes.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { Redactor, redacted } from './redact.ts';
import { Stand, wordsLeft } from './redact-text.ts';

const TASK = {
  id: { tid: 7, startTicks: 1 },
  pid: 7,
  comm: 'postgres',
  user: 'alice',
  commandLine: { value: '/usr/bin/postgres\0-D\0/srv/Secret Customer/db\0--peer=db.secret.example\0' },
  cgroup: { value: '/system.slice/secret.service' },
} as const;
const STACK = { id: 1, frames: [{ symbol: 'io_schedule', raw: 'io_schedule+0x1/0x2' }] };

function sampleOf(changed: Partial<Sample>, observation: Partial<Observation> = {}): Sample {
  return {
    timeMs: 1000,
    host: 'secret-host',
    source: { name: 'procfs' },
    threads: false,
    fields: [],
    observations: [{ task: TASK, state: 'D', stack: { value: STACK }, ...observation }],
    holders: [],
    leftOut: {},
    unread: [],
    ...changed,
  };
}

async function all(...samples: Sample[]): Promise<Sample[]> {
  const found: Sample[] = [];
  for await (const sample of redacted(samples)) found.push(sample);
  return found;
}

describe('a redacted sample', () => {
  it('has stand-ins for what tells of people and machines, and the same for the same', async () => {
    const text = 'read(3</srv/Secret Customer/a, b>, "secret", 8192)';
    const call = { number: 0, arguments: [], name: 'read', text };
    const [one, two] = await all(
      sampleOf(
        {
          resources: [
            { key: 'mount 45', kind: 'mount', name: '/srv/Secret Customer', evidence: [] },
            { key: 'server nfs.secret', kind: 'server', name: 'nfs.secret', evidence: [] },
            { key: 'device 8:0', kind: 'device', name: 'sda', evidence: [] },
          ],
          edges: [
            {
              from: 7,
              to: 'server nfs.secret',
              by: 'server',
              evidence: [{ place: '/proc/7/mountinfo', text: '/srv/Secret Customer is on nfs.secret:/x' }],
            },
          ],
          events: [
            { kind: 'nfs', text: 'nfs: server secret.example not responding' },
            { kind: 'hung-task', text: 'INFO: task kworker/0:1:9 blocked for more than 120 seconds.' },
          ],
          unread: [{ tid: 9, what: 'stack', why: 'malformed', detail: '/proc/9/stack: secret' }],
        },
        { systemCall: { value: call } },
      ),
      sampleOf({ timeMs: 2000 }),
    );
    const json = JSON.stringify([one, two]);
    expect(json).not.toMatch(/secret|Customer|alice/i);
    const [seen] = one?.observations ?? [];
    expect(seen?.task.commandLine).toEqual({ value: 'postgres\0argument-1\0argument-2\0argument-3\0' });
    expect(seen?.task.cgroup).toEqual({ value: '/system.slice/group-1' });
    expect(seen?.systemCall).toMatchObject({ value: { text: 'read(3<value-1>, 8192)' } });
    expect(seen?.stack).toEqual({ value: STACK });
    expect(one?.resources?.map(({ name }) => name)).toEqual(['path-2', 'server-1', 'sda']);
    expect(one?.edges?.[0]?.to).toBe(one?.resources?.[1]?.key);
    expect(one?.edges?.[0]?.evidence[0]?.place).toBe('/proc/7/mountinfo');
    expect(one?.events?.[1]?.text).toBe('INFO: task kworker/0:1:9 blocked for more than 120 seconds.');
    expect(two?.host).toBe(one?.host);
    expect(two?.observations[0]?.task).toBe(seen?.task);
  });

  it('is followed by changes, as the one that it was made of', async () => {
    const observation = sampleOf({}).observations[0];
    const list = observation === undefined ? [] : [observation];
    const [one, two] = await all(sampleOf({ observations: list }), sampleOf({ observations: list, timeMs: 2000 }));
    expect(two && changesBetween(one, two)).toMatchObject({ gone: [], come: [] });
  });

  it('says as much of numbers, states and frames, whatever it is made of', async () => {
    await fc.assert(
      fc.asyncProperty(anySample, async (sample) => {
        const [shown] = await all(sample);
        expect(shown?.observations.map(({ state }) => state)).toEqual(sample.observations.map(({ state }) => state));
        expect(shown?.edges?.length).toBe(sample.edges?.length);
        expect(shown?.timeMs).toBe(sample.timeMs);
      }),
    );
  });
});

it('texts beyond the memory for them share a word', () => {
  const stand = new Stand(20);
  const words = ['a', 'b', 'a-long-one', 'a'].map((text) => stand.for('path', text));
  expect(words).toEqual(['path-1', 'path-2', 'path-more', 'path-1']);
});

it('has the same words in several streams', async () => {
  const redactor = new Redactor();
  const hostsOf = async (host: string) => {
    const found: (string | undefined)[] = [];
    for await (const sample of redacted([sampleOf({ host })], redactor)) found.push(sample.host);
    return found;
  };
  expect([await hostsOf('a'), await hostsOf('b'), await hostsOf('a')]).toEqual([['host-1'], ['host-2'], ['host-1']]);
});

it.each([
  ['futex(0x7f00, FUTEX_WAIT, 2, NULL)', 'futex(0x7f00, FUTEX_WAIT, 2, NULL)'],
  ['splice(3</a>, NULL, 4</b, "c">, 5)', 'splice(3<value-1>, 5)'],
  ['connect(3, secret)', undefined],
  ['something else', undefined],
])('of a system call, numbers and constants are left: %s', (text, left) => {
  expect(wordsLeft(text, new Stand())).toBe(left);
});

it.each([
  ['10.0.0.1-manager', 'address-1-manager'],
  ['fe80::1 says', 'address-1 says'],
  ['kworker/0:1', 'kworker/0:1'],
  ['at 03:12:01', 'at 03:12:01'],
])('addresses in names are replaced: %s', (text, name) => {
  expect(new Stand().name(text)).toBe(name);
});

it.each([
  ' dump_stack_lvl+0x57/0x80',
  ' ? ext4_page_mkwrite+0x1/0x2 [ext4]',
  'RIP: 0010:native_queued_spin_lock_slowpath+0x6e/0x2b0 [kvm]',
  ' </TASK>',
  '[<ffffffff8000546e>] dump_backtrace+0x1c/0x24',
  'INFO: task kworker/0:1:9 blocked in I/O wait for more than 120 seconds.',
  'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [ksoftirqd/0:12]',
  'INFO: task jbd2/sda1-8:300 blocked for more than 120 seconds.',
  'INFO: task xfsaild/dm-0:300 is blocked on a mutex likely owned by task kworker/u8:2:31.',
  'CPU: 1 UID: 0 PID: 0 Comm: swapper/0 Tainted: G OE 6.12.0 #1 Debian 6.12.0-1 (2026/11/27)',
  'Workqueue: xfs-cil/dm-0 xlog_cil_push_work [xfs]',
  'Buffer I/O error on dev sda1, logical block 0, async page read',
  'sd 2:0:0:0: [sda] tag#0 FAILED Result: hostbyte=DID_OK',
  'rcu: \t1-...!: (1 GPs behind) idle=8b2c/1/0x4000000000000000 softirq=12/13 fqs=5',
  'rcu: blocking rcu_node structures (internal RCU debug): l=1:0-13:0x2c/.',
  '2 locks held by kworker/0:1/9:',
  ' #0: ffff8881 (&type->i_mutex_dir_key#3/1){+.+.}-{3:3}, at: do_rmdir+0x1a/0x2b',
])('a line of the kernel log without a path stays as it is: %s', (line) => {
  expect(new Redactor().kernelLine(line)).toBe(line);
});

it.each([
  ['INFO: task sh+0x1/0x2/secret:7 blocked', 'INFO: task path-1'],
  ['I/O/secret is full', 'path-1'],
  ['1/2/secret', 'path-1'],
  ['error in secret/12 of', 'error in path-1'],
  ['I/O error in /srv/secret', 'I/O error in path-1'],
  ['do_wait+0x15c/0x2e0 [/srv/secret]', 'do_wait+0x15c/0x2e0 path-1'],
  ['nfs: server db.secret.example not responding, I/O waits', 'nfs: server server-1 not responding, I/O waits'],
  ['10.0.0.1/24 is lost', 'path-1'],
])('a path goes whatever stands before it: %s', (line, shown) => {
  expect(new Redactor().kernelLine(line)).toBe(shown);
});

it('takes no longer for a line with a slash in every other place', () => {
  const began = process.cpuUsage();
  new Redactor().kernelLine('1/'.repeat(8000));
  expect(process.cpuUsage(began).user).toBeLessThan(5e6);
});

it('takes no longer for a constant that is no constant', () => {
  expect(wordsLeft(`ioctl(3, ${'LONG_'.repeat(1000)};, "x")`, new Stand())).toBeUndefined();
});

import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../analysis/redact.ts';
import type { Sample } from '../../model/sample.ts';
import { systemClock } from '../../native/clock.ts';
import { linesOf } from '../../recording/lines.ts';
import { unpackedSegments } from '../../recording/members.ts';
import { recordedSamples } from '../../recording/read.ts';
import { BundleArchive } from './archive.ts';
import { whyNoLog } from './kernel-log.ts';
import { isKnownLine } from './known-lines.ts';
import { MemoryRecording } from './recording.ts';

describe('the archive of a bundle', () => {
  it('never takes more than it may, and says what was left out', () => {
    const most = 1 << 20;
    const archive = new BundleArchive('kstack-test', 0, most);
    archive.add({ name: 'why.txt', is: 'text', content: 'x'.repeat(most * 8) });
    archive.add({ name: 'recording.kstack', is: 'noise', content: randomBytes(most / 2) });
    archive.add({ name: 'kernel.log', is: 'more than its share', content: randomBytes(2000) }, 1000);
    archive.add({ name: 'report.html', is: 'more than there is room for', content: randomBytes(most / 2) });
    const bytes = archive.bytes({});
    expect(bytes.length).toBeLessThanOrEqual(most);
    expect(bytes.length).toBeGreaterThan(most / 2);
    expect(archive.files.map(({ name }) => name)).toEqual(['why.txt', 'recording.kstack']);
    expect(archive.leftOut).toEqual([
      { name: 'kernel.log', why: expect.stringMatching(/^it takes \d+ bytes, for which --max-size leaves no room$/) },
      { name: 'report.html', why: expect.stringContaining('--max-size') },
    ]);
    expect(gunzipSync(bytes).length % 512).toBe(0);
  });
});

describe('a recording in memory', () => {
  const sampleAt = (timeMs: number): Sample => ({
    timeMs,
    source: { name: 'procfs' },
    threads: false,
    fields: [],
    observations: Array.from({ length: 20 }, (_, at) => ({
      task: {
        id: { tid: at + 1 },
        comm: randomBytes(8).toString('hex'),
        commandLine: { value: randomBytes(100).toString('hex') },
      },
      stack: { unread: 'denied' },
    })),
    holders: [],
    leftOut: {},
    unread: [],
  });
  const take = async (mostBytes: number, samples: number) => {
    const recording = new MemoryRecording();
    const stop = new AbortController();
    let taken = 0;
    const next = async () => {
      if (++taken === samples) stop.abort();
      return sampleAt(1000 * taken);
    };
    const options = { selection: {}, clock: systemClock(), durationMs: 1e9, intervalMs: 1, redactor: undefined };
    await recording.record({ sampler: { next }, ...options, mostBytes, stop: stop.signal });
    const bytes = await recording.bytes();
    const problems: unknown[] = [];
    const read: Sample[] = [];
    const chunks = async function* () {
      yield bytes;
    };
    const lines = linesOf(unpackedSegments(chunks(), (offset) => problems.push(offset)));
    for await (const sample of recordedSamples(lines, (line, why) => problems.push([line, why]))) read.push(sample);
    expect(problems).toEqual([]);
    return { recording, bytes, read };
  };

  it('has all samples until it is stopped', async () => {
    const { recording, read } = await take(1e9, 5);
    expect([recording.samples, recording.notes, read.length]).toEqual([5, [], 5]);
  });

  it('ends where there is no room for more, with what is there whole', async () => {
    const { recording, bytes, read } = await take(10_000, 1000);
    expect(bytes.length).toBeLessThanOrEqual(10_000);
    expect(recording.samples).toBeGreaterThan(1);
    expect(read).toHaveLength(recording.samples);
    expect(recording.notes).toEqual([`it ends after ${recording.samples} samples: --max-size leaves no room for more`]);
  });
});

it('says who may read a kernel log that it may not read', () => {
  const denied = Object.assign(new Error('EPERM'), { code: 'EPERM' });
  expect(whyNoLog(denied)).toMatch(/EPERM.*: root reads it, or CAP_SYSLOG/);
  expect(whyNoLog(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }))).not.toContain('root');
});

describe('a line of the kernel log', () => {
  it.each([
    ' percpu_rwsem_wait+0x113/0x150',
    ' ? ext4_page_mkwrite+0x1/0x2 [ext4]',
    '[<ffffffff8000546e>] dump_backtrace+0x1c/0x24',
    'pc : ext4_page_mkwrite+0x1/0x2 [ext4]',
    'Workqueue: xfs-cil/dm-0 xlog_cil_push_work [xfs]',
    'Workqueue: writeback wb_workfn (flush-8:0)',
    'Call Trace:',
    ' <TASK>',
    'INFO: task cp:712 blocked for more than 120 seconds.',
    'INFO: task cp:712 is blocked on a mutex likely owned by task dd:8.',
    '      Not tainted 6.1.0-13-amd64 #1 Debian 6.1.55-1',
    'task:cp              state:D stack:0     pid:712   ppid:1      flags:0x00004006',
    'CPU: 1 PID: 99 Comm: kworker/1:2 Not tainted 6.1.0-13-amd64 #1 Debian',
    'Workqueue: events_unbound async_run_entry_fn',
    '1 lock held by khungtaskd/30:',
    ' #0: ffffffff82b3a5e0 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x15/0x16b',
    'sysrq: Show Blocked State',
    'nfs: server db.example not responding, still trying',
  ])('is known: %s', (line) => {
    expect(isKnownLine(line)).toBe(true);
  });

  it.each([
    'usb 1-1: SerialNumber: 4C530001',
    'Command line: BOOT_IMAGE=/vmlinuz root=UUID=1234 user=alice',
    'audit: type=1400 audit(1.2:3): acct="alice"',
    'EXT4-fs (dm-3): mounted filesystem 0d6c-11 with ordered data mode',
    'Call Trace: alice',
    ' secret of alice+0x1/0x2',
    'x'.repeat(100_000),
    ' '.repeat(100_000),
  ])('is not known: %s', (line) => {
    expect(isKnownLine(line)).toBe(false);
  });

  it('names no server, no address and no path where it is redacted', () => {
    const redactor = new Redactor();
    expect(redactor.kernelLine('nfs: server db.example not responding')).toBe('nfs: server server-1 not responding');
    expect(redactor.kernelLine('EXT4-fs error (device sda1): /srv/alice')).toBe('EXT4-fs error (device sda1): path-1');
  });
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testRequires } from '../../../../test/harness.ts';
import { procFolder } from '../../../../test/proc-folder.ts';
import type { Sample } from '../../../model/sample.ts';
import { systemClock } from '../../../native/clock.ts';
import { openSampler } from '../sampler.ts';
import { KernelLines } from './kernel-lines.ts';
import { parseKmsg } from './kmsg.ts';
import { parseStall } from './stall.ts';

async function opened(root: string, options: { events: boolean; kmsg?: string } = { events: true }) {
  const { events, kmsg } = options;
  const sampler = await openSampler(
    { clock: systemClock(), root, ...(kmsg !== undefined && { kmsg }) },
    { selection: { pids: [process.pid] }, source: 'procfs', fields: [], facts: false, steady: true, events },
  );
  onTestFinished(() => sampler.close());
  return sampler;
}

describe('a file of /proc/pressure', () => {
  it('tells how much of the last ten seconds some or all tasks stalled', () => {
    const text =
      'some avg10=12.05 avg60=0.08 avg300=0.63 total=428611814\nfull avg10=0.18 avg60=0.04 avg300=0.45 total=249787708\n';
    expect(parseStall(text)).toEqual({ some: 12.05, full: 0.18 });
    expect(parseStall(`${text.split('\n')[0]} `)).toEqual({ some: 12.05 });
  });

  it('or tells nothing', () => {
    expect(parseStall('')).toBeUndefined();
    expect(parseStall('some avg10=x avg60=')).toBeUndefined();
  });
});

describe('a record of /dev/kmsg', () => {
  it('has a number, a time and a text', () => {
    expect(parseKmsg(Buffer.from('6,5666,36818525808,-;loop0: detected\n SUBSYSTEM=block\n DEVICE=b7:0\n'))).toEqual({
      priority: 6,
      sequence: 5666,
      uptimeSeconds: 36818.525808,
      text: 'loop0: detected',
    });
    expect(parseKmsg(Buffer.from('12,7,1,c,caller=T99,more;x;y\n'))).toEqual({
      priority: 12,
      sequence: 7,
      uptimeSeconds: 0.000001,
      text: 'x;y',
    });
  });

  it('has the bytes that the kernel has escaped', () => {
    const text = (escaped: string) => parseKmsg(Buffer.from(`6,1,1,-;${escaped}\n`))?.text;
    expect(text('task caf\\xc3\\xa9\\x5cx\\x0a:1')).toBe('task caf\u00e9\\x\n:1');
    expect(text('task \\xff:1')).toBe('task \udcff:1');
  });

  it('may be anything', () => {
    for (const each of ['', ';', '6,1;x', 'x,1,2,-;y', '6,1,2,-']) expect(parseKmsg(Buffer.from(each))).toBeUndefined();
  });
});

describe('the lines of the kernel log', () => {
  const record = (sequence: number, seconds: number, text: string) =>
    Buffer.from(`6,${sequence},${seconds * 1e6},-;${text}\n`);

  it('have the time of the kernel, but not before the last look, nor in the future', () => {
    const lines = new KernelLines(1_000_000);
    lines.take(record(1, 50, 'nfs: server a OK'));
    lines.take(record(2, 99, 'nfs: server b OK'));
    lines.take(record(3, 101, 'nfs: server c OK'));
    lines.take(record(4, 101, 'nothing of interest'));
    expect(lines.events({ nowMs: 1_010_000, uptimeSeconds: 100 })).toEqual([
      { timeMs: 1_000_000, uptimeSeconds: 50, kind: 'nfs', text: 'nfs: server a OK' },
      { timeMs: 1_009_000, uptimeSeconds: 99, kind: 'nfs', text: 'nfs: server b OK' },
      { timeMs: 1_010_000, uptimeSeconds: 101, kind: 'nfs', text: 'nfs: server c OK' },
    ]);
    expect(lines.events({ nowMs: 1_020_000, uptimeSeconds: 110 })).toEqual([]);
  });

  it('count what was overwritten, and what is too many', () => {
    const lines = new KernelLines(0);
    lines.take(record(1, 1, 'x'));
    lines.lose();
    lines.take(record(42, 2, 'y'));
    for (let at = 0; at < 130; at++) lines.take(record(43 + at, 3, 'I/O error, dev sda, sector 1'));
    const events = lines.events({ nowMs: 10, uptimeSeconds: undefined });
    expect(events).toHaveLength(102);
    expect(events[0]).toEqual({
      timeMs: 0,
      kind: 'lost',
      text: '40 lines of the kernel log overwritten before being read',
    });
    expect(events.at(-1)).toEqual({
      timeMs: 10,
      kind: 'lost',
      text: '30 lines of the kernel log left out: too many at once',
    });
  });

  it('are cut off if they are long', () => {
    const lines = new KernelLines(0);
    lines.take(record(1, 1, `${'x'.repeat(40)} invoked oom-killer: ${'y'.repeat(1000)}`));
    expect(lines.events({ nowMs: 1, uptimeSeconds: 1 })[0]?.text).toHaveLength(403);
  });
});

describe('a sampler', () => {
  const write = (line: string) => writeFileSync('/dev/kmsg', line);
  const textsIn = (sample: Sample) => (sample.events ?? []).map(({ text }) => text);

  it('tells what the kernel says from its start on, once', async (context) => {
    testRequires('root');
    const mark = `kstack-test-${process.pid}`;
    try {
      write(`nfs: server ${mark}-before OK\n`);
    } catch {
      context.skip('/dev/kmsg cannot be written');
    }
    const sampler = await opened('/proc');
    write(`nfs: server ${mark} not responding, still trying\n`);
    write(`${mark}: nothing of interest\n`);
    const beganMs = Date.now();
    const first = await sampler.next();
    const ours = (first.events ?? []).filter(({ text }) => text.includes(mark));
    expect(ours).toEqual([
      {
        timeMs: expect.any(Number),
        uptimeSeconds: expect.any(Number),
        kind: 'nfs',
        text: `nfs: server ${mark} not responding, still trying`,
      },
    ]);
    expect(Math.abs((ours[0]?.timeMs ?? 0) - beganMs)).toBeLessThan(5000);
    expect(textsIn(await sampler.next()).filter((text) => text.includes(mark))).toEqual([]);
  });

  it('says if it cannot read the kernel log, once', async () => {
    const sampler = await opened('/proc', { events: true, kmsg: '/nonexistent/kmsg' });
    expect(textsIn(await sampler.next())).toContain(
      'the kernel log is missing: /nonexistent/kmsg cannot be read (gone)',
    );
    expect((await sampler.next()).events ?? []).not.toContainEqual(expect.objectContaining({ kind: 'lost' }));
  });

  it('tells the pressure of the host, as far as the kernel does', async () => {
    const root = procFolder({});
    expect((await (await opened(root)).next()).pressure).toBeUndefined();
    mkdirSync(join(root, 'pressure'));
    writeFileSync(join(root, 'pressure', 'io'), 'some avg10=7.50 avg60=1.00 avg300=0.00 total=1\n');
    expect((await (await opened(root)).next()).pressure).toEqual({ io: { some: 7.5 } });
  });

  it('tells it of the real host', async (context) => {
    try {
      readFileSync('/proc/pressure/memory');
    } catch {
      context.skip('the kernel has no /proc/pressure');
    }
    const { pressure } = await (await opened('/proc')).next();
    expect(pressure?.memory).toEqual({ some: expect.any(Number), full: expect.any(Number) });
    expect(Object.keys(pressure ?? {}).sort()).toEqual(['cpu', 'io', 'memory']);
  });

  it('tells that the kernel has counted more hung tasks, also where it does not print them', async () => {
    const root = procFolder({});
    const file = join(root, 'sys/kernel/hung_task_detect_count');
    mkdirSync(join(root, 'sys/kernel'), { recursive: true });
    writeFileSync(file, '3\n');
    // Without the lines of the real kernel.
    const sampler = await opened(root, { events: true, kmsg: '/nonexistent/kmsg' });
    const hungIn = (sample: Sample) => (sample.events ?? []).filter(({ kind }) => kind === 'hung-task');
    expect(hungIn(await sampler.next())).toEqual([]);
    writeFileSync(file, '5\n');
    expect(hungIn(await sampler.next())).toMatchObject([{ text: 'hung_task_detect_count is 5, and was 3' }]);
    expect(hungIn(await sampler.next())).toEqual([]);
  });

  it('tells nothing of the host for a snapshot', async () => {
    const sample = await (await opened('/proc', { events: false })).next();
    expect(sample).not.toHaveProperty('pressure');
    expect(sample).not.toHaveProperty('events');
  });
});

import { describe, expect, it } from 'vitest';
import type { Sample } from '../../model/sample.ts';
import { textSamples } from './index.ts';

async function samplesOf(text: string, assumeTimeMs?: (clockMs: number) => number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of textSamples([text], assumeTimeMs === undefined ? {} : { assumeTimeMs }))
    samples.push(sample);
  return samples;
}

/** Of each sample its time, its tasks and its events. */
async function toldBy(text: string) {
  return (await samplesOf(text)).map(({ timeMs, uptimeSeconds, host, observations, events = [] }) => [
    timeMs === undefined ? uptimeSeconds : new Date(timeMs).toISOString().slice(11, 19),
    host,
    observations.map(({ task }) => task.comm).join(' '),
    events.map(({ kind, text }) => `${kind}: ${text}`),
  ]);
}

const journal = (time: string, text: string) => `2026-11-25T${time}.000000+0000 db1 kernel: ${text}\n`;
const HUNG = 'INFO: task tar:11 blocked for more than 120 seconds.';
const hung = (time: string) =>
  [HUNG, 'task:tar state:D stack:0 pid:11 tgid:11 ppid:2 flags:0x0', 'Call Trace:', ' f+0x1/0x2']
    .map((line) => journal(time, line))
    .join('');
const IO = 'I/O error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 0';

describe('what the kernel says in a log', () => {
  it('is an event of the sample of that moment, or of one without tasks, in order', async () => {
    const text =
      journal('02:00:00', IO) +
      hung('03:12:00') +
      journal('03:12:01', IO) +
      journal('04:00:00', 'nfs: server filer OK') +
      hung('05:00:00') +
      journal('06:00:00', 'java invoked oom-killer: gfp_mask=0xcc0');
    expect(await toldBy(text)).toEqual([
      ['02:00:00', 'db1', '', [`io-error: ${IO}`]],
      ['03:12:00', 'db1', 'tar', [`hung-task: ${HUNG}`, `io-error: ${IO}`]],
      ['04:00:00', 'db1', '', ['nfs: nfs: server filer OK']],
      ['05:00:00', 'db1', 'tar', [`hung-task: ${HUNG}`]],
      ['06:00:00', 'db1', '', ['oom: java invoked oom-killer: gfp_mask=0xcc0']],
    ]);
  });

  it('has the time of its line, since boot too', async () => {
    const [sample] = await samplesOf(`2026-11-25T03:12:00.250000+0100 db1 kernel: [ 4711.250000] ${IO}\n`);
    const timeMs = Date.UTC(2026, 10, 25, 2, 12, 0, 250);
    expect(sample).toMatchObject({ timeMs, uptimeSeconds: 4711.25, host: 'db1', observations: [] });
    expect(sample?.events).toEqual([{ timeMs, uptimeSeconds: 4711.25, kind: 'io-error', text: IO }]);
  });

  it('has no time where the text tells none, or that of a clock that somebody else knows', async () => {
    const text = `Nov 25 03:12:00 db1 kernel: ${IO}\n`;
    expect((await samplesOf(text)).map(({ timeMs, events }) => [timeMs, events])).toEqual([
      [undefined, [{ kind: 'io-error', text: IO }]],
    ]);
    const [sample] = await samplesOf(text, (clockMs) => clockMs + 1);
    const timeMs = Date.UTC(2000, 10, 25, 3, 12) + 1;
    expect([sample?.timeMs, sample?.events]).toEqual([timeMs, [{ timeMs, kind: 'io-error', text: IO }]]);
  });

  it.each([
    ['dmesg', (text: string) => `[ 4711.250000] ${text}`],
    ['dmesg -T', (text: string) => `[Wed Nov 25 03:12:00 2026] ${text}`],
    ['dmesg --time-format iso', (text: string) => `2026-11-25T03:12:00,250000+01:00 ${text}`],
    ['dmesg -x', (text: string) => `kern  :err   : [ 4711.250000] ${text}`],
    ['syslog', (text: string) => `Nov 25 03:12:00 db1 kernel: [ 4711.250000] ${text}`],
    ['/dev/kmsg', (text: string) => `3,4711,4711250000,-;${text}`],
    ['printk with a level', (text: string) => `<3>[ 4711.250000] ${text}`],
    ['a console with callers', (text: string) => `[ 4711.250000][  T123] ${text}`],
    ['a mail', (text: string) => `> > ${text}`],
    ['nothing', (text: string) => text],
    [
      'docker',
      (text: string) => JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: '2026-11-25T03:12:00.1Z' }),
    ],
    [
      'journalctl -o json',
      (text: string) => JSON.stringify({ MESSAGE: text, __REALTIME_TIMESTAMP: '1764036720250000' }),
    ],
  ])('is found behind what %s puts before it', async (_, lineOf) => {
    const told = await toldBy(`${lineOf(IO)}\n`);
    expect(told.map(([, , , events]) => events)).toEqual([[`io-error: ${IO}`]]);
  });

  it.each([
    `Nov 25 03:12:00 db1 dockerd[99]: ${IO}`,
    `Nov 25 03:12:00 db1 smartd: ${IO}`,
    `PID: 7   State:  D   Start Time: 2026/11/25 03:12:00   Cmd: ${IO}`,
    `They said: ${HUNG} What now?`,
    ' ext4_io_error+0x1/0x2',
  ])('is not what others say: %s', async (line) => {
    expect((await samplesOf(`${line}\n`)).flatMap(({ events = [] }) => events)).toEqual([]);
  });

  it('is counted where it is too much, in bounded memory', async () => {
    const storm = Array.from({ length: 3000 }, () => journal('03:12:00', IO)).join('');
    const [sample, ...others] = await samplesOf(storm);
    expect(others).toEqual([]);
    expect(sample?.events).toHaveLength(101);
    expect(sample?.events?.at(-1)).toEqual({ kind: 'lost', text: '2900 more such lines' });
    const hours = Array.from({ length: 1000 }, (_, at) =>
      journal(`03:${String(Math.floor(at / 20)).padStart(2, '0')}:${String((at % 20) * 3).padStart(2, '0')}`, IO),
    );
    expect(await samplesOf(hours.join(''))).toHaveLength(1000);
  });
});

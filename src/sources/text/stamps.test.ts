import { describe, expect, it } from 'vitest';
import { isSameMoment, type Stamp, Stamps } from './stamps.ts';

function stampOf(line: string): Stamp {
  const stamps = new Stamps();
  stamps.take(line);
  return stamps.now;
}

describe('a stamp', () => {
  it.each([
    ['short-iso', '2026-11-25T03:09:00+0100 lab-a kernel: x'],
    ['short-iso-precise', '2026-11-25T03:09:00.000000+0100 lab-a kernel: x'],
    ['short-full', 'Wed 2026-11-25 03:09:00 CET lab-a kernel: x'],
  ])('with a zone is a time: journalctl -o %s', (_form, line) => {
    expect(stampOf(line).told).toEqual({ timeMs: Date.UTC(2026, 10, 25, 2, 9), host: 'lab-a' });
  });

  it.each(['6,9900,49105976740,-;x', '6,9900,49105976740,-,caller=T12;x', '[49105.976740] x'])(
    'of the kernel is in seconds since boot: %s',
    (line) => {
      expect(stampOf(line).told).toEqual({ uptimeSeconds: 49105.97674 });
    },
  );

  it.each([
    'Nov 25 03:09:00 lab-a kernel: x',
    'nov. 25 03:09:00 lab-a kernel: x',
    'ноя 25 03:09:00 lab-a kernel: x',
    '11月 25 03:09:00 lab-a kernel: x',
    '25 Nov 03:09:00 lab-a kernel: x',
    '03:09:00.123456 lab-a kernel: x',
    'Wed 2026-11-25 03:09:00 IST lab-a kernel: x',
  ])('without a zone that is known tells the host, and how far apart two lines are: %s', (line) => {
    const first = stampOf(line);
    expect(first.told).toEqual({ host: 'lab-a' });
    expect(isSameMoment(first, stampOf(line.replace('03:09:00', '03:09:01')))).toBe(true);
    expect(isSameMoment(first, stampOf(line.replace('03:09:00', '04:09:00')))).toBe(false);
  });

  it.each(['  ', '> ', '| ', '> > ', '\t'])('is that of a line that somebody has quoted with "%s"', (quote) => {
    const line = '2026-11-25T03:09:00+0100 lab-a kernel: [  123.500000] x';
    expect(stampOf(quote + line)).toEqual(stampOf(line));
    expect(stampOf(`${quote}[  123.500000] x`).told).toEqual({ uptimeSeconds: 123.5 });
  });

  it('of a month that has a number or a name that is known is that of its day', () => {
    const november = stampOf('Nov 25 03:09:00 lab-a kernel: x');
    expect(stampOf('11月 25 03:09:00 lab-a kernel: x').clockMs).toBe(november.clockMs);
    expect(stampOf('25 Nov 03:09:00 lab-a kernel: x').clockMs).toBe(november.clockMs);
    expect(stampOf('[Wed Nov 25 03:09:00 2000] x').clockMs).toBe(november.clockMs);
  });

  it.each(['[  123.500000] x', '[  123.500000 <    0.000012 >] x', 'Nov 25 03:09:00 lab-a kernel: [  123.500000] x'])(
    'of the kernel is the time since boot: %s',
    (line) => {
      expect(stampOf(line).told.uptimeSeconds).toBe(123.5);
    },
  );

  it('applies to the lines behind it that have none', () => {
    const stamps = new Stamps();
    stamps.take('2026-11-25T03:09:00+0100 lab-a kernel: x');
    const first = stamps.now;
    stamps.take(' f+0x1/0x2');
    expect(stamps.now).toBe(first);
  });
});

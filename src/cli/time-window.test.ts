import { describe, expect, it } from 'vitest';
import type { Clock } from '../model/time.ts';
import { boundsOf, dayTaken, parseMoment } from './time-window.ts';

const zoneAt = () => ({ offsetSeconds: 3600, abbreviation: 'CET' });
const at = (text: string) => Date.parse(text);

const NIGHT = ['2026-11-25T22:30Z', '2026-11-26T06:00Z'] as const;

function bounds(
  from: string | undefined,
  to: string | undefined,
  [first, last]: readonly [string, string?] = NIGHT,
  zone: Clock['zoneAt'] = zoneAt,
) {
  const moment = (text: string | undefined) => (text === undefined ? undefined : parseMoment(text));
  const window = { from: moment(from), to: moment(to) };
  const span = { firstMs: at(first), ...(last !== undefined && { lastMs: at(last) }) };
  const { fromMs, toMs } = boundsOf(window, span, zone);
  const times = [fromMs, toMs].map((ms) => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 16) : ms));
  return { times, taken: dayTaken(window, { fromMs, toMs }, span, zoneAt) };
}

const timesOf = (...window: Parameters<typeof bounds>) => bounds(...window).times;
const [BEFORE, AFTER] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

describe('a window', () => {
  it('has times of day in local time, from the evening to the morning', () => {
    expect(timesOf('23:45', '03:00')).toEqual(['2026-11-25T22:45', '2026-11-26T02:00']);
  });

  const DAYS = ['2026-11-20T00:00Z', '2026-11-25T18:00Z'] as const;

  it('has a time of day on the last day that has it, and says which one', () => {
    expect(bounds('03:00', '03:30', DAYS)).toEqual({
      times: ['2026-11-25T02:00', '2026-11-25T02:30'],
      taken: 'the files hold several days: what is taken begins at 2026-11-25 03:00:00',
    });
    expect(timesOf('23:00', '01:00', DAYS)).toEqual(['2026-11-24T22:00', '2026-11-25T00:00']);
    expect(bounds(undefined, '03:30', DAYS)).toEqual({
      times: [BEFORE, '2026-11-25T02:30'],
      taken: 'the files hold several days: what is taken ends at 2026-11-25 03:30:00',
    });
  });

  it('has it before an end that has a day, and after a beginning that has one', () => {
    expect(timesOf('03:00', '2026-11-22 04:00', DAYS)).toEqual(['2026-11-22T02:00', '2026-11-22T03:00']);
    expect(bounds('2026-11-22 03:00', '04:00', DAYS)).toEqual({
      times: ['2026-11-22T02:00', '2026-11-22T03:00'],
      taken: undefined,
    });
  });

  const MINUTES = ['2026-11-25T19:16:38Z', '2026-11-25T19:40Z'] as const;

  it.each([
    ['20:16', undefined, ['2026-11-25T19:16', AFTER]],
    ['20:00', '20:30', ['2026-11-25T19:00', '2026-11-25T19:30']],
    ['20:00', '20:10', ['2026-11-25T19:00', '2026-11-25T19:10']],
    ['21:00', undefined, ['2026-11-25T20:00', AFTER]],
    ['01:12', undefined, ['2026-11-25T00:12', AFTER]],
    [undefined, '20:30', [BEFORE, '2026-11-25T19:30']],
    [undefined, '21:00', [BEFORE, '2026-11-25T20:00']],
  ])('from %s to %s may begin before the first sample', (from, to, times) => {
    expect(bounds(from, to, MINUTES)).toEqual({ times, taken: undefined });
  });

  it.each([
    ['20:00', '20:30', ['2026-11-25T19:00', '2026-11-25T19:30']],
    ['08:00', undefined, ['2026-11-26T07:00', AFTER]],
    ['23:00', '01:00', ['2026-11-25T22:00', '2026-11-26T00:00']],
    [undefined, '03:00', [BEFORE, '2026-11-26T02:00']],
  ])('from %s to %s is near the first sample if the last one is not known', (from, to, times) => {
    expect(timesOf(from, to, [MINUTES[0]])).toEqual(times);
  });

  it('counts back from the last sample', () => {
    expect(timesOf('-90m', '-1h')).toEqual(['2026-11-26T04:30', '2026-11-26T05:00']);
    expect(timesOf('-1d', undefined)).toEqual(['2026-11-25T06:00', Number.POSITIVE_INFINITY]);
  });

  it('has days, and zones', () => {
    expect(timesOf('2026-11-26 03:12', '2026-11-26T03:12Z')).toEqual(['2026-11-26T02:12', '2026-11-26T03:12']);
  });

  it('has whole days, and the end of a day', () => {
    expect(timesOf('2026-11-25', '2026-11-26')).toEqual(['2026-11-24T23:00', '2026-11-26T22:59']);
    expect(timesOf('20:00', '24:00', ['2026-11-25T19:16Z', '2026-11-25T19:40Z'])).toEqual([
      '2026-11-25T19:00',
      '2026-11-25T23:00',
    ]);
    expect(timesOf('2026-11-25 20:00', '2026-11-25 24:00')).toEqual(['2026-11-25T19:00', '2026-11-25T23:00']);
  });

  it.each([
    '',
    '3',
    '25:00',
    '24:01',
    '2026-02-30',
    '2026-11-26Z',
    '03:60',
    '2026-13-01 00:00',
    '2026-02-30 00:00',
    '-10',
    '10m',
    '-1y',
    '03:12x',
  ])('is not %j', (text) => {
    expect(parseMoment(text)).toBeUndefined();
  });
});

describe('a window in a night in which the clock is set', () => {
  /** Europe/Berlin in 2025. */
  const berlin = (seconds: number) =>
    seconds >= at('2025-03-30T01:00Z') / 1000 && seconds < at('2025-10-26T01:00Z') / 1000
      ? { offsetSeconds: 7200, abbreviation: 'CEST' }
      : { offsetSeconds: 3600, abbreviation: 'CET' };
  const SHORT = ['2025-03-29T20:00Z', '2025-03-30T08:00Z'] as const;
  const LONG = ['2025-10-25T20:00Z', '2025-10-26T08:00Z'] as const;

  it.each([
    ['02:30', '03:10', ['2025-03-30T01:00', '2025-03-30T01:10']],
    ['2025-03-30 01:59', '2025-03-30 02:01', ['2025-03-30T00:59', '2025-03-30T01:00']],
    ['2025-03-30 03:00', '2025-03-30 03:30', ['2025-03-30T01:00', '2025-03-30T01:30']],
    ['2025-03-30', '2025-03-30', ['2025-03-29T23:00', '2025-03-30T21:59']],
  ])('from %s to %s takes a time that is skipped for the moment of the change', (from, to, times) => {
    expect(timesOf(from, to, SHORT, berlin)).toEqual(times);
  });

  it.each([
    ['2025-10-26 02:30', '2025-10-26 02:31', ['2025-10-26T00:30', '2025-10-26T01:31']],
    ['02:30', '02:31', ['2025-10-26T00:30', '2025-10-26T01:31']],
    [undefined, '02:30', [BEFORE, '2025-10-26T01:30']],
    ['2025-10-26 02:30+02:00', '2025-10-26 02:31+02:00', ['2025-10-26T00:30', '2025-10-26T00:31']],
    ['01:59', '03:00', ['2025-10-25T23:59', '2025-10-26T02:00']],
    ['2025-10-26', '2025-10-26', ['2025-10-25T22:00', '2025-10-26T22:59']],
  ])('from %s to %s is from the first time that is shown twice to the last', (from, to, times) => {
    expect(timesOf(from, to, LONG, berlin)).toEqual(times);
  });

  it('ends with the one of two such times that the samples have', () => {
    expect(timesOf(undefined, '02:30', [LONG[0], '2025-10-26T00:50Z'], berlin)).toEqual([BEFORE, '2025-10-26T00:30']);
    expect(timesOf('02:30', undefined, ['2025-10-26T00:50Z'], berlin)).toEqual(['2025-10-26T00:30', AFTER]);
  });

  it('that ends with a day has nothing of the next one', () => {
    const { toMs } = boundsOf({ from: undefined, to: parseMoment('2025-10-25') }, { firstMs: 0 }, berlin);
    expect(toMs).toBe(at('2025-10-25T22:00Z') - 1);
  });
});

import { describe, expect, it } from 'vitest';
import { boundsOf, parseMoment } from './time-window.ts';

const zoneAt = () => ({ offsetSeconds: 3600, abbreviation: 'CET' });
const at = (text: string) => Date.parse(text);

function bounds(from: string | undefined, to: string | undefined) {
  const moment = (text: string | undefined) => (text === undefined ? undefined : parseMoment(text));
  const window = { from: moment(from), to: moment(to) };
  const { fromMs, toMs } = boundsOf(window, at('2026-11-25T22:30Z'), at('2026-11-26T06:00Z'), zoneAt);
  return [fromMs, toMs].map((ms) => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 16) : ms));
}

describe('a window', () => {
  it('has times of day in local time, the first after the first sample', () => {
    expect(bounds('23:45', '03:00')).toEqual(['2026-11-25T22:45', '2026-11-26T02:00']);
  });

  it('counts back from the last sample', () => {
    expect(bounds('-90m', '-1h')).toEqual(['2026-11-26T04:30', '2026-11-26T05:00']);
    expect(bounds('-1d', undefined)).toEqual(['2026-11-25T06:00', Number.POSITIVE_INFINITY]);
  });

  it('has days, and zones', () => {
    expect(bounds('2026-11-26 03:12', '2026-11-26T03:12Z')).toEqual(['2026-11-26T02:12', '2026-11-26T03:12']);
  });

  it.each(['', '3', '25:00', '03:60', '2026-13-01 00:00', '2026-02-30 00:00', '-10', '10m', '-1y', '03:12x'])(
    'is not %j',
    (text) => {
      expect(parseMoment(text)).toBeUndefined();
    },
  );
});

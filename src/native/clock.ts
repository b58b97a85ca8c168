import type { Clock } from '../model/time.ts';
import { createLocalZone } from './localtime.ts';

/** The host's clock and zone. */
export function systemClock(): Clock {
  return { nowMs: Date.now, monotonicMs: () => performance.now(), zoneAt: createLocalZone() };
}

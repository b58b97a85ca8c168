import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../model/time.ts';
import { createLocalZone } from './localtime.ts';

/** The host's clock and zone. */
export function systemClock(): Clock {
  // koffi never frees a declared function, so localtime_r is declared when a zone is first needed.
  let zone: Clock['zoneAt'] | undefined;
  const zoneAt: Clock['zoneAt'] = (seconds) => {
    zone ??= createLocalZone();
    return zone(seconds);
  };
  return { nowMs: Date.now, monotonicMs: () => performance.now(), sleep, zoneAt };
}

/** Resolves after that time, or when it is aborted. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

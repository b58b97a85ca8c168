import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../model/time.ts';
import { createLocalZone } from './localtime.ts';

/** The host's clock and zone. */
export function systemClock(): Clock {
  return { nowMs: Date.now, monotonicMs: () => performance.now(), sleep, zoneAt: createLocalZone() };
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

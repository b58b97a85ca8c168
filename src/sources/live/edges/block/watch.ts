import type { Evidence, Resource } from '../../../../model/edge.ts';
import type { Reading } from '../../../../model/reading.ts';
import type { Clock } from '../../../../model/time.ts';
import { parseRequests, type Requests } from './requests.ts';

/** What a device did while it was watched. */
export interface Watched {
  /** As a sentence without its subject; undefined if it had nothing to do. */
  readonly condition: string | undefined;
  /** Set if it had requests in flight all the time, and completed none. */
  readonly stalled?: true;
  /** Set if it had nothing to do, as far as it counts. */
  readonly idle?: true;
  readonly evidence: Evidence;
}

/** When to look again, from the first look on. A healthy device completes something before the second or third look. */
const LOOKS_MS = [10, 30, 70, 200];
/** One more, for a device that somebody has been waiting for long: what it does may be a flush of a full cache. */
const LAST_LOOK_MS = 500;
const NEVER = new AbortController().signal;

interface Look {
  readonly name: string;
  readonly place: string;
  readonly first: Requests | string;
  last: Requests | string;
  tookMs: number;
}

/**
 * Watches devices until each has completed a request or has none in flight, or for a fifth of a second; half a second
 * those that somebody has waited for long.
 */
export async function watchDevices(
  devices: readonly Resource[],
  isAwaitedLong: (device: Resource) => boolean,
  { clock, readFile }: { readonly clock: Clock; readFile(path: string): Promise<Reading<string>> },
): Promise<Map<string, Watched>> {
  const read = async (place: string): Promise<Requests | string> => {
    const told = await readFile(place);
    return 'unread' in told ? told.unread : (parseRequests(told.value) ?? 'malformed');
  };
  const startedMs = clock.monotonicMs();
  const looks = new Map<string, Look>();
  await Promise.all(
    devices.map(async ({ key, name }) => {
      const place = `/sys/class/block/${name.replaceAll('/', '!')}/stat`;
      const first = await read(place);
      looks.set(key, { name, place, first, last: first, tookMs: 0 });
    }),
  );
  const looksMs = devices.some(isAwaitedLong) ? [...LOOKS_MS, LAST_LOOK_MS] : LOOKS_MS;
  for (const atMs of looksMs) {
    const again = devices.flatMap((device) => {
      const look = looks.get(device.key);
      return look !== undefined && isStalled(look) && (atMs < LAST_LOOK_MS || isAwaitedLong(device)) ? look : [];
    });
    if (again.length === 0) break;
    await clock.sleep(Math.max(0, startedMs + atMs - clock.monotonicMs()), NEVER);
    await Promise.all(
      again.map(async (look) => {
        look.last = await read(look.place);
        look.tookMs = clock.monotonicMs() - startedMs;
      }),
    );
  }
  return new Map([...looks].map(([key, look]) => [key, watched(look)]));
}

function isStalled({ first, last }: Look): boolean {
  if (typeof first === 'string' || typeof last === 'string') return false;
  return first.inFlight > 0 && last.inFlight > 0 && first.completed === last.completed;
}

function watched(look: Look): Watched {
  const { place, first, last, tookMs } = look;
  if (typeof last === 'string' || typeof first === 'string') {
    const why = typeof last === 'string' ? last : String(first);
    const condition = why === 'gone' ? 'is gone' : why === 'timeout' ? 'does not tell its requests in time' : undefined;
    return { condition, evidence: { place, text: why } };
  }
  const completed = last.completed - first.completed;
  const text = `in flight ${first.inFlight}, then ${last.inFlight}; completed ${first.completed}, then ${last.completed}`;
  // Some devices count nothing, such as those with queue/iostats switched off.
  if (completed === 0 && last.inFlight === 0)
    return { condition: undefined, ...(last.completed > 0 && { idle: true as const }), evidence: { place, text } };
  const ms = `${Math.round(tookMs)} ms`;
  const requests = (count: number) => `${count} request${count === 1 ? '' : 's'}`;
  const condition =
    last.inFlight === 0
      ? `completed ${requests(completed)} in ${ms}`
      : `has ${requests(last.inFlight)} in flight and completed ${completed === 0 ? 'none' : completed} in ${ms}`;
  return { condition, ...(isStalled(look) && { stalled: true as const }), evidence: { place, text } };
}

import type { Event } from '../model/event.ts';
import type { Sample } from '../model/sample.ts';
import { type FunctionTests, type Trigger, truthOf } from './trigger.ts';

/** A condition has to be false for so long before it counts as over: counts of tasks flicker. */
const CALM_MS = 10_000;
/** A condition that stays true, and hung tasks, which are told again and again, set off again after so long. */
const AGAIN_MS = 600_000;
/** A condition that comes and goes sets off at most so much of the time. */
const REST_KEEPS = 5;

/** What a sample did to the conditions. */
export interface Watched {
  /** `trigger` and `calm`. */
  readonly events: readonly Event[];
  /** Whether a condition has come true, so that what is around this sample is worth keeping. */
  readonly isSetOff: boolean;
  /** Whether a condition is true, but not for as long as it has to be. */
  readonly isPending: boolean;
}

interface Watch {
  readonly trigger: Trigger;
  trueSinceMs: number | undefined;
  falseSinceMs: number | undefined;
  setOffMs: number | undefined;
  /** Whether it has come true and is not over, and since when. */
  isActive: boolean;
  sinceMs: number;
}

/** Watches the samples of a host for conditions. Times are of the monotonic clock. */
export class TriggerWatch {
  readonly #watches: readonly Watch[];
  readonly #tests: FunctionTests;
  readonly #restMs: number;

  /** @param keepMs for how long samples are kept after a trigger */
  constructor(triggers: readonly Trigger[], tests: FunctionTests, keepMs: number) {
    this.#tests = tests;
    this.#restMs = REST_KEEPS * keepMs;
    this.#watches = triggers.map((trigger) => ({
      trigger,
      trueSinceMs: undefined,
      falseSinceMs: undefined,
      setOffMs: undefined,
      isActive: false,
      sinceMs: 0,
    }));
  }

  /** Takes the next sample, and when it was begun. */
  take(sample: Sample, nowMs: number): Watched {
    const each = this.#watches.map((watch) => {
      const truth = truthOf(watch.trigger, sample, this.#tests);
      return truth === undefined ? this.#isFalse(watch, nowMs) : this.#isTrue(watch, truth, nowMs);
    });
    const at = sample.timeMs === undefined ? {} : { timeMs: sample.timeMs };
    return {
      events: each.flatMap(({ event }) => (event === undefined ? [] : [{ ...at, ...event }])),
      isSetOff: each.some(({ isSetOff }) => isSetOff),
      isPending: each.some(({ isPending }) => isPending),
    };
  }

  #isFalse(watch: Watch, nowMs: number): Step {
    const { trigger } = watch;
    watch.trueSinceMs = undefined;
    if (!watch.isActive) return NOTHING;
    watch.falseSinceMs ??= nowMs;
    // A line of the kernel log is a moment, and never over.
    const isMoment = trigger.kind === 'hung-task';
    if (!isMoment && nowMs - watch.falseSinceMs < CALM_MS) return NOTHING;
    watch.isActive = false;
    if (isMoment) return NOTHING;
    const text = `${trigger.text}: over after ${seconds(watch.falseSinceMs - watch.sinceMs)}`;
    return { ...NOTHING, event: { kind: 'calm', text } };
  }

  #isTrue(watch: Watch, truth: string, nowMs: number): Step {
    const { trigger, setOffMs = Number.NEGATIVE_INFINITY } = watch;
    watch.falseSinceMs = undefined;
    watch.trueSinceMs ??= nowMs;
    const isMoment = trigger.kind === 'hung-task';
    const isRested = nowMs - setOffMs >= (isMoment || watch.isActive ? AGAIN_MS : this.#restMs);
    if (watch.isActive) {
      if (!isRested) return NOTHING;
      watch.setOffMs = nowMs;
      const text = `${trigger.text}: ${truth}, still, after ${seconds(nowMs - watch.sinceMs)}`;
      return { isSetOff: true, isPending: false, event: { kind: 'trigger', text } };
    }
    const forMs = 'forMs' in trigger ? trigger.forMs : 0;
    const lastedMs = nowMs - watch.trueSinceMs;
    if (lastedMs < forMs) return { ...NOTHING, isPending: isRested };
    watch.isActive = true;
    watch.sinceMs = watch.trueSinceMs;
    if (isRested) watch.setOffMs = nowMs;
    // The line itself is an event.
    else if (isMoment) return NOTHING;
    const text = `${trigger.text}: ${truth}${forMs > 0 ? `, for ${seconds(lastedMs)}` : ''}`;
    return { isSetOff: isRested, isPending: false, event: { kind: 'trigger', text } };
  }
}

/** What a sample did to one condition. */
type Step = Omit<Watched, 'events'> & { readonly event?: Pick<Event, 'kind' | 'text'> };

const NOTHING: Step = { isSetOff: false, isPending: false };

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;
}

import { isDate } from '../../model/time.ts';
import { type Moment, Timeline } from './timeline.ts';

/** From when to when samples are, and how many tasks were blocked when. */
class Times {
  readonly #timeline = new Timeline();
  #fromMs: number | undefined;
  #toMs: number | undefined;
  samples = 0;

  add(timeMs: number): void {
    this.samples++;
    this.#fromMs = Math.min(this.#fromMs ?? timeMs, timeMs);
    this.#toMs = Math.max(this.#toMs ?? timeMs, timeMs);
  }

  count(moment: Moment): void {
    this.#timeline.add(moment);
  }

  get told() {
    return { fromMs: this.#fromMs, toMs: this.#toMs, timeline: this.#timeline.inOrder() };
  }
}

/**
 * The times of a report. Some logs only tell how long after a boot something was: beside samples with a date, nothing
 * says when that is.
 */
export class ReportTimes {
  readonly #dated = new Times();
  readonly #sinceBoot = new Times();

  #of(timeMs: number): Times {
    return isDate(timeMs) ? this.#dated : this.#sinceBoot;
  }

  add(timeMs: number): void {
    this.#of(timeMs).add(timeMs);
  }

  count(moment: Moment): void {
    this.#of(moment.timeMs).count(moment);
  }

  /** The span and the timeline; and how many samples have no part in them, as they only tell the time since a boot. */
  end() {
    const isDated = this.#dated.samples > 0;
    return isDated
      ? { ...this.#dated.told, sinceBoot: this.#sinceBoot.samples }
      : { ...this.#sinceBoot.told, sinceBoot: 0 };
  }
}

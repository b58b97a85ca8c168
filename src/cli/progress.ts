import { countBlocked } from '../analysis/times/blocked-runs.ts';
import type { WritingState } from '../background/log-writer.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { widthOf } from '../terminal/width.ts';

/** Where there is no terminal, progress is told after a minute, two, four and so on, and then every hour. */
const FIRST_PLAIN_MS = 60_000;
const MOST_PLAIN_MS = 3_600_000;
/** On a terminal, at most this often. */
const REDRAW_MS = 200;
/** A shorter end of a name tells nothing. */
const LEAST_NAME = 8;

export interface ProgressScreen {
  /** Undefined where there is no terminal. */
  columns(): number | undefined;
  /** Shows a line in place of the last one. An empty text clears it. */
  rewrite(text: string): void;
  /** Writes a line that stays. */
  print(text: string): void;
}

export interface ProgressOptions {
  /** The file or directory that is recorded to. */
  readonly name: string;
  /** Undefined for until a signal ends it. */
  readonly durationMs: number | undefined;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly screen: ProgressScreen;
}

/** Tells how far a recording is: in a line that is rewritten on a terminal, in a line at times elsewhere. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #startMs: number;
  #ticking: NodeJS.Timeout | undefined;
  #told: { readonly atMs: number; readonly pauseMs: number };
  #drawnMs = Number.NEGATIVE_INFINITY;
  #sample: Sample | undefined;
  #state: WritingState = { samples: 0 };
  #bytes = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startMs = options.clock.monotonicMs();
    this.#told = { atMs: this.#startMs, pauseMs: FIRST_PLAIN_MS };
    if (options.screen.columns() === undefined) return;
    this.#draw();
    // Between samples, too, the time passes.
    this.#ticking = setInterval(() => this.#draw(), 1000);
    this.#ticking.unref();
  }

  /** @param sample the one that was just taken */
  took(state: WritingState, bytes: number, sample?: Sample): void {
    this.#state = state;
    this.#bytes = bytes;
    if (sample === undefined) return;
    this.#sample = sample;
    if (this.#ticking !== undefined) {
      this.#draw();
      return;
    }
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#told.atMs < this.#told.pauseMs) return;
    this.#told = { atMs: nowMs, pauseMs: Math.min(2 * this.#told.pauseMs, MOST_PLAIN_MS) };
    this.#options.screen.print(`${this.#options.name}: ${this.#line()}`);
  }

  /** Prints a message above the line. */
  say(text: string): void {
    const { screen } = this.#options;
    if (this.#ticking !== undefined) screen.rewrite('');
    screen.print(text);
    this.#drawnMs = Number.NEGATIVE_INFINITY;
    if (this.#ticking !== undefined) this.#draw();
  }

  /** Removes the line. */
  close(): void {
    clearInterval(this.#ticking);
    if (this.#ticking !== undefined) this.#options.screen.rewrite('');
    this.#ticking = undefined;
  }

  /**
   * What was written after all.
   * @param found how many samples are still there, if it is known
   */
  summary(found = Number.POSITIVE_INFINITY): string {
    const { samples } = this.#state;
    if (found < samples) {
      const some = `only ${found} of ${samplesText(samples)} ${samples === 1 ? 'is' : 'are'} in ${this.#options.name}`;
      return `${some}: somebody removed the others, or moved them`;
    }
    return `${this.#options.name}: ${samplesText(samples)}, ${formatBytes(this.#bytes)}`;
  }

  #draw(): void {
    const { clock, screen, name } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    screen.rewrite(fitted(escapeUnsafe(name), this.#line(), (screen.columns() ?? 0) - 1));
  }

  #line(): string {
    const { clock, durationMs } = this.#options;
    const { samples, kept = 0, paused } = this.#state;
    const sample = this.#sample;
    const left = durationMs === undefined ? 0 : this.#startMs + durationMs - clock.monotonicMs();
    return [
      samplesText(samples),
      ...(paused === undefined ? [] : [kept === 0 ? 'paused' : `${kept} in memory`]),
      ...(sample === undefined
        ? []
        : [`${sample.observations.length} task${sample.observations.length === 1 ? '' : 's'}`]),
      ...(sample === undefined ? [] : [`${countBlocked(sample)} blocked now`]),
      formatBytes(this.#bytes),
      ...(left > 0 ? [`${formatDuration(left)} left`] : []),
    ].join(', ');
  }
}

function samplesText(samples: number): string {
  return `${samples} sample${samples === 1 ? '' : 's'}`;
}

/** `NAME: line` in so many columns: first of all, the name gives way. */
function fitted(name: string, line: string, columns: number): string {
  const room = columns - line.length - ': '.length;
  if (widthOf(name) <= room) return `${name}: ${line}`;
  const characters = [...name];
  while (characters.length > 0 && widthOf(characters.join('')) + '...'.length > room) characters.shift();
  if (characters.length >= LEAST_NAME) return `...${characters.join('')}: ${line}`;
  return line.slice(0, Math.max(0, columns));
}

export function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes} bytes`;
  return bytes < 1e7 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

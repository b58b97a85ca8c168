import type { HostState } from '../model/host-state.ts';
import type { Sample } from '../model/sample.ts';
import { type Clock, nextDueMs } from '../model/time.ts';
import type { Scope } from '../sinks/why-sentence.ts';
import { formatDuration } from '../terminal/duration.ts';
import { Drawing } from './draw.ts';
import type { Beat } from './header.ts';
import { History } from './history.ts';
import type { Key } from './keys.ts';
import { type OpenRecording, Recorder } from './recorder.ts';
import { Screen } from './screen.ts';
import { TaskTrack } from './task-track.ts';
import { TerminalSession } from './terminal-session.ts';
import type { TopSource } from './top-source.ts';
import { type Drawn, firstView, type Order, press, type View } from './view.ts';

const MOST_KEPT_BYTES = 4 << 20;
const MOST_BEATS = 4096;
const MESSAGE_MS = 6000;
/** Without a new sample, the time since the last one is shown so often. */
const TICK_MS = 1000;
/** After a sampler that failed. */
const AGAIN_MS = 5000;

export interface TopOptions {
  readonly source: TopSource;
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Whether every thread is shown, not only main threads. */
  readonly threads: boolean;
  readonly colour: boolean;
  /** What a verdict is about. */
  readonly scope: Scope;
  /** Begins a recording. @throws Error that says why it cannot */
  readonly record: () => Promise<OpenRecording>;
  /** How busy the host is; empty for files. */
  readHost(): HostState;
}

/** How it ended: by a key, or by Ctrl-C. */
export type TopEnd = 'quit' | 'interrupt';

/** Shows samples on a terminal until somebody ends it. */
export class Top {
  readonly #options: TopOptions;
  readonly #session: TerminalSession;
  readonly #drawing = new Drawing();
  readonly #screen = new Screen();
  readonly #history = new History(MOST_KEPT_BYTES);
  readonly #stop = new AbortController();
  readonly #ended: Promise<TopEnd>;
  #end: (how: TopEnd) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #view: View;
  #drawn: Drawn = { keys: [], length: 0, height: 1 };
  #latest: Sample | undefined;
  /** Of all samples that came, those of the latest ones; the last is that of `#latest`. */
  readonly #beats: Beat[] = [];
  #host: HostState = {};
  /** The number of the sample that is shown while it is paused. */
  #pausedAt: number | undefined;
  #tookMs: number;
  #hasEnded = false;
  #message: { readonly text: string; readonly untilMs: number } | undefined;
  readonly #recorder: Recorder;
  #track: TaskTrack | undefined;
  #isDirty = false;
  /** Ends a pause between two samples. */
  #wake: () => void = () => undefined;

  constructor(options: TopOptions) {
    this.#options = options;
    this.#view = firstView(options);
    this.#tookMs = options.clock.monotonicMs();
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#recorder = new Recorder(options.record, (text) => this.#say(text));
    this.#session = new TerminalSession({
      pressed: (keys) => this.#try(() => this.#press(keys)),
      lost: () => this.#try(() => this.#redraw()),
      drained: () => this.#try(() => this.#drawAgain()),
    });
  }

  end(how: TopEnd): void {
    this.#end(how);
  }

  /** Resolves when somebody ends it. The terminal is as it was before then. */
  async run(): Promise<TopEnd> {
    this.#session.open();
    const ticking = setInterval(() => this.#try(() => this.#draw()), TICK_MS);
    const taking = this.#take().catch(this.#fail);
    try {
      return await this.#ended;
    } finally {
      clearInterval(ticking);
      this.#stop.abort();
      this.#wake();
      this.#options.source.close();
      await this.#recorder.stop();
      this.#session.close();
      if (this.#hasEnded) await taking;
    }
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #take(): Promise<void> {
    const { source, intervalMs, clock } = this.#options;
    const { signal } = this.#stop;
    for (let dueMs = clock.monotonicMs(); !signal.aborted; ) {
      let sample: Sample | undefined;
      try {
        sample = await source.next();
      } catch (error) {
        if (signal.aborted) return;
        this.#say(error instanceof Error ? error.message : String(error));
        await clock.sleep(AGAIN_MS, signal);
        continue;
      }
      if (signal.aborted) return;
      if (sample === undefined) {
        this.#hasEnded = true;
        this.#say('this is the end; left goes back');
        return;
      }
      this.#took(sample);
      const nowMs = clock.monotonicMs();
      dueMs = nextDueMs(dueMs, nowMs, intervalMs);
      await this.#rest(dueMs - nowMs);
    }
  }

  /** Waits for the next sample to be due. Files are not read on while the view is paused. */
  async #rest(milliseconds: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#options.clock.sleep(milliseconds, woken.signal);
    while (this.#options.source.kind === 'files' && this.#isAtEndOfPause() && !this.#stop.signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  #isAtEndOfPause(): boolean {
    return this.#pausedAt !== undefined && this.#pausedAt < this.#history.next;
  }

  #took(sample: Sample): void {
    this.#latest = sample;
    this.#tookMs = this.#options.clock.monotonicMs();
    this.#history.add(sample);
    this.#beats.push({ timeMs: sample.timeMs, blocked: this.#drawing.blockedIn(sample) });
    if (this.#beats.length > MOST_BEATS) this.#beats.splice(0, this.#beats.length - MOST_BEATS);
    this.#host = this.#options.readHost();
    void this.#recorder.add(sample).catch(this.#fail);
    this.#draw();
  }

  #press(keys: readonly Key[]): void {
    for (const key of keys) {
      const { view, order } = press(this.#view, key, this.#drawn);
      this.#view = view;
      if (order !== undefined) this.#obey(order);
      this.#draw();
    }
  }

  #obey(order: Order): void {
    const { source } = this.#options;
    switch (order) {
      case 'quit':
      case 'interrupt':
        this.#end(order);
        return;
      case 'suspend':
        this.#session.suspend();
        return;
      case 'redraw':
        this.#redraw();
        return;
      case 'pause':
        this.#pauseAt(this.#pausedAt === undefined ? this.#history.next - 1 : undefined);
        return;
      case 'back':
        this.#step(-1);
        return;
      case 'forward':
        this.#step(1);
        return;
      case 'record':
        void this.#recorder.toggle(this.#latest).catch(this.#fail);
        return;
      case 'mouse':
        this.#say(this.#session.toggleMouse() ? 'the wheel moves' : 'the mouse selects text; m: the wheel moves again');
        return;
      case 'threads':
        source.take(this.#view.threads);
        return;
    }
  }

  #step(by: -1 | 1): void {
    const { first, next } = this.#history;
    const at = (this.#pausedAt ?? next - 1) + by;
    if (at < first) this.#say('no earlier sample is kept');
    else if (at < next) this.#pauseAt(at);
    else if (this.#options.source.kind === 'files' && !this.#hasEnded) this.#pauseAt(next);
    else this.#say(this.#hasEnded ? 'this is the last sample' : 'this is the latest sample; space goes on');
  }

  #pauseAt(number: number | undefined): void {
    this.#pausedAt = number === -1 ? undefined : number;
    this.#wake();
  }

  #say(text: string): void {
    this.#message = { text, untilMs: this.#options.clock.monotonicMs() + MESSAGE_MS };
    this.#draw();
  }

  #redraw(): void {
    this.#screen.forget();
    this.#draw();
  }

  #drawAgain(): void {
    if (this.#isDirty) this.#draw();
  }

  #draw(): void {
    if (this.#stop.signal.aborted) return;
    // A slow terminal gets the latest frame once it has taken the one before.
    this.#isDirty = this.#session.isBusy;
    if (this.#isDirty) return;
    const { clock, colour } = this.#options;
    const number = Math.min(this.#pausedAt ?? this.#history.next - 1, this.#history.next - 1);
    const sample = number === this.#history.next - 1 ? this.#latest : this.#history.at(number);
    if (this.#message !== undefined && this.#message.untilMs < clock.monotonicMs()) this.#message = undefined;
    const { size } = this.#session;
    const behind = this.#history.next - 1 - number;
    const { lines, view, drawn } = this.#drawing.frameOf(
      this.#view,
      {
        sample,
        before: () => (number > this.#history.first ? this.#history.at(number - 1) : undefined),
        host: this.#pausedAt === undefined ? this.#host : {},
        beats: behind === 0 ? this.#beats : this.#beats.slice(0, -behind),
        scope: this.#options.scope,
        mode: this.#mode(number),
        zoneAt: clock.zoneAt,
        message: this.#message?.text,
        colour,
        staysOf: (task) => {
          if (this.#track?.key !== task) this.#track = new TaskTrack(task, this.#history);
          return this.#track.upTo(number);
        },
      },
      size,
    );
    this.#view = view;
    this.#drawn = drawn;
    const text = this.#screen.paint(lines, size);
    if (text !== '') this.#session.write(text);
  }

  #mode(number: number): string {
    const { intervalMs, clock, source } = this.#options;
    const { samples } = this.#recorder;
    const recording = samples === undefined ? '' : `  recording (${samples})`;
    const { first, next } = this.#history;
    if (this.#pausedAt !== undefined) return `paused at ${number - first + 1} of ${next - first}${recording}`;
    if (source.kind === 'files') return `${this.#hasEnded ? 'end' : 'replayed'}${recording}`;
    const lateMs = clock.monotonicMs() - this.#tookMs;
    const every = `every ${intervalMs / 1000} s`;
    const late = lateMs > intervalMs + 2 * TICK_MS ? `, none for ${formatDuration(lateMs)}` : '';
    return `${every}${late}${recording}`;
  }
}

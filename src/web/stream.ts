import { signal } from '@preact/signals';
import { BlockedSeries } from '../analysis/times/blocked-series.ts';
import { TaskLives } from '../analysis/times/task-lives.ts';
import type { Fleet } from '../model/fleet.ts';
import type { RecorderState } from '../model/recorder-state.ts';
import type { Sample } from '../model/sample.ts';
import type { ToldLine } from '../model/told-finding.ts';
import { recordedSamples } from '../recording/read.ts';
import { chunksOf, type Recorded, textLines } from './data.ts';
import { chosen, fleet, recorded, samples, samplesShown } from './state.ts';
import { takeFinding } from './told-findings.ts';

/** Of a live page. When there are more, the oldest quarter goes. */
const MOST_SAMPLES = 3600;
const TOKEN = 'token';
const AGAIN_MS = 2000;
/** A browser draws no more often. */
const SHOWN_EVERY_MS = 250;

/** Whether the page goes on, and shows that. */
export const isLive = signal(false);
export const isPaused = signal(false);
/** Why no samples come, if none do. */
export const trouble = signal('');

/** The recording that a page may start and stop: see src/server/source.ts. Undefined if it must not. */
export const recorder = signal<RecorderState | undefined>(undefined);

/** What `kstack serve` serves with this page; undefined for a page with data in it. */
export function streamKind(): string | undefined {
  return document.getElementById('stream')?.textContent ?? undefined;
}

/** Keeps the token of the address for this tab, and takes it out of the address and so out of the history. */
export function keepToken(): void {
  const words = new URLSearchParams(location.hash.slice(1));
  const token = words.get(TOKEN);
  if (token === null) return;
  sessionStorage.setItem(TOKEN, token);
  words.delete(TOKEN);
  history.replaceState(null, '', words.size === 0 ? location.pathname : `#${words}`);
}

/** Reads the samples of files to their end. */
export async function readFiles(progress: (samples: number) => void): Promise<Recorded> {
  const damaged: string[] = [];
  const all = new Kept([], damaged);
  for await (const sample of streamedSamples(damaged)) {
    all.add(sample);
    if (all.samples.length % 200 === 0) progress(all.samples.length);
  }
  if (trouble.value !== '') damaged.push(trouble.value);
  return all.shown();
}

/** Shows samples as they come, for as long as the page is open. Resolves once there is one. */
export function followLive(): Promise<void> {
  isLive.value = true;
  return new Promise((resolve, reject) => {
    new Follower(resolve).run().catch(reject);
  });
}

class Follower {
  readonly #begun: () => void;
  readonly #damaged: string[] = [];
  /** Not shown yet. */
  #waiting: Sample[] = [];
  #kept = new Kept([], this.#damaged);
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: number | undefined;
  /** Charts are drawn anew with each sample, which would end a drag. */
  #isPressed = false;

  constructor(begun: () => void) {
    this.#begun = begun;
    addEventListener('pointerdown', () => (this.#isPressed = true), true);
    for (const end of ['pointerup', 'pointercancel', 'blur'])
      addEventListener(end, () => (this.#isPressed = false), true);
    // Who looks at a part of the time is not to lose it.
    chosen.subscribe((span) => {
      if (span !== undefined) isPaused.value = true;
    });
    isPaused.subscribe((paused) => {
      if (!paused) this.#showSoon();
    });
  }

  async run(): Promise<never> {
    for (;;) {
      try {
        for await (const sample of streamedSamples(this.#damaged)) this.#take(sample);
        trouble.value = 'The connection ended.';
      } catch (error) {
        if (error instanceof Refused) throw error;
        trouble.value = 'kstack serve does not answer.';
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** After a new connection, samples come again that are here. */
  #take(sample: Sample): void {
    const { timeMs = 0 } = sample;
    if (timeMs <= this.#lastMs) return;
    this.#lastMs = timeMs;
    trouble.value = '';
    this.#waiting.push(sample);
    if (this.#waiting.length > MOST_SAMPLES) this.#waiting = this.#waiting.slice(MOST_SAMPLES / 4);
    this.#showSoon();
  }

  #showSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (isPaused.value) return;
      if (this.#isPressed) this.#showSoon();
      else this.#show();
    }, SHOWN_EVERY_MS);
  }

  #show(): void {
    if (this.#waiting.length === 0) return;
    const all = this.#kept.samples.length + this.#waiting.length;
    if (all > MOST_SAMPLES) this.#kept = new Kept(this.#kept.samples.slice(MOST_SAMPLES / 4), this.#damaged);
    for (const sample of this.#waiting) this.#kept.add(sample);
    this.#waiting = [];
    recorded.value = this.#kept.shown();
    this.#begun();
  }
}

/** Samples, and what follows from them. */
class Kept {
  readonly samples: Sample[] = [];
  readonly #lives = new TaskLives();
  readonly #series = new BlockedSeries();
  readonly #damaged: readonly string[];

  constructor(samples: readonly Sample[], damaged: readonly string[]) {
    this.#damaged = damaged;
    for (const sample of samples) this.add(sample);
  }

  add(sample: Sample): void {
    this.samples.push(sample);
    this.#lives.add(sample);
    this.#series.add(sample);
  }

  shown(): Recorded {
    return {
      samples: [...this.samples],
      lives: this.#lives,
      series: this.#series,
      isAddedUp: true,
      damaged: this.#damaged,
    };
  }
}

/** Shows the moment of a sample that many before the one shown, or after it. */
export function step(by: number): void {
  const all = samples.value;
  const at = Math.max(1, Math.min(all.length - 1, samplesShown.value.length - 1 + by));
  const [fromMs, toMs] = [all[0]?.timeMs, all[at]?.timeMs];
  if (fromMs === undefined || toMs === undefined) return;
  isPaused.value = true;
  chosen.value = { fromMs, toMs };
}

export function resume(): void {
  chosen.value = undefined;
  isPaused.value = false;
}

/** Starts or stops a recording. The server's events tell what became of it. */
export async function orderRecording(order: 'start' | 'stop'): Promise<void> {
  const { ok, status } = await ask(`/recording/${order}`, 'POST');
  if (!ok) trouble.value = `The server answers with ${status}.`;
}

function ask(path: string, method: 'GET' | 'POST'): Promise<Response> {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(TOKEN) ?? ''}` };
  return fetch(path, { method, headers, cache: 'no-store' });
}

/** The server does not serve this page. */
class Refused extends Error {}

async function* streamedSamples(damaged: string[]): AsyncGenerator<Sample> {
  const response = await ask('/events', 'GET');
  if (response.status === 401)
    throw new Refused('the token is missing or wrong. Open the URL that kstack serve printed when it began');
  if (response.status === 503) throw new Refused('too many pages are open');
  if (!response.ok || response.body === null) throw new Error(`the server answers with ${response.status}`);
  const tell = (line: number, why: string) => damaged.push(`line ${line} of what was served: ${why}`);
  yield* recordedSamples(recordingLines(response.body), tell);
}

/** The lines of a recording in server-sent events. What stacks mean comes before them. */
async function* recordingLines(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder();
  let event = '';
  for await (const lines of textLines(chunksOf(body))) {
    let recorded = '';
    for (const line of lines) {
      if (line.startsWith('event: ')) event = line.slice('event: '.length);
      if (!line.startsWith('data: ')) continue;
      const data = line.slice('data: '.length);
      if (event === 'finding') takeFinding(JSON.parse(data) as ToldLine);
      else if (event === 'fleet') fleet.value = JSON.parse(data) as Fleet;
      else if (event === 'recording') recorded += `${data}\n`;
      else if (event === 'failed') trouble.value = data;
      else if (event === 'recorder') recorder.value = JSON.parse(data) as RecorderState;
    }
    yield bytes.encode(recorded);
  }
}

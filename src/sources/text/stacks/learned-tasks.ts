import type { Header, Line } from '../line.ts';
import type { Stamps } from '../stamps.ts';

const MOST = 10_000;

/** What the text has said of tasks whose stacks stand further down: in a line of ps(1), or in a sentence. */
export class LearnedTasks {
  readonly #stamps: Stamps;
  readonly #tasks = new Map<number, Header>();
  /** The latest task with a header of its own. */
  #latest: Header | undefined;
  /** The host of the latest prompt. */
  #host: string | undefined;

  /** `stamps`: turned to the host of each prompt. */
  constructor(stamps: Stamps) {
    this.#stamps = stamps;
  }

  /** `isList`: the line is of a list of tasks, which tells their states. */
  learn({ state, ...header }: Header, isList: boolean): void {
    if (header.tid === undefined || header.tid === 0 || header.name === undefined) return;
    if (this.#tasks.size >= MOST) this.#tasks.clear();
    const before = this.#tasks.get(header.tid);
    const known = isOneName(before?.name, header.name) ? before : {};
    this.#tasks.set(header.tid, { ...known, ...header, ...(isList && state !== undefined && { state }) });
  }

  /** The line with what was learned of its task, if it names one. */
  withName(line: Line | undefined): Line | undefined {
    // crash(8) says of a task whose stack it does not have that it is active.
    if (line?.kind === 'about' && line.header.work === undefined && this.#latest !== undefined)
      this.learn({ ...this.#latest, ...line.header }, true);
    if (line?.kind !== 'label' && line?.kind !== 'task') return line;
    this.#latest = line.kind === 'task' ? line.header : undefined;
    if (line.kind === 'label' && line.host !== undefined) {
      if (this.#host !== undefined && line.host !== this.#host) this.#tasks.clear();
      this.#host = line.host;
      this.#stamps.turnTo(line.host);
    }
    const { tid, name } = line.header;
    const learned = tid === undefined ? undefined : this.#tasks.get(tid);
    if (learned === undefined || line.header.onCpu === true) return line;
    return name === undefined || isOneName(learned.name, name)
      ? { ...line, header: { ...learned, ...line.header } }
      : line;
  }
}

/** Kernel workers, ps(1) shows with what they do: `kworker/7:3+events`. */
function isOneName(one: string | undefined, other: string | undefined): boolean {
  return one?.replace(WORK, '$1') === other?.replace(WORK, '$1');
}

const WORK = /^(kworker\/[\w:]{1,16})[+-].*$/;

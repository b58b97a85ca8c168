import type { Finding } from '../../model/finding.ts';
import type { Observation, Sample } from '../../model/sample.ts';
import { taskKey } from '../../model/task.ts';
import { functionName } from '../function-name.ts';
import { blockedFinding } from './blocked-runs.ts';

/** What somebody wants to be told of at once. */
export interface News {
  /** Unix milliseconds; absent where the sample has no time. */
  readonly timeMs?: number;
  readonly kind: 'stuck' | 'trigger';
  /** One line. It may hold anything. */
  readonly text: string;
  /** Numbers and names to search by. */
  readonly about: Readonly<Record<string, string | number>>;
}

/** A task counts as stuck once it has not run for so long. */
const STUCK_MS = 10_000;
/** Bounds what one sample tells; the rest is counted. */
const MOST_TOLD = 100;

interface Wait {
  readonly finding: Finding;
  /** The context switches of the task; undefined where the source does not know them. */
  readonly switches: number | undefined;
  readonly sinceMs: number;
  isTold: boolean;
}

/** Finds what is new in the samples of one host, which come in the order of their times. */
export class NewsWatch {
  /** The tasks that were blocked in the sample before, by their key. */
  #waits = new Map<string, Wait>();

  /** Triggers, and tasks that have become stuck: each is told once until it has run. */
  of(sample: Sample): News[] {
    const { timeMs, events = [] } = sample;
    const at = timeMs === undefined ? {} : { timeMs };
    const news: News[] = events
      .filter(({ kind }) => kind === 'trigger')
      .map(({ text, timeMs: ownMs }) => ({
        ...at,
        ...(ownMs !== undefined && { timeMs: ownMs }),
        kind: 'trigger',
        text,
        about: {},
      }));
    if (timeMs === undefined) return news;
    const before = this.#waits;
    this.#waits = new Map();
    let [told, untold] = [0, 0];
    for (const observation of sample.observations) {
      const finding = blockedFinding(observation);
      if (finding === undefined) continue;
      const key = taskKey(observation.task.id);
      const wait = waitOf(observation, finding, timeMs, before.get(key));
      this.#waits.set(key, wait);
      if (wait.isTold || timeMs - wait.sinceMs < STUCK_MS) continue;
      wait.isTold = true;
      if (told++ < MOST_TOLD) news.push({ ...at, kind: 'stuck', ...describe(observation, wait, timeMs) });
      else untold++;
    }
    if (untold > 0)
      news.push({ ...at, kind: 'stuck', text: `${untold} more tasks are stuck`, about: { tasks: untold } });
    return news;
  }
}

function waitOf({ facts }: Observation, finding: Finding, timeMs: number, before: Wait | undefined): Wait {
  const { switches, offCpuMs = 0 } = facts ?? {};
  // Tasks with the same stack have the same finding, as an object.
  const isSame = before !== undefined && before.finding === finding && before.switches === switches;
  const sinceMs = timeMs - offCpuMs;
  return {
    finding,
    switches,
    sinceMs: isSame ? Math.min(before.sinceMs, sinceMs) : sinceMs,
    isTold: isSame && before.isTold,
  };
}

function describe({ task, state, stack }: Observation, { finding, sinceMs }: Wait, timeMs: number): Omit<News, 'kind'> {
  const { id, pid, comm } = task;
  const { rule, kind, waitsFor, frame } = finding;
  const seconds = Math.floor((timeMs - sinceMs) / 1000);
  const frames = 'value' in stack ? stack.value.frames.map(({ symbol }) => functionName(symbol)) : [];
  return {
    text: `${id.tid ?? ''} ${comm ?? ''} has been stuck for ${seconds} s: ${kind === 'blocked' ? 'waits for ' : ''}${waitsFor}`,
    about: {
      seconds,
      waitsFor,
      ...(pid !== undefined && { pid }),
      ...(id.tid !== undefined && { tid: id.tid }),
      ...(comm !== undefined && { comm }),
      ...(state !== undefined && { state }),
      ...(rule !== undefined && { rule }),
      ...(frame !== undefined && { function: functionName(frame.symbol) }),
      ...(frames.length > 0 && { stack: frames.join('\n') }),
    },
  };
}

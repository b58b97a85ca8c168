import type { Observation, Sample } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { type Task, taskKey } from '../model/task.ts';

/** A task that stayed in one place. */
export interface StuckTask {
  readonly host: string | undefined;
  readonly task: Task;
  readonly state: string | undefined;
  readonly stack: Stack | undefined;
  /** Since then it is known not to have run, or since then it was seen in this place. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Whether it was still there in the last sample of its host. */
  readonly isStill: boolean;
  /** In how many samples it was seen there. */
  readonly seen: number;
  /** Whether it did not run in between; else it was only seen in the same place. */
  readonly isProven: boolean;
}

/** Seen once, a task counts if it had not run for so long. */
const LEAST_MS = 1000;
const MAX_ENDED = 1000;
const MAX_OPEN = 100_000;

interface Run {
  readonly task: Task;
  readonly state: string | undefined;
  readonly stack: Stack | undefined;
  readonly switches: number | undefined;
  readonly sinceMs: number;
  untilMs: number;
  seen: number;
  isProven: boolean;
}

/** Finds the tasks that stay where they are, in samples that come in the order of their times. */
export class StuckTasks {
  readonly #open = new Map<string, Map<string, Run>>();
  #ended: StuckTask[] = [];

  /** @param blocked those of the sample's tasks that count */
  add({ timeMs, host = '' }: Sample, blocked: readonly Observation[]): void {
    if (timeMs === undefined) return;
    const before = this.#open.get(host) ?? new Map<string, Run>();
    const now = new Map<string, Run>();
    for (const observation of blocked) {
      const { task, state, stack, facts } = observation;
      if (task.id.tid === undefined || now.size >= MAX_OPEN) continue;
      const key = taskKey(task.id);
      const last = before.get(key);
      const value = 'value' in stack ? stack.value : undefined;
      const switches = facts?.switches;
      if (last !== undefined && last.stack === value && last.switches === switches && last.task.comm === task.comm) {
        last.untilMs = timeMs;
        last.seen++;
        last.isProven &&= switches !== undefined;
        now.set(key, last);
        before.delete(key);
        continue;
      }
      const sinceMs = timeMs - (facts?.offCpuMs ?? 0);
      const isProven = switches !== undefined;
      now.set(key, { task, state, stack: value, switches, sinceMs, untilMs: timeMs, seen: 1, isProven });
    }
    for (const run of before.values()) this.#end(host, run, false);
    this.#open.set(host, now);
  }

  /** All of them, longest first. */
  end(): readonly StuckTask[] {
    for (const [host, runs] of this.#open) for (const run of runs.values()) this.#end(host, run, true);
    this.#open.clear();
    return this.#sorted();
  }

  #end(host: string, { switches: _, ...run }: Run, isStill: boolean): void {
    if (run.untilMs - run.sinceMs < (run.seen === 1 ? LEAST_MS : 1)) return;
    this.#ended.push({ ...run, host: host === '' ? undefined : host, isStill });
    if (this.#ended.length > 2 * MAX_ENDED) this.#ended = this.#sorted().slice(0, MAX_ENDED);
  }

  #sorted(): StuckTask[] {
    return this.#ended.sort((a, b) => b.untilMs - b.sinceMs - (a.untilMs - a.sinceMs));
  }
}

import type { TracedSum } from '../../model/sample.ts';
import type { Frame } from '../../model/stack.ts';
import { isScheduler } from './functions.ts';

/** What a number behind a stack counts; `other`: something that is no time off a CPU, and no number of times. */
export type SumUnit = 'times' | 'ns' | 'us' | 'ms' | 'other';

const MILLISECONDS = { ns: 1e-6, us: 1e-3, ms: 1 } as const;
/** A number alone in its line, as the tools of bcc print it behind a stack. */
const NUMBER = /^\s{2,60}(\d{1,15})\s{0,4}$/;
/** offcputime(8), profile(8) and stackcount(8) say first what they add up. */
const OFF_CPU = /^\s{0,8}Tracing (?:off-CPU|blocked) time \((us|ms|ns)\)/;
const COUNTED = /^\s{0,8}(?:Sampling at \d|Tracing \d{1,6} functions? for )/;
const LONGEST = 200;

/** What the sum tells of a stack: of a time, only if the task got off its CPU there. */
export function tracedSum(sum: number, unit: SumUnit, innermost: Frame | undefined): TracedSum | undefined {
  if (unit === 'times') return { times: sum };
  if (unit === 'other' || innermost === undefined || !isScheduler(innermost)) return undefined;
  return { offCpuMs: sum * MILLISECONDS[unit] };
}

/** Reads the numbers that the tools of bcc print behind stacks. */
export class TracedSums {
  #told: SumUnit | undefined;
  /** The line before was the last one of a stack, and had its task. */
  #isAfterTask = false;

  /** Learns from a line what the numbers behind it mean. */
  learn(line: string): void {
    if (line.length > LONGEST || !(line.includes('racing ') || line.includes('ampling '))) return;
    const unit = OFF_CPU.exec(line)?.[1];
    if (unit === 'us' || unit === 'ms' || unit === 'ns') this.#told = unit;
    else if (COUNTED.test(line)) this.#told = 'times';
  }

  /** The task of a stack ended it: the next line may have the number. */
  expect(): void {
    this.#isAfterTask = true;
  }

  /** Whether the next line may be such a number. */
  get isExpected(): boolean {
    return this.#isAfterTask;
  }

  /** The number that stands in this line behind a task. */
  behindTask(line: string): number | undefined {
    if (!this.#isAfterTask) return undefined;
    this.#isAfterTask = false;
    const digits = NUMBER.exec(line)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  /**
   * What such a number counts. Where the text does not say so, a stack with its task is that of offcputime(8), if it
   * got off its CPU there, or else of profile(8).
   */
  unitOf(innermost: Frame | undefined, hasTask: boolean): SumUnit {
    return this.#told ?? (hasTask && innermost !== undefined && isScheduler(innermost) ? 'us' : 'times');
  }
}

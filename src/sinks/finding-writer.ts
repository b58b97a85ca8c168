import { explain } from '../analysis/explain/explain.ts';
import { FROZEN } from '../analysis/explain/explain-sample.ts';
import { withWork } from '../analysis/explain/work.ts';
import { changesBetween } from '../model/changes.ts';
import type { Finding } from '../model/finding.ts';
import { jsonText } from '../model/json-text.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { printFrames, type Stack } from '../model/stack.ts';
import type { State } from '../model/task.ts';
import { stateKind, type ToldLine } from '../model/told-finding.ts';

/** Tells what the stacks of samples mean, each once. */
export class FindingWriter {
  readonly #numbers = new Map<string, number>();
  readonly #told = new WeakMap<Stack, Set<string>>();
  #last: Sample | undefined;

  /** The lines for what is new in a sample. */
  linesFor(sample: Sample): ToldLine[] {
    const lines: ToldLine[] = [];
    for (const observation of changesBetween(this.#last, sample).come) this.#tell(observation, lines);
    for (const observation of sample.holders) this.#tell(observation, lines);
    this.#last = sample;
    return lines;
  }

  #tell(observation: Observation, lines: ToldLine[]): void {
    if (observation.waitsBy === 'frozen') this.#tellStack(FROZEN, 'D', lines);
    const { stack, state, facts } = observation;
    if (!('value' in stack) || stack.value.frames.length === 0) return;
    this.#tellStack(stack.value, state, lines);
    this.#tellStack(withWork(stack.value, facts?.work), state, lines);
  }

  #tellStack(stack: Stack, state: State | undefined, lines: ToldLine[]): void {
    const kind = stateKind(state);
    const told = this.#told.get(stack) ?? new Set();
    this.#told.set(stack, told);
    if (told.has(kind)) return;
    told.add(kind);
    const means = [kind, this.#number(explain(stack, state), lines)] as const;
    lines.push({ stack: printFrames(stack.frames), means });
  }

  #number(finding: Finding, lines: ToldLine[]): number {
    const text = jsonText(finding);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
      lines.push({ finding: number, is: finding });
    }
    return number;
  }
}

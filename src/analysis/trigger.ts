import { durationIn } from '../model/duration.ts';
import { PRESSURES, type PressureName } from '../model/pressure.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { mostSimilar } from '../model/similar.ts';
import { explainObservation } from './explain/explain-sample.ts';
import { functionName } from './function-name.ts';
import { RULES } from './rules/index.ts';
import { blockedFinding, countBlocked } from './times/blocked-runs.ts';

/** A condition of `kstack record --when`. `text` is what was typed. */
export type Trigger = { readonly text: string } & (
  | { readonly kind: 'blocked'; readonly above: number; readonly forMs: number }
  | { readonly kind: 'pressure'; readonly resource: PressureName; readonly above: number; readonly forMs: number }
  | { readonly kind: 'hung-task' }
  | { readonly kind: 'rule'; readonly rule: string }
  | { readonly kind: 'function'; readonly pattern: string }
);

/** A condition is not one that there is. The message lists those. */
export class TriggerError extends Error {}

/** The possible forms, for messages and help. */
export const TRIGGER_FORMS = [
  "'blocked>N'",
  ...PRESSURES.map((name) => `'${name}-pressure>PERCENT'`),
  'hung-task',
  'rule:ID',
  'function:REGEX',
] as const;

const NUMERIC =
  /^(blocked|(?:cpu|io|memory)-pressure)\s{0,8}>\s{0,8}(\d{1,9}(?:\.\d{1,3})?)\s{0,8}%?(?:\s{1,8}for\s{1,8}(\S{1,32}))?$/;

/**
 * Reads a condition.
 * @throws TriggerError
 */
export function parseTrigger(typed: string): Trigger {
  const text = typed.trim();
  if (text === 'hung-task') return { text, kind: 'hung-task' };
  const [, kind, value = ''] = /^(rule|function):(.+)$/s.exec(text) ?? [];
  if (kind === 'rule') return { text, kind, rule: knownRule(value) };
  if (kind === 'function') return { text, kind, pattern: value };
  const [, name, number, duration] = NUMERIC.exec(text) ?? [];
  if (name === undefined) throw new TriggerError(`'${text}' is not a condition.${advice(text)} ${FORMS}`);
  const forMs = duration === undefined ? 0 : durationIn(duration);
  if (forMs === undefined)
    throw new TriggerError(`'${duration}' is not a duration: write 'for 10s', or 5m or 1h. ${FORMS}`);
  const above = Number(number);
  const resource = PRESSURES.find((each) => name === `${each}-pressure`);
  if (resource === undefined) return { text, kind: 'blocked', above, forMs };
  if (above >= 100) throw new TriggerError(`'${text}' never comes true: a pressure is at most 100 percent.`);
  return { text, kind: 'pressure', resource, above, forMs };
}

const FORMS = `Conditions are ${TRIGGER_FORMS.join(', ')}; the first four may be followed by 'for DURATION'.`;

/** An unquoted > is a redirection to the shell. */
function advice(text: string): string {
  const isCut = text === 'blocked' || PRESSURES.some((name) => text === `${name}-pressure`);
  return isCut ? ` Write it in quotes, with a number: '${text}>20'.` : '';
}

function knownRule(id: string): string {
  const ids = RULES.map((rule) => rule.id);
  if (ids.includes(id)) return id;
  const like = mostSimilar(id, ids);
  const hint = like === undefined ? '' : ` Did you mean '${like}'?`;
  throw new TriggerError(`There is no rule '${id}'.${hint} 'kstack explain --why' names the rule of a stack.`);
}

/** Tells for a pattern whether a function matches it. */
export type FunctionTests = ReadonlyMap<string, (name: string) => boolean>;

/** What a sample has that makes a condition true, in words; undefined if it is not true. */
export function truthOf(trigger: Trigger, sample: Sample, tests: FunctionTests): string | undefined {
  switch (trigger.kind) {
    case 'blocked': {
      const count = countBlocked(sample);
      return count > trigger.above ? `${count} blocked task${count === 1 ? '' : 's'}` : undefined;
    }
    case 'pressure': {
      const some = sample.pressure?.[trigger.resource]?.some;
      return some !== undefined && some > trigger.above ? `${trigger.resource} pressure ${some} %` : undefined;
    }
    case 'hung-task':
      return sample.events?.find(({ kind }) => kind === 'hung-task')?.text;
    case 'rule':
      return tasksText(sample.observations.filter((each) => explainObservation(each).rule === trigger.rule));
    default: {
      const test = tests.get(trigger.pattern) ?? (() => false);
      const isIn = ({ stack }: Observation) =>
        'value' in stack && stack.value.frames.some(({ symbol }) => test(functionName(symbol)));
      return tasksText(sample.observations.filter((each) => isIn(each) && blockedFinding(each) !== undefined));
    }
  }
}

function tasksText([first, ...others]: readonly Observation[]): string | undefined {
  if (first === undefined) return undefined;
  const { comm, id } = first.task;
  const name = [comm, id.tid].filter((part) => part !== undefined).join(' ');
  return others.length === 0 ? name : `${name} and ${others.length} more`;
}

import type { Sleep } from '../explain/sleeping-primitives.ts';
import { LOG, OTHERS_BLOCKED } from './commands.ts';
import type { Rule } from './rule.ts';

/**
 * What is waited for, the file where, and functions that only ever wait for that, apart from locks and the like;
 * separated by spaces. Modules follow the file, as in `drivers/media/rc/imon.c [imon]`, where functions of others have
 * these names, too.
 */
export type WaitRow = readonly [id: string, waitsFor: string, file: string, ...functions: string[]];

/** Sleeps in which it is the caller that knows what is waited for. */
export const OF_CALLERS: readonly Sleep[] = ['schedule', 'event', 'completion', 'bit', 'io', 'page', 'buffer', 'pool'];

/**
 * Rules about functions that wait for one thing. What is waited for is usually held up by the same causes.
 * @param shared what else holds for all rows
 */
export function waitTable(
  causes: string,
  rows: readonly WaitRow[],
  shared: Partial<Pick<Rule, 'sleeps' | 'stuck' | 'next'>> = {},
): Rule[] {
  return rows.map(([id, waitsFor, place, ...lines]) => {
    const functions = lines.flatMap((names) => names.split(' '));
    const [file, modules] = place.replace(']', '').split(' [');
    return {
      id,
      kind: 'blocked',
      match: [functions],
      innermost: true,
      sleeps: OF_CALLERS,
      waitsFor,
      causes,
      next: [...LOG, ...OTHERS_BLOCKED],
      ...shared,
      ...(modules !== undefined && { module: modules.split(' ') }),
      source: `${file}: ${functions[0]}`,
    };
  });
}

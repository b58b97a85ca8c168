import { LOG, OTHERS_BLOCKED, type Resource } from './commands.ts';
import type { Pattern, Rule } from './rule.ts';

/** What functions do, the kernel file and the function in it, and the functions. */
export type Purpose = readonly [id: string, inOrderTo: string, source: string, ...names: Pattern[]];

/** Rules about functions that wait for this and that: they tell what for, and nothing else. */
export function purposeRules(purposes: readonly Purpose[], causes: string, stuck: readonly Resource[]): Rule[] {
  return purposes.map(([id, inOrderTo, source, ...names]) => ({
    id,
    kind: 'blocked',
    match: [names],
    purpose: true,
    outer: true,
    waitsFor: `something that {caller} waits for, in order to ${inOrderTo}`,
    inOrderTo,
    causes,
    stuck,
    next: [...OTHERS_BLOCKED, ...LOG],
    source,
  }));
}

/** What functions do, the file of the kernel, and the functions, separated by spaces. */
export type PurposeRow = readonly [id: string, inOrderTo: string, file: string, functions: string];

/** Rules about functions that end work of others, or wait until it is done. */
export function purposeTable(rows: readonly PurposeRow[]): Rule[] {
  const purposes = rows.map(([id, inOrderTo, file, functions]): Purpose => {
    const names = functions.split(' ');
    return [`for-${id}`, inOrderTo, `${file}: ${names[0]}`, ...names];
  });
  return purposeRules(purposes, 'The work waits for a disk, a device, memory or other CPUs.', []);
}

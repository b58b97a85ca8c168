import type { Stall } from '../../../model/pressure.ts';

/** A file of /proc/pressure (kernel/sched/psi.c, psi_show); undefined if it tells nothing. */
export function parseStall(text: string): Stall | undefined {
  const some = averageIn('some', text);
  const full = averageIn('full', text);
  return some === undefined ? undefined : { some, ...(full !== undefined && { full }) };
}

function averageIn(line: 'some' | 'full', text: string): number | undefined {
  const [, average] = new RegExp(`^${line} avg10=(\\d{1,3}\\.\\d{2}) `, 'm').exec(text) ?? [];
  return average === undefined ? undefined : Number(average);
}

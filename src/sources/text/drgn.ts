import type { Format } from './format.ts';

const FRAME =
  /^\s{0,10}#\d{1,4}\s{1,4}(?:\[[^\]]{1,80}\] )?([\w.$]{1,512})(?:\+0x[0-9a-f]{1,16}\/0x[0-9a-f]{1,16})?(?: (?:at|in) .{1,300}| \(.{1,300}\))?$/;

/** What stack_trace() of drgn prints: `#0  context_switch (kernel/sched/core.c:5388:2)`. */
export const drgn: Format = (line) => {
  const [, symbol] = FRAME.exec(line.trimEnd()) ?? [];
  return symbol === undefined ? undefined : { kind: 'frame', frame: { symbol, raw: line.trim() } };
};

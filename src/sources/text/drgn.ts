import type { LineParser } from './line.ts';

const FRAME =
  /^\s{0,10}#\d{1,4}\s{1,4}(?:\[[^\]]{1,80}\] )?([\w.$]{1,512})(?:\+0x[0-9a-f]{1,16}\/0x[0-9a-f]{1,16})?(?: (?:at|in) 0x[0-9a-f]{1,16}.{0,300}| \([\w./+<>-]{1,300}(?::\d{1,6}){0,2}\).{0,100})?$/;
/** Requires a kernel address or a kernel source file, because gdb prints the stacks of user programs the same way. */
const GDB =
  /^\s{0,10}#\d{1,4}\s{1,4}(?:0xffff[0-9a-f]{4,12} in ([\w.$]{1,512}) \(|([\w.$]{1,512}) \(.{0,300}\) at (?:\.\/)?(?:arch|block|crypto|drivers|fs|init|io_uring|ipc|kernel|lib|mm|net|security|sound|virt)\/)/;
const PROGRAM = /\bfrom (?:target:)?\/|\bat \.\.\/|\/sysdeps\/|^\s{0,10}#\d{1,4}\s{1,4}0x0000/;

/** The output of drgn's stack_trace(), `#0  context_switch (kernel/sched/core.c:5388:2)`, and of gdb(1) on a kernel. */
export const drgn: LineParser = (line) => {
  const text = line.trimEnd();
  if (PROGRAM.test(text)) return undefined;
  const [, addressed, placed] = GDB.exec(text) ?? [];
  const symbol = addressed ?? placed ?? FRAME.exec(text)?.[1];
  return symbol === undefined ? undefined : { kind: 'frame', frame: { symbol, raw: text.trim() } };
};

import type { Frame } from '../../model/stack.ts';
import { type Format, headerOf } from './format.ts';

/** `dmesg`, also with -T and CONFIG_PRINTK_CALLER; syslog and journal; the level of a raw log. Applied until nothing is left to take off. */
const PREFIXES = [
  /^<\d{1,3}>/,
  /^\[ {0,12}\d{1,12}\.\d{1,9}\] ?/,
  /^\[ {0,8}[TC]\d{1,10}\] ?/,
  /^\[\w{3} \w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4}\] ?/,
  /^(?:\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,+Z-]{8,30}) \S{1,255} kernel(?:\[\d{1,10}\])?: ?/,
  /^kernel: ?/,
];

/** A line without what log daemons and dmesg(1) put in front of it. */
export function withoutLogPrefix(line: string): string {
  let rest = line;
  for (let round = 0; round < 4; round++) {
    const prefix = PREFIXES.find((expression) => expression.test(rest));
    if (prefix === undefined) break;
    rest = rest.replace(prefix, '');
  }
  return rest;
}

const FRAME =
  /^\s{0,40}(?:\[[0-9a-f]{8,16}\] ){0,2}(\? )?\s{0,4}([\w.$]{1,512})\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?:\s{1,4}\[([^\]\s]{1,64})[^\]]{0,80}\])?(?:\s.{0,80})?$/;
const OLD_FRAME =
  /^\s{0,40}\[<[0-9a-f]{1,16}>\]\s{1,4}(\? )?([\w.$]{1,512})\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?:\s{1,4}\[([^\]\s]{1,64})[^\]]{0,80}\])?\s{0,4}$/;
/** What scripts/decode_stacktrace.sh makes of a frame. */
const DECODED_FRAME = /^\s{0,40}(\? )?([\w.$]{1,512}) \([\w./+-]{1,200}:\d{1,6}[^)]{0,300}\)/;
const HUNG = /^INFO: task (.{1,64}):(\d{1,10}) (?:<.{0,20}> )?blocked (?:for more than|in I\/O wait for more than)\b/;
const TASK = /^task:(.{1,64}?)\s{1,40}state:(\S)\s{1,20}stack:\s{0,10}\d{1,10}\s{1,10}pid:\s{0,10}(\d{1,10})\b/;
const OLD_TASK =
  /^(\S.{0,63}?)\s{1,40}([A-Zt])\s{1,10}(?:[0-9a-f]{8,16}|running task|\(NOTLB\))\s{1,20}\d{1,10}\s{1,10}(\d{1,10})\s{1,10}\d{1,10}\s{1,10}0x[0-9a-f]{1,16}/;
const OOPS = /^CPU: \d{1,5} (?:UID: \d{1,10} )?PID: (\d{1,10}) Comm: (.{1,64}?) (?:Not tainted|Tainted:|Kdump:)/;

/** Stacks as the kernel prints them into its log (kernel/sched/core.c, sched_show_task; kernel/hung_task.c; arch/x86/kernel/dumpstack.c). */
export const dmesg: Format = (line) => {
  const text = line.trim();
  if (text === '<IRQ>' || text === '<NMI>') return { kind: 'interrupt' };
  if (text === '</IRQ>' || text === '</NMI>' || text === '<EOI>') return { kind: 'interrupt-end' };
  if (/^Call [Tt]race:/.test(text)) return { kind: 'begin' };
  const parts = FRAME.exec(line) ?? OLD_FRAME.exec(line);
  if (parts !== null) return frameOf(parts, text);
  const [, guess, symbol] = DECODED_FRAME.exec(line) ?? [];
  if (symbol !== undefined) return guess === undefined ? { kind: 'frame', frame: { symbol, raw: text } } : { kind: 'guess' };
  const hung = HUNG.exec(text);
  if (hung !== null) return { kind: 'task', header: headerOf(hung[1], hung[2], 'D') };
  const task = TASK.exec(text) ?? OLD_TASK.exec(text);
  if (task !== null) return { kind: 'task', header: headerOf(task[1], task[3], task[2]) };
  const oops = OOPS.exec(text);
  return oops === null ? undefined : { kind: 'task', header: headerOf(oops[2], oops[1], undefined) };
};

function frameOf([, guess, symbol = '', offset = '', size = '', module]: readonly (string | undefined)[], raw: string) {
  if (guess !== undefined) return { kind: 'guess' } as const;
  const frame: Frame = {
    symbol,
    offset: Number.parseInt(offset, 16),
    size: Number.parseInt(size, 16),
    ...(module === undefined ? {} : { module }),
    raw,
  };
  return { kind: 'frame', frame } as const;
}

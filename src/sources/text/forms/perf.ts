import { isScheduler } from '../functions.ts';
import { headerOf, IGNORED, type LineParser } from '../line.ts';
import { frameOf, SYMBOL } from './patterns.ts';

const FRAME = new RegExp(
  `^(?:\\s{1,60}(?:[0-9a-f]{1,16} )?|[0-9a-f]{8,16} )(?:(${SYMBOL})(?:\\+(?:0x([0-9a-f]{1,16})|(\\d{1,9})))?|\\S.{0,300}) ` +
    String.raw`\((\[[\w.-]{1,64}\](?:[\w.-]{0,64})|[^()\s]{1,300})(?: \(deleted\))?\)(?: \(inlined\))?\s{0,4}$`,
);
const KERNEL = /^\[(?:kernel|guest\.kernel)\b|\bvmlinu[xz]|^\/proc\/kcore/;
const MODULE = /^\[([\w-]{1,64})\]|\/([\w-]{1,64})\.ko(?:\.\w{2,4})?$/;
const NO_MODULE = /^(?:vdso|vsyscall|unknown|heap|stack|anon|uprobes|uretprobes)$/;
const HEADER = new RegExp(
  String.raw`^\s{0,20}(\S.{0,15}?)\s{1,10}(\d{1,10})(?:\/(\d{1,10}))?\s{1,4}(?:\[\d{1,4}\]\s{1,4})?` +
    String.raw`(?:[\w.]{4,6} )?\d{1,12}\.\d{1,9}:\s`,
);
/** sched_switch tells the state in which a task leaves its CPU. */
const LEAVES = /\bprev_pid=(\d{1,10}) .{0,40}prev_state=([RSDTtXZPI])|:(\d{1,10}) \[\d{1,4}\] ([RSDTtXZPI])\S? ==> /;
/** Events of a task that is about to wait. Any other comes from what a CPU runs. */
const WAITS = /\s(?:lock:contention\w*|offcpu-time):/;
/** A row of perf-report(1), perhaps of an open branch; the tree of its callers follows. */
const SAMPLED = new RegExp(
  String.raw`^[\s+-]{0,20}\d{1,3}\.\d{1,2}%\s{1,8}(?:\d{1,3}\.\d{1,2}%\s{1,8})?(?:([A-Za-z][\w./:@-]{0,31})\s{1,40})?` +
    String.raw`(?:\[[\w.-]{1,64}\]\s{1,40})?\[k\] (${SYMBOL})\s{0,8}$`,
);
/** `perf trace`: ` 0.000 (1000.1 ms): sleep/1234 nanosleep(...)`. */
const TRACED = /^\s{0,12}\d{1,12}\.\d{1,6} \([ .\d]{1,16}ms\): (\S.{0,15}?)\/(\d{1,10}) \w+\(/;

/**
 * Stacks of perf-script(1), `ffffffff81a5d5d1 schedule+0x29 ([kernel.kallsyms])`, and of perf-trace(1). Those of the
 * program follow in the same list.
 */
export const perf: LineParser = (line) => {
  if (line.endsWith(')') || line.endsWith(') ')) {
    const [, symbol, hex, decimal, place = ''] = line.includes('(') ? (FRAME.exec(line) ?? []) : [];
    if (place !== '') {
      const isKernel = KERNEL.test(place);
      const [, listed, file] = MODULE.exec(place) ?? [];
      const module = listed ?? file;
      if (!isKernel && (module === undefined || NO_MODULE.test(module)))
        return place.includes('/') ? IGNORED : undefined;
      if (symbol === undefined) return IGNORED;
      // In maps of bpftrace(8), `kstack(perf)`.
      const offset = hex === undefined ? decimal && Number(decimal) : Number.parseInt(hex, 16);
      const parts = typeof offset === 'number' ? { offset } : {};
      return { kind: 'frame', frame: frameOf(symbol, line.trim(), isKernel ? parts : { ...parts, module }) };
    }
  }
  if (line.includes('[k] ')) {
    const [, command, symbol] = SAMPLED.exec(line) ?? [];
    // Most events are taken on a CPU. Where a task gives up its CPU, it does not run.
    if (symbol !== undefined && !isScheduler({ symbol, raw: symbol }))
      return { kind: 'label', header: { ...headerOf({ name: command }), onCpu: true } };
  }
  if (!line.includes(':')) return undefined;
  const [, name, first, second] = HEADER.exec(line) ?? [];
  if (first !== undefined) {
    const [, prev, prevState, left, leftState] = LEAVES.exec(line) ?? [];
    const tid = second ?? first;
    const state = (prev ?? left) === tid ? (prevState ?? leftState) : undefined;
    const header = headerOf({ name, tid, pid: second === undefined ? undefined : first, state });
    return { kind: 'label', header: WAITS.test(line) ? header : { ...header, onCpu: true } };
  }
  const [, traced, tid] = line.includes(' ms): ') || line.includes('ms): ') ? (TRACED.exec(line) ?? []) : [];
  return tid === undefined ? undefined : { kind: 'label', header: headerOf({ name: traced, tid }) };
};

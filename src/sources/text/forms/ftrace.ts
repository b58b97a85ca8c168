import { isWellKnown } from '../functions.ts';
import { headerOf, IGNORED, type LineParser } from '../line.ts';
import { frameOf, isProgramAddress, MODULE, SYMBOL } from './patterns.ts';

const FRAME = new RegExp(`^\\s{0,20}=> {1,2}(${SYMBOL})(?: ${MODULE})?(?: [(<][0-9a-f]{8,16}[)>])?\\s{0,4}$`);
const ADDRESS = /^\s{0,20}=> {1,2}<?(?:0x)?([0-9a-f]{8,16})>?\s{0,4}$/;
const PROGRAM = /^\s{0,20}=> {1,2}\S{0,300}\/\S{1,300}\[\+0x/;
const GROUP = String.raw`(?:\(\s{0,8}(\d{1,10}|-{1,10})\)\s{1,4})?`;
const HEADER = new RegExp(
  String.raw`^\s{0,20}(\S.{0,15}?)-(\d{1,10})\s{1,8}${GROUP}\[\d{3,4}\]\s.{0,40}?\d{1,12}\.\d{1,9}:\s`,
);
const LEAVES = /\bprev_pid=(\d{1,10}) .{0,40}prev_state=([RSDTtXZPI])|:(\d{1,10}) \[\d{1,4}\] ([RSDTtXZPI])\S? ==> /;
const BEGIN = /<(?:user )?stack ?trace ?>/;
/** function_graph: the CPU, the task and a duration stand before it. */
const GRAPH = /^\s{0,8}\d{1,4}\)\s{1,8}(?:(\S.{0,15}?)-(\d{1,10})\s{1,8}\|)?[^|]{0,40}\|\s{1,8}(\S.*)$/;
const NO_NAME = '<...>';

/** Stacks in /sys/kernel/tracing/trace and of trace-cmd(1): an event, `<stack trace>`, and ` => f`. */
export const ftrace: LineParser = (line) => {
  if (line.includes('|') && (line.includes('=> ') || line.includes('stack'))) {
    const [, graphName, graphTid, rest = ''] = GRAPH.exec(line) ?? [];
    const symbol = FRAME.exec(rest)?.[1];
    if (symbol !== undefined) return { kind: 'frame', frame: frameOf(symbol, rest.trim()) };
    if (BEGIN.test(rest)) return { kind: 'task', header: headerOf({ name: graphName, tid: graphTid }) };
  }
  if (line.includes('=> ')) {
    const address = ADDRESS.exec(line)?.[1];
    if (address !== undefined)
      return isProgramAddress(address) ? IGNORED : { kind: 'frame', frame: frameOf(`0x${address}`, line.trim()) };
    if (PROGRAM.test(line)) return IGNORED;
    const [, symbol, module] = FRAME.exec(line) ?? [];
    if (symbol !== undefined) {
      const frame = frameOf(symbol, line.trim(), { module });
      // An arrow and a word are anything, too.
      const isSure = symbol.includes('_') || isWellKnown(symbol) || module !== undefined || line.endsWith(')');
      return isSure ? { kind: 'frame', frame } : { kind: 'frame', frame, isInTrace: true };
    }
  }
  if (!line.includes('-')) return undefined;
  const [, name, tid, group] = HEADER.exec(line) ?? [];
  if (tid === undefined) return undefined;
  const [, prev, prevState, left, leftState] = LEAVES.exec(line) ?? [];
  const state = (prev ?? left) === tid ? (prevState ?? leftState) : undefined;
  const pid = group === undefined || group.startsWith('-') ? undefined : group;
  const header = headerOf({ name: name === NO_NAME ? undefined : name, tid, pid, state });
  // The event before tells the state, and the line of its stack does not.
  return BEGIN.test(line) ? { kind: 'task', header } : { kind: 'label', header };
};

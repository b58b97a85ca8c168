import { parseFrame } from '../../../model/stack.ts';
import { headerOf, IGNORED, type Line, type LineParser } from '../line.ts';
import { frameOf, isProgramAddress, MODULE } from './patterns.ts';
import { prompts } from './prompts.ts';

/** Where a file name of head(1), grep(1) or tail(1) is. */
const FILE = new RegExp(
  String.raw`(?:^|[\s>])(?:==> )?\/?(?:proc\/)?(?:(\d{1,10})\/task\/)?(\d{1,10})\/stack` +
    String.raw`(?: <==\s{0,4}$|(?:[:-]\d{1,4})?[:-]|\s{0,4}$)`,
);
const PROC_FILE = /\/proc\/(?:(\d{1,10})\/task\/)?(\d{1,10})\/(?:stack|task)/;
/** Only an address: an older kernel's end mark, or code that the kernel has no name for. */
const ADDRESS = /^\[<[0-9a-f]{1,16}>\] (0x([0-9a-f]{1,16}))\s{0,4}$/;

/** Someone has taken the offsets away, and perhaps put remarks behind functions. */
const NO_OFFSET = new RegExp(
  String.raw`^\[<[0-9a-f]{1,16}>\] ([A-Za-z_][\w.]{1,126}\w)(?:\s{1,4}${MODULE})?\s{0,40}(?:(?:<-|←|#|\/\/).{0,200})?$`,
);
/** The same for functions of which others were left out between. */
const ELIDED = /^\[<[0-9a-f]{1,16}>\](?: (?:\.{3}|…)(?: [A-Za-z_][\w.]{2,127})?){1,16}\s{0,4}$/;

/** In a trace of arm64. */
const BARE_ADDRESS = /^\s{0,8}(0x[0-9a-f]{8,16})\s{0,4}$/;

/** The file names that head(1) and grep(1) put before /proc/PID/stack, and its lines without a function. */
export const procStack: LineParser = (line) => {
  if (line.includes('/stack')) {
    // A prompt tells the host, too.
    const typed = line.includes('@') ? prompts(line) : undefined;
    if (typed?.kind === 'label' && typed.header.tid !== undefined) return typed;
    const [whole, pid, tid] = FILE.exec(line) ?? [];
    const [, procPid, procTid] = PROC_FILE.exec(line) ?? [];
    if (whole !== undefined && !line.includes('[<') && !line.includes('No such'))
      return { kind: 'task', header: headerOf({ tid: procTid ?? tid, pid: procPid ?? pid }) };
  }
  const bare = line.includes('0x') ? BARE_ADDRESS.exec(line)?.[1] : undefined;
  if (bare !== undefined)
    return isProgramAddress(bare) ? IGNORED : { kind: 'frame', frame: { symbol: bare, raw: line.trim() } };
  const at = line.indexOf('[<');
  if (at === -1) return undefined;
  const rest = line.slice(at);
  const address = ADDRESS.exec(rest);
  if (address === null) return at === line.search(/\S/) ? withoutOffset(rest) : undefined;
  const [, , digits = ''] = address;
  if (/^f+$/.test(digits)) return { kind: 'frame', frame: parseFrame(rest) };
  return isProgramAddress(digits) ? IGNORED : { kind: 'frame', frame: parseFrame(rest) };
};

function withoutOffset(line: string): Line | undefined {
  const [, symbol, module] = NO_OFFSET.exec(line) ?? [];
  if (symbol !== undefined) return { kind: 'frame', frame: frameOf(symbol, line.trim(), { module }) };
  const names = ELIDED.test(line) ? line.split(' ').filter((word) => /^[A-Za-z_]/.test(word)) : [];
  const lines = names.map((name): Line => ({ kind: 'frame', frame: frameOf(name, name) }));
  return lines.length === 0 ? undefined : { kind: 'lines', lines };
}

const GREPPED = /^\s{0,8}\/?(?:proc\/)?(?:(\d{1,10})\/task\/)?(\d{1,10})\/stack(?:[:-]\d{1,4})?[:-](?=\S)/;

/** The task in the file name that grep(1) put before this line, and the rest of the line. */
export function greppedTask(line: string): { readonly task: Line; readonly rest: string } | undefined {
  const parts = line.includes('/stack') ? GREPPED.exec(line) : null;
  if (parts === null) return undefined;
  const [whole, pid, tid] = parts;
  return { task: { kind: 'task', header: headerOf({ tid, pid }) }, rest: line.slice(whole.length) };
}

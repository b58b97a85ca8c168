import { headerOf, IGNORED, type LineParser } from '../line.ts';
import { frameOf, isProgramAddress, SYMBOL } from './patterns.ts';

const BEHIND = /^\s{0,8}-\s{1,40}(\S.{0,18}?) \((\d{1,10})\)\s{0,4}$/;
/** As Python prints a name. */
const BYTES = /^b'(.*)'$/;
/** offwaketime and wakeuptime. */
const TARGET = /^\s{0,8}target:\s{1,30}(\S.{0,20}?)(?: (\d{1,10}))?\s{0,4}$/;
const WAKER = /^\s{0,8}waker:\s{1,30}(\S.{0,20}?)(?: (\d{1,10}))?\s{0,4}$/;
const BETWEEN = /^\s{0,8}-{1,2}(?:\s{1,30}-{1,2})?\s{0,4}$/;
/** Verbose: `ffffffff81785085 schedule`; perf-lock(1): `0xffffffff81785085  schedule`. */
/** Two words of memory look alike. */
const FRAME = new RegExp(`^\\s{1,40}(?:0x)?([0-9a-f]{16}) {1,2}(?![0-9a-f]{8,16}\\s{0,4}$)(${SYMBOL})\\s{0,4}$`);

/** offcputime and its kin of bcc: functions without offsets (bare-names.ts), then the task, then microseconds. */
export const bcc: LineParser = (line) => {
  if (line.includes('-')) {
    const [, name, tid] = BEHIND.exec(line) ?? [];
    if (tid !== undefined)
      return { kind: 'behind', header: headerOf({ name: BYTES.exec(name ?? '')?.[1] ?? name, tid }) };
    if (BETWEEN.test(line)) return { kind: 'label', header: {} };
  }
  if (line.includes(':')) {
    const [, name, tid] = TARGET.exec(line) ?? [];
    if (name !== undefined) return { kind: 'named', header: headerOf({ name, tid }) };
    const [, waker, wakerTid] = WAKER.exec(line) ?? [];
    // Before the target's stack stands its waker's, which waits for nothing. wakeuptime(8) has only that.
    if (waker !== undefined) return { kind: 'named', header: headerOf({ name: waker, tid: wakerTid }), isPast: true };
  }
  const [, address = '', symbol] = FRAME.exec(line) ?? [];
  if (symbol === undefined) return undefined;
  return isProgramAddress(address) ? IGNORED : { kind: 'frame', frame: frameOf(symbol, line.trim()) };
};

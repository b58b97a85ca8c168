import { parseFrame } from '../../model/stack.ts';
import { headerOf, type LineParser } from './line.ts';

const PATH = /^(?:==> )?\/proc\/(?:(\d{1,10})\/task\/)?(\d{1,10})\/stack(?: <==|:.*)?$/;

/** /proc/PID/stack, old and new (proc_pid_stack(5)), also with the file names added by head(1) and grep(1). */
export const procStack: LineParser = (line) => {
  const path = PATH.exec(line);
  if (path !== null && !line.includes('[<')) return { kind: 'task', header: headerOf({ tid: path[2], pid: path[1] }) };
  const at = line.indexOf('[<');
  if (at === -1 || (at > 0 && !/^(?:\/proc\/[\d/a-z]{1,40}:|\s{0,40}(?:stack:\s{0,8})?)$/.test(line.slice(0, at))))
    return undefined;
  const rest = line.slice(at);
  if (/^\[<[0-9a-f]{1,16}>\]\s{1,4}[?:]/.test(rest)) return undefined;
  const frame = parseFrame(rest);
  return frame.symbol === rest.trim() ? undefined : { kind: 'frame', frame };
};

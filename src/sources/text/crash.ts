import { headerOf, type LineParser } from './line.ts';

const FRAME =
  /^\s{0,10}#\d{1,4} \[[0-9a-f]{4,16}\] ([\w.$]{1,512})(?: \(via [\w.$]{1,512}\))?(?:\+\d{1,9})? at [0-9a-f]{4,16}(?: \[([^\]\s]{1,64})\])?/;
const ARM_FRAME =
  /^\s{0,10}#\d{1,4} \[<[0-9a-f]{8}>\] \(([\w.$]{1,512})(?: \[([^\]\s]{1,64})\])?\) from \[<[0-9a-f]{8}>\]/;
const TASK =
  /^(?:\[[^\]]{1,40}\] {1,4}\[\w{2}\] {1,4})?PID: {1,10}(\d{1,10}) {1,10}TASK: [0-9a-f]{4,16} {1,10}CPU: \d{1,5} {1,10}COMMAND: "(.{0,64})"/s;

/** The output of `bt` and `foreach bt` in crash(8). */
export const crash: LineParser = (line) => {
  const task = TASK.exec(line);
  if (task !== null) return { kind: 'task', header: headerOf({ name: task[2], tid: task[1] }) };
  const [, symbol, module] = FRAME.exec(line) ?? ARM_FRAME.exec(line) ?? [];
  if (symbol === undefined) return undefined;
  return { kind: 'frame', frame: { symbol, ...(module === undefined ? {} : { module }), raw: line.trim() } };
};

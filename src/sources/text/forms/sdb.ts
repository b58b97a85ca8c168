import { headerOf, type LineParser } from '../line.ts';

const HEADER = /^\s{0,8}0x[0-9a-f]{16} ([A-Z]{4,16}) {1,16}\d{1,7}\s{0,4}$/;
const STATES: Readonly<Record<string, string>> = {
  RUNNING: 'R',
  INTERRUPTIBLE: 'S',
  UNINTERRUPTIBLE: 'D',
  IDLE: 'I',
  ZOMBIE: 'Z',
  STOPPED: 'T',
  TRACED: 't',
  DEAD: 'X',
  PARKED: 'P',
};

/** `stacks` of sdb: one task, its state and how many have the same stack. Frames have an offset and no size. */
export const sdb: LineParser = (line) => {
  const state = line.includes('0x') ? HEADER.exec(line)?.[1] : undefined;
  return state === undefined ? undefined : { kind: 'label', header: headerOf({ state: STATES[state] }) };
};

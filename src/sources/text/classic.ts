import { type Format, headerOf } from './format.ts';

const TASK = /^PID: {1,10}(\d{1,10}) {1,10}State: {1,10}(\S) {1,10}Start Time: [\d/]{1,20} [\d:]{1,20} {1,10}Cmd: ?(.*)$/;

/** The classic text of kstack and oled-kstack (COMPAT.md). Its frames are those of /proc/PID/stack. */
export const classic: Format = (line) => {
  if (line === 'Stack:') return { kind: 'begin' };
  const task = TASK.exec(line);
  return task === null ? undefined : { kind: 'sharing-task', header: headerOf(task[3], task[1], task[2]) };
};

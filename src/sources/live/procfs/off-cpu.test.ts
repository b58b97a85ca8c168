import { describe, expect, it } from 'vitest';
import { parseSched } from './off-cpu.ts';

const text = (last: string) =>
  `cat (7653, #threads: 1)\n${'-'.repeat(67)}\nse.exec_start                                :      ${last}\n` +
  'se.vruntime                                  :        273954.353953\n' +
  'nr_switches                                  :                   12\n' +
  'nr_voluntary_switches                        :                   10\n';

describe('/proc/PID/sched', () => {
  it('tells when the task last was on a CPU, and how often it left one', () => {
    expect(parseSched(text('51573611.988742'))).toEqual({ lastMs: 51573611.988742, switches: 12 });
  });

  it('tells nothing of a task whose class keeps no time, nor in another form', () => {
    expect(parseSched(text('0.000000'))).toBeUndefined();
    expect(parseSched('')).toBeUndefined();
    expect(parseSched(text('x'))).toBeUndefined();
  });
});

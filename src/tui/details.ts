import { changing, filledAdvice } from '../analysis/advice.ts';
import { explainObservation } from '../analysis/explain/explain-sample.ts';
import { framesOf } from '../analysis/fold.ts';
import { userOf } from '../analysis/search-text.ts';
import { commandLineText } from '../model/command-line.ts';
import { containerOf, describeContainer } from '../model/container.ts';
import type { Finding } from '../model/finding.ts';
import type { Observation } from '../model/sample.ts';
import type { Frame as StackFrame } from '../model/stack.ts';
import { taskKey } from '../model/task.ts';
import type { Clock } from '../model/time.ts';
import { shownComm, whatForWithin } from '../sinks/long-waits.ts';
import { moment, timeOfDay } from '../sinks/moment.ts';
import { forDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { fitted } from '../terminal/width.ts';
import { type Line, line, NARROW } from './cells.ts';
import type { Holders } from './holders.ts';
import { type Row, waitedMs } from './rows.ts';
import { longestText } from './table.ts';
import type { Stay } from './task-track.ts';

/** What is shown of a group or a task, and the keys of the lines among it that can be selected. */
export interface Details {
  /** Lines that stay above those that move. */
  readonly fixed: readonly Line[];
  readonly lines: readonly Line[];
  /** Of `lines`, in the same order; empty if none can be selected. */
  readonly keys: readonly string[];
}

const LABEL = 12;
const MOST_FRAMES = 12;
const NUMBER = 8;

/** A group: what its tasks wait for, a stack, and the tasks, one a line. */
export function groupDetails({ tasks, finding, holders: held }: Row, holders: Holders, columns: number): Details {
  const isNarrow = columns < NARROW;
  const first = tasks.find((task) => task.finding === finding) ?? tasks[0];
  const frames = first === undefined ? [] : framesOf(first.observation);
  const more = frames.length - MOST_FRAMES;
  return {
    fixed: [
      ...findingLines(finding),
      ...(held.length === 0 ? [] : [labelled('held up by', held.map((key) => holders.name(key)).join(', '))]),
      ...frames.slice(0, MOST_FRAMES).map((frame, at) => labelled(at === 0 ? 'stack' : '', frameText(frame))),
      ...(more > 0 ? [labelled('', `... ${more} more frames: enter on a task`)] : []),
      line(''),
      line(isNarrow ? SHORT_TITLES : TITLES, 'bold'),
    ],
    lines: tasks.map(({ observation, finding: own }) => {
      const text = isNarrow ? shortText(observation) : taskText(observation);
      return [{ text, style: own.kind }];
    }),
    keys: tasks.map(({ observation }) => taskKey(observation.task.id)),
  };
}

const TITLES = `${fitted('PID', NUMBER, 'right')} ${fitted('TID', NUMBER, 'right')} ST         FOR  NAME`;
const SHORT_TITLES = `${fitted('TID', NUMBER, 'right')} ST NAME`;

function shortText({ task: { id, comm }, state }: Observation): string {
  return `${fitted(`${id.tid ?? '?'}`, NUMBER, 'right')} ${state ?? '?'}  ${escapeUnsafe(shownComm(comm))}`;
}

function taskText(observation: Observation): string {
  const { task, state } = observation;
  const { id, pid, comm } = task;
  const time = longestText(waitedMs({ observation }));
  const [number, own] = [pid, id.tid].map((some) => fitted(`${some ?? '?'}`, NUMBER, 'right'));
  const user = userOf(task);
  return `${number} ${own} ${state ?? '?'}  ${fitted(time, 11, 'right')}  ${escapeUnsafe(shownComm(comm))}${user === '' ? '' : `  ${escapeUnsafe(user)}`}  ${escapeUnsafe(lineOf(observation))}`;
}

/** What a group's stack means: everything that the rules know of it. */
export function explainDetails({ tasks, finding }: Row): Details {
  const { causes, rule, source, kernels, others } = finding;
  const { next, undo } = filledAdvice(
    finding,
    tasks.map(({ observation }) => observation),
  );
  const why =
    rule === undefined ? 'no rule fits' : `rule ${rule}, see ${source}${kernels === undefined ? '' : ` (${kernels})`}`;
  return {
    fixed: [],
    lines: [
      ...findingLines(finding),
      ...(causes === '' ? [] : [labelled('causes', causes)]),
      ...next.map((command, at) => labelled(at === 0 ? 'look at' : '', command)),
      ...undo.map((command, at) => labelled(at === 0 ? 'undo' : '', changing(command))),
      labelled('why', why),
      ...others.map((other) => labelled('', `less specific: ${other.rule}, by ${other.frame.symbol}`)),
    ],
    keys: [],
  };
}

function findingLines(finding: Finding): Line[] {
  return [
    [
      { text: fitted(finding.kind, LABEL), style: finding.kind },
      { text: whatForWithin(finding), style: 'bold' },
    ],
  ];
}

/** A task: who it is, its whole stack, and what it did in the samples that are kept. */
export function taskDetails(
  observation: Observation | undefined,
  stays: readonly Stay[],
  holders: Holders,
  { zoneAt }: Pick<Clock, 'zoneAt'>,
): Details {
  const shown = observation ?? stays.find((stay) => stay.observation !== undefined)?.observation;
  if (shown === undefined) return { fixed: [], lines: [line('This task is in no sample that is kept.')], keys: [] };
  const holder = holders.of(shown);
  return {
    fixed: [],
    lines: [
      ...identityLines(shown),
      ...(observation === undefined ? [labelled('now', 'not in this sample: it has ended, or is not selected')] : []),
      ...findingLines(explainObservation(shown)),
      ...(holder === undefined ? [] : [labelled('held up by', holders.name(holder))]),
      ...callLines(shown),
      ...framesOf(shown).map((frame, at) => labelled(at === 0 ? 'stack' : '', frameText(frame))),
      line(''),
      [{ text: 'In the samples that are kept, the newest first:', style: 'bold' }],
      ...stays.map((stay) => stayLine(stay, zoneAt)),
    ],
    keys: [],
  };
}

function identityLines({ task, state, cpu, facts }: Observation): Line[] {
  const { id, pid, comm, cgroup } = task;
  const numbers = `${pid ?? '?'}/${id.tid ?? '?'}`;
  const where = cpu === undefined ? '' : `, last on CPU ${cpu}`;
  const { offCpuMs, atLeast } = facts ?? {};
  const off = offCpuMs === undefined ? '' : `, off the CPU${forDuration(offCpuMs, atLeast === true)}`;
  const container = cgroup !== undefined && 'value' in cgroup ? containerOf(cgroup.value) : undefined;
  const user = userOf(task);
  return [
    [
      { text: `${numbers} ${escapeUnsafe(shownComm(comm))}`, style: 'bold' },
      { text: `  state ${state ?? '?'}${where}${off}` },
    ],
    ...('value' in task.commandLine && task.commandLine.value !== ''
      ? [labelled('command', commandLineText(task.commandLine.value))]
      : []),
    ...(user === '' ? [] : [labelled('user', user)]),
    ...(container === undefined ? [] : [labelled('container', describeContainer(container))]),
    ...(cgroup !== undefined && 'value' in cgroup ? [labelled('cgroup', cgroup.value)] : []),
  ];
}

function callLines({ systemCall }: Observation): Line[] {
  const call = systemCall !== undefined && 'value' in systemCall ? systemCall.value : undefined;
  return typeof call === 'object' && call.text !== undefined ? [labelled('call', call.text)] : [];
}

function stayLine({ observation, finding, fromMs, toMs, samples }: Stay, zoneAt: Clock['zoneAt']): Line {
  const times = [fromMs, toMs].map((timeMs) => (timeMs === undefined ? '?' : timeOfDay(moment(timeMs, { zoneAt }))));
  const span = `${times[0]} to ${times[1]}  ${fitted(`${samples} x`, 7, 'right')}  `;
  if (observation === undefined || finding === undefined) return line(`${span}not there`);
  return [{ text: `${span}${observation.state ?? '?'}  ` }, { text: whatForWithin(finding), style: finding.kind }];
}

/** Without the address, which /proc hides. */
function frameText({ raw }: StackFrame): string {
  return raw.replace(/^\s*\[<[0-9a-f]*>\]\s*/, '').trim();
}

function lineOf({ task: { commandLine } }: Observation): string {
  return 'value' in commandLine ? commandLineText(commandLine.value) : '';
}

function labelled(label: string, text: string): Line {
  return [{ text: fitted(label, LABEL), style: 'dim' }, { text: escapeUnsafe(text) }];
}

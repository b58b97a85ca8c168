import { FIELDS, type Field } from '../model/fields.ts';
import type { Unread } from '../model/sample.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

type What = Unread['what'];
type Why = Unread['why'];

const NAMES: Readonly<Record<Exclude<What, Field>, string>> = {
  task: 'process',
  processes: "other users' processes",
  namespaces: 'tasks outside of this PID namespace',
  host: "the host's boot time, load, locks and sockets",
  edges: 'the search for who holds up whom',
  threads: 'threads',
  stack: 'kernel stack',
  commandLine: 'command line',
};

/** What a thing is called that could not be read. */
export function nameOf(what: What): string {
  return isField(what) ? FIELDS[what].label : NAMES[what];
}

function isField(what: What): what is Field {
  return what in FIELDS;
}

/** The text for each reason, to follow the name of the thing. Other reasons are names of errnos. */
const REASONS: Readonly<Partial<Record<Why, string>>> = {
  skipped: 'not read, because too many other reads already hang',
  locked: "not read: a thread holds the process's mmap lock for writing, and reading would wait for it",
  denied:
    'not readable: permission denied; CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing, or a security module forbids it',
  malformed: 'not readable: its file does not have the format described in proc(5)',
  EAGAIN: 'not read: the host has no thread left to read it with',
  hidden: 'not shown: this /proc hides them (hidepid), and CAP_SYS_PTRACE is missing',
  cut: 'is too long: only its beginning is shown',
  timeout: 'could not be read in time; it is probably stuck in an execve that waits for the mmap lock of its parent',
};

/** What precedes the detail, for the same. */
const DETAILED: Readonly<Partial<Record<Why, string>>> = {
  denied: 'not readable: permission denied; ',
  hidden: 'not shown: ',
};

/** Things that need a different text for the same reason. */
const REASONS_OF: Readonly<Partial<Record<What, Readonly<Partial<Record<Why, string>>>>>> = {
  edges: {
    timeout: 'was cut short: no time left',
    cut: 'was cut short: there are too many waits',
  },
  commandLine: {
    timeout: "could not be read in time; a thread that waits in the kernel probably holds the process's mmap lock",
  },
};

/** The most lines in all; the most similar tasks with a line each; and the most tasks named on a common line. */
const MOST_LINES = 20;
const MOST_ALONE = 3;
const MOST_NAMED = 8;

/**
 * What could not be read and why, in at most 20 lines: `PID 4711 (nginx): command line could not be read in time; ...`.
 * Many similar tasks share a line: `200 processes nginx (4711, 4712, ...): command line ...`. With `threads`, the
 * numbers are TIDs.
 */
export function formatUnread(unread: readonly Unread[], threads: boolean): string[] {
  const groups = [...groupByReason(unread, threads)];
  const lines = (isEachNamed: (tasks: readonly Unread[]) => boolean) =>
    groups.flatMap(([reason, tasks]) =>
      tasks[0]?.tid === 0
        ? [reason]
        : isEachNamed(tasks)
          ? tasks.map((task) => `${formatTask(task, threads)}: ${reason}`)
          : [formatGroup(reason, tasks, threads)],
    );
  // While there is room, each given number that does not exist gets its own line: scripts look for it.
  const whole = lines((tasks) => tasks.length <= MOST_ALONE || tasks[0]?.why === 'gone');
  if (whole.length <= MOST_LINES) return whole;
  const short = lines((tasks) => tasks.length <= MOST_ALONE);
  if (short.length <= MOST_LINES) return short;
  const shown = short.slice(0, MOST_LINES - 1);
  return [...shown, `${short.length - shown.length} more lines about what could not be read`];
}

function groupByReason(unread: readonly Unread[], threads: boolean): Map<string, Unread[]> {
  const groups = new Map<string, Unread[]>();
  const stackReasons = new Map(unread.filter(({ what }) => what === 'stack').map(({ tid, why }) => [tid, why]));
  for (const each of unread) {
    // The kernel guards both with the same check (fs/proc/base.c, lock_trace), so one message is enough.
    if (each.what === 'systemCall' && stackReasons.get(each.tid) === each.why) continue;
    const reason = formatReason(each, threads);
    const group = groups.get(reason);
    if (group === undefined) groups.set(reason, [each]);
    else group.push(each);
  }
  return groups;
}

/** A number without a task was given as a PID. */
function formatTask({ tid, comm, state, why }: Unread, threads: boolean): string {
  const number = threads && why !== 'gone' ? `TID ${tid}` : `PID ${tid}`;
  const known = [
    ...(comm === undefined ? [] : [escapeUnsafe(comm)]),
    ...(state === undefined ? [] : [`state ${state}`]),
  ];
  return known.length === 0 ? number : `${number} (${known.join(', ')})`;
}

/** `200 processes nginx in state D (4711, 4712, ...): REASON`. If names differ, each follows its number. */
function formatGroup(reason: string, tasks: readonly Unread[], threads: boolean): string {
  const noun = threads && tasks[0]?.why !== 'gone' ? 'threads' : 'processes';
  const name = common(tasks.map(({ comm }) => comm));
  const state = common(tasks.map((task) => task.state));
  const head = [
    `${tasks.length} ${noun}`,
    ...(name === undefined ? [] : [escapeUnsafe(name)]),
    ...(state === undefined ? [] : [`in state ${state}`]),
  ];
  const named = tasks.slice(0, MOST_NAMED).map(({ tid, comm }) => {
    return name !== undefined || comm === undefined ? `${tid}` : `${tid} ${escapeUnsafe(comm)}`;
  });
  return `${head.join(' ')} (${named.join(', ')}${tasks.length > named.length ? ', ...' : ''}): ${reason}`;
}

/** The common value; undefined if they differ. */
function common<T>(values: readonly T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function formatReason({ tid, what, why, detail }: Unread, threads: boolean): string {
  if (why === 'gone') return 'no such process';
  if (why === 'hidden' && what === 'task')
    return `not there, or hidden: ${escapeUnsafe(detail ?? 'by this /proc (hidepid); CAP_SYS_PTRACE is missing')}`;
  const name = nameIn({ tid, what, why }, threads);
  if (detail !== undefined) return `${name} ${DETAILED[why] ?? 'not readable: '}${escapeUnsafe(detail)}`;
  return `${name} ${REASONS_OF[what]?.[why] ?? REASONS[why] ?? `not readable: ${why}`}`;
}

function nameIn({ tid, what, why }: Pick<Unread, 'tid' | 'what' | 'why'>, threads: boolean): string {
  if (what !== 'task') return nameOf(what);
  // What was written in a format of kstack, and changed since, may have been a task or anything else.
  if (tid === 0 && why === 'malformed') return 'a part of a sample';
  return threads ? 'thread' : nameOf(what);
}

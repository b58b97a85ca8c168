import type { LockWait } from '../../../model/sample.ts';
import { headerOf, IGNORED, type Line, type LineParser } from '../line.ts';
import { BEFORE } from './patterns.ts';

const NAME = '(.{1,64}?)';
/** Names may contain colons. */
const LONGEST_NAME = '(.{1,64})';
const HUNG = new RegExp(
  `(?:^|\\W)task ${LONGEST_NAME}:(\\d{1,10}) {1,20}(?:<.{0,20}> )?(?:blocked ` +
    String.raw`(?:(?:in I/O wait )?for\b(?: more than (\d{1,9}) sec)?|in I/O wait)|can't die for more than (\d{1,9}) sec)`,
  's',
);
/** The same where the rest of the line was lost, or another line was written into it. */
const HUNG_DAMAGED = new RegExp(`INFO: task ${LONGEST_NAME}:(\\d{1,10}) blocked (?!on |\\s{0,4}$)`, 's');
/** Kernels of Android put names into quotes. */
const QUOTED = /^"(.{1,64})"$/s;
/** Since 5.10. */
const TASK = new RegExp(
  String.raw`${BEFORE}task:\s{0,2}${NAME}\s{1,40}state:(\S).{0,80}?\bpid:\s{0,10}(\d{1,10})\b` +
    String.raw`(?:\s{1,10}tgid:\s{0,10}(\d{1,10})\b)?`,
  's',
);
/** The same where somebody has left out the rest. */
const TASK_ALONE = new RegExp(String.raw`${BEFORE}task:\s{0,2}(\S.{0,62}?)\s{1,40}state:([A-Z])\s{0,8}$`, 's');
/** A name with a line end in it. */
const NAMELESS = new RegExp(
  String.raw`\sstate:(\S)\s.{0,20}\bstack:\s{0,10}\d{1,10}\s{1,10}pid:\s{0,10}(\d{1,10})\b` +
    String.raw`(?:\s{1,10}tgid:\s{0,10}(\d{1,10})\b)?`,
);
const RUNNING = String.raw`(?:[0-9a-fA-F]{8,16}|running(?: task(?: on cpu {1,6}\d{1,5})?)?|\(NOTLB\))`;
const NUMBERS = String.raw`\d{1,10}\s{1,10}(\d{1,10})\s{1,10}\d{1,10}`;
const FLAGS = String.raw`(?:0x[0-9a-f]{1,16}|(?:\d{1,10}\s)?[^(]{0,40}\((?:L-TLB|NOTLB)\))`;
/** Before 5.10. Until 4.13 an address in the code followed the state. Before 2.6.30 there were no flags. */
/** Kernels with the real-time patches print the address of the task, before the state or behind it. */
const OF_RT = String.raw`\[[0-9a-f]{8,16}\]`;
const OLD_TASK = new RegExp(
  String.raw`^\s{0,8}(\S.{0,150}?) (?:${OF_RT})?([A-Ztx])(?![0-9A-F]{7})\s{0,10}(?:${OF_RT}\s{1,4})?(?:` +
    String.raw`(?:${RUNNING}\s{1,20})?${NUMBERS}\s{1,30}${FLAGS}|[0-9a-f]{8,16}\s{1,20}${NUMBERS}\s{0,4}$)`,
  's',
);
const OLD_TASK_SIGN = /[\s\]][A-Ztx]\s{0,10}(?:\[?[0-9a-fA-F]{8,16}[\]\s]|running\s|\d{1,10}\s|\(NOTLB|$)/;
const OOPS = new RegExp(
  `(?:^|\\W)CPU: {0,4}\\d{1,5} (?:UID: {0,8}\\d{1,10} )?PID: {0,8}(\\d{1,10}) Comm: ${NAME}` +
    String.raw`(?: (?:Not tainted|Tainted:|Kdump:)|\s{0,4}$)`,
  's',
);
/** How a kernel names its build. Of itself it also tells whether it is tainted; Lustre does not, of other tasks. */
const BUILD = / #\d{1,6} SMP /;
const OLD_OOPS = new RegExp(
  String.raw`(?:^|\W)(?:[Pp]|P?I)?[Ii][Dd]: {0,4}(\d{1,10}), comm: {1,30}${NAME}` +
    String.raw`(?:\s{1,30}(?:Not tainted|Tainted:|veid|xid|\d{1,2}\.\d{1,3}\.\d)|\s{0,4}$)`,
  's',
);
const LOCKUP = new RegExp(
  `soft lockup - CPU#\\d{1,5} stuck for (\\d{1,10}) ?s(?:econds)?! \\[${LONGEST_NAME}:(\\d{1,10})\\]`,
  's',
);
const LOCKUP_ALONE = /soft lockup - CPU#\d{1,5} stuck for \d{1,10} ?s(?:econds)?!\s{0,4}$/;
/** The watchdog of Lustre. What stands before it is the thread's name, or the module's. */
const SERVICE =
  /(?:^|\s)(?:(?!L(?:ustre(?:Error)?|Net(?:Error)?):)([\w./-]{1,32}): )?[Ss]ervice thread pid (\d{1,10}) was inactive\b/;
const ACTIVE = /^(?:(?:sysrq ?: )?CPU ?\d{1,4}|Task dump for CPU \d{1,4}):$/i;
/** lockdep: the task that printed the stack that follows. */
const TRYING = /^(\S.{0,63}?)\/(\d{1,10}) is trying to (?:acquire|release) lock/;
/** Samsung (sec_debug, dump_task_info): PID, times, state, CPU, wchan, pc, task, name. */
const COLUMNS = new RegExp(
  String.raw`(?:^|[\s\]])(\d{1,10})\s{1,12}\d{1,10}\s{1,12}\d{1,10}\s{1,20}\d{1,20} ([A-Zt?])\(\d{1,5}\)` +
    String.raw`\s{1,4}\d{1,3}\s{1,4}(?:[0-9a-f]{1,16}\s{1,20}){2,3}\*?\s{1,16}(\S.{0,15}?)(?: \[.{0,64}\])?$`,
);
const PROCESS = new RegExp(`^\\s{0,8}Process ${NAME} \\(pid: (\\d{1,10}),`, 's');
/** Since 6.16, for mutexes, semaphores and rw-semaphores (kernel/hung_task.c, debug_show_blocker). */
const HOLDER = new RegExp(
  String.raw`(?:^|\W)task ${LONGEST_NAME}:(\d{1,10})(?: <(reader|writer)>)? (?:is )?blocked on an? ` +
    '(mutex|semaphore|rw-semaphore)(?:,? (?:likely )?(?:last )?(?:owned|held) by task ' +
    String.raw`${LONGEST_NAME}:(\d{1,10}))?`,
  's',
);
/** The beginning of a header that a mail program has broken. */
const BROKEN = new RegExp(
  `(?:^|\\W)(?:task .{1,64}:\\d{1,10}(?: <\\w{6}>)?(?: is)?(?: blocked.{0,40})?|task:.{1,64}\\s?state:\\S.{0,60}` +
    String.raw`|CPU: \d{1,5} (?:UID: \d{1,10} )?PID: \d{1,10}(?: Comm: .{0,64})?)$`,
);
const BROKEN_OLD = new RegExp(
  String.raw`^\s{0,8}\S.{0,63}?\s{1,40}[A-Ztx]\s{0,20}(?:${OF_RT}\s{1,4})?(?:[0-9a-fA-F]{8,16}\s{0,20})?(?:\d{1,10}\s{0,30}){0,5}$`,
);

/** kernel/workqueue.c, print_worker_info: the queue, the function with its module, and what the work is about */
const WORK = /(?:^|\s)Workqueue: {1,2}\S.{0,63}? ([A-Za-z_][\w.]{1,127})(?: \[[\w-]{1,64}\])?(?: \([^()]{1,64}\))?\s*$/;

/** What follows are stacks of the past: of an allocation, of a lock that was taken, of the last change of a page. */
const PAST = new RegExp(
  `^\\s{0,20}(?:${[
    '(?:INFO: )?(?:[Aa]llocated|[Ff]reed)(?: (?:by task|in) .*|:$)',
    String.raw`backtrace(?: \(crc [0-9a-f]{1,8}\))?:$`,
    '(?:Last potentially related|Second to last potentially related) work creation:',
    String.raw`-> #\d{1,4} \(.*`,
    '(?:page|page_owner) (?:last (?:allocated|free)|allocated).*',
    '(?:Uninit was (?:stored|created)|Local variable .* created) .*',
    '(?:Preemption|hardirqs last|softirqs last).*abled at:?.*',
    'Last Breaking-Event-Address:',
    String.raw`to a \S+-irq-(?:un)?safe lock:`,
    '(?:kthread|creation) stack:?',
    String.raw`.{1,64}\{[A-Z-]{4,20}\} .*at:$`,
  ].join('|')})`,
);
/** Behind the place, SLUB prints the whole trace (mm/slub.c, print_track). */
const SLUB = / age=\d{1,20} cpu=\d/;
/** The same with a function that was inlined there. */
const PLACED_LAST = /last {1,2}(?:en|dis)abled at \(\d{1,20}\): \S/;
/** Other lines that belong to the report of a task. */
const REPORT = new RegExp(
  `^\\s{0,40}(?:${[
    'Code:',
    'Instruction [Dd](?:ump|UMP)',
    'Modules linked in:',
    String.raw`\[last unloaded:`,
    'Hardware name:',
    'Workqueue:',
    'Stopper:',
    '(?:Not )?[Tt]ainted',
    String.raw`\[(?:[A-Z]\])?=`,
    '"echo 0 >',
    'Exception stack\\(',
    'Stack:?\\s{0,4}(?:$|\\(|[0-9a-f]{8})',
    'task: [0-9a-f]{8}',
    'Sending NMI',
    'Last Breaking',
    'REGS:',
    'PACATMSCRATCH',
    '[0-9a-f]{4,16}: [0-9a-f]{8}',
    '(?:[0-9a-f]{8,16}[\\s.]{1,8}){2,}',
    '[0-9a-f]{16}(?: \\[[\\w-]{1,64}\\])?$',
    '\\[?<[0-9a-f]{8,16}>\\]?$',
    '(?:\\[[0-9a-f]{8,16}\\] ?){1,2}$',
    '\\[(?!\\d{1,7}\\])[\\w-]{1,64}\\]$',
    '\\(unreliable\\)$',
    '\\.\\.\\.',
    '--Type <RET>',
    'WARNING: kernel stack',
    'unwind stack type',
    'Sending NMI',
    '0x[0-9a-f]{16} \\[',
    '(?:=[0-9A-F]{2} ?)+$',
    String.raw`(?![PTpt][IiGg]|LWP)[\w#-]{1,12}\s?[:=]\s{0,8}(?:\w{4}:)?(?:0x)?[0-9a-fA-F]{4,16}(?:\b|\().{0,160}`,
    String.raw`(?:[A-Z]\w{0,7}: ?\d{1,4} ){3}`,
    String.raw`\$\s{1,2}\d{1,2}\s{1,4}:`,
    'RIP: 0033',
    '(?:PGD|PUD|P4D|pgd|Oops|CR2|Mem abort|Data abort|ESR|EC|SET|FSC|EA|CM|ISV|user pgtable|swapper pgtable)\\b',
    'Krnl (?:PSW|GPRS|Code)',
    '[#>* ]?[0-9a-f]{16}: [0-9a-f]{4}',
  ].join('|')})`,
);
/** Registers of x86, RISC-V and arm64 when the CPU was in a program. */
const IN_PROGRAM = /^\s{0,8}(?:RIP: 0033:|epc ?: 00000|pc : 0000)/;
/** Segment, control and debug registers are those of a CPU, not of a task that sleeps. */
const OF_CPU =
  /^\s{0,8}(?:CS:\s{1,4}0010 DS: \w{4} ES: \w{4}|CR2: [0-9a-f]{8,16} CR3: |DR[03]: [0-9a-f]{8,16} DR[16]: )/;
const KCSAN =
  /\b(?:write|read)(?: \(marked\))? to 0x[0-9a-f]{8,16} of \d{1,6} bytes by (?:task (\d{1,10})|interrupt) on cpu \d/;

/**
 * Headers and marks of the kernel log (kernel/sched/core.c, sched_show_task; kernel/hung_task.c;
 * arch/x86/kernel/dumpstack.c).
 */
export const dmesg: LineParser = (line) => {
  const text = line.trim();
  return markOf(text) ?? taskOf(text);
};

const MARKS: ReadonlyMap<string, Line> = new Map([
  ['<TASK>', { kind: 'task-begin' }],
  ['</TASK>', { kind: 'task-end' }],
  ['<IRQ>', { kind: 'interrupt' }],
  ['<SOFTIRQ>', { kind: 'interrupt' }],
  ['<NMI>', { kind: 'interrupt', above: true }],
  ['<#DF>', { kind: 'interrupt', above: true }],
  ['<#DB>', { kind: 'interrupt', above: true }],
  ['</IRQ>', { kind: 'interrupt-end' }],
  ['</SOFTIRQ>', { kind: 'interrupt-end' }],
  ['</NMI>', { kind: 'interrupt-end' }],
  ['</#DF>', { kind: 'interrupt-end' }],
  ['</#DB>', { kind: 'interrupt-end' }],
  ['<EOI>', { kind: 'interrupt-end' }],
  ['<<EOE>>', { kind: 'interrupt-end' }],
]);
/** With what a prefix may have left. */
const MARK = /(?:^|[\s:>\]|])(<\/?(?:TASK|IRQ|SOFTIRQ|NMI|#D[BF])>|<EOI>|<<EOE>>)$/;
const BEGIN = /(?:^|[\s\]:|>])(?:Call [Tt]race|all Trace|Backtrace|[Ss]tack backtrace)\b[^:]{0,10}:/;

function markOf(text: string): Line | undefined {
  if (text.endsWith('>')) {
    const mark = MARKS.get(text) ?? MARKS.get(MARK.exec(text)?.[1] ?? '');
    if (mark !== undefined) return mark;
  }
  if (!text.includes('race')) return undefined;
  return BEGIN.test(text) ? { kind: 'begin', isTrace: true } : undefined;
}

function taskOf(text: string): Line | undefined {
  if (text.includes('task')) {
    const holder = text.includes(' blocked on ') ? holderOf(text) : undefined;
    if (holder !== undefined) return holder;
    const [, hung, hungTid, blocked, dying] = HUNG.exec(text) ?? HUNG_DAMAGED.exec(text) ?? [];
    if (hung !== undefined) {
      // linux-next tells of a task that was killed, in whatever state it is, that it can't die.
      const state = dying === undefined ? 'D' : undefined;
      const header = headerOf({ name: QUOTED.exec(hung)?.[1] ?? hung, tid: hungTid, state });
      return {
        kind: 'hung',
        header: blocked === undefined ? header : { ...header, blockedMs: 1000 * Number(blocked), atLeast: true },
      };
    }
    const [, name, state, tid, pid] = TASK.exec(text) ?? [];
    if (tid !== undefined) return { kind: 'task', header: headerOf({ name, tid, pid, state }) };
    const [, named, letter] = text.includes('state:') ? (TASK_ALONE.exec(text) ?? []) : [];
    if (named !== undefined) return { kind: 'task', header: headerOf({ name: named, state: letter }) };
  }
  const [, letter, number, group] = text.includes('state:') ? (NAMELESS.exec(text) ?? []) : [];
  if (number !== undefined) return { kind: 'task', header: headerOf({ tid: number, pid: group, state: letter }) };
  if (OLD_TASK_SIGN.test(text)) {
    const [, name = '', state, tid, shortTid] = OLD_TASK.exec(text) ?? [];
    const number = tid ?? shortTid;
    if (number !== undefined) return { kind: 'task', header: headerOf({ name: nameIn(name), tid: number, state }) };
  }
  if (text.includes('omm: ')) {
    const oops = OOPS.exec(text) ?? OLD_OOPS.exec(text);
    if (oops !== null) {
      const header = headerOf({ name: oops[2], tid: oops[1] });
      const isOfAnother = !text.includes('ainted') && BUILD.test(text);
      return { kind: 'task', header: isOfAnother ? header : { ...header, onCpu: true } };
    }
  }
  if (text.includes('lockup')) {
    // Some people leave the task out.
    if (LOCKUP_ALONE.test(text)) return { kind: 'label', header: { onCpu: true } };
    const [, seconds, name, tid] = LOCKUP.exec(text) ?? [];
    if (tid !== undefined)
      return {
        kind: 'task',
        header: { ...headerOf({ name, tid, state: 'R' }), onCpu: true, ranLong: true, ranMs: 1000 * Number(seconds) },
        isAnnounced: true,
      };
  }
  const [, service, serviceTid] = text.includes('ervice thread pid ') ? (SERVICE.exec(text) ?? []) : [];
  if (serviceTid !== undefined)
    return { kind: 'task', header: headerOf({ name: service, tid: serviceTid }), isAnnounced: true };
  const [, printer, printerTid] = text.includes(' is trying to ') ? (TRYING.exec(text) ?? []) : [];
  if (printerTid !== undefined)
    return { kind: 'task', header: { ...headerOf({ name: printer, tid: printerTid }), onCpu: true } };
  if (text.includes(') ')) {
    const [, column, letter, name] = COLUMNS.exec(text) ?? [];
    if (column !== undefined) return { kind: 'task', header: headerOf({ name, tid: column, state: letter }) };
  }
  // What sysrq-l prints before the stack of a CPU, and RCU before the task that runs on one.
  if (text.endsWith(':') && ACTIVE.test(text)) return { kind: 'label', header: { onCpu: true } };
  const [, process, pid] = text.startsWith('Process ') ? (PROCESS.exec(text) ?? []) : [];
  if (pid !== undefined) return { kind: 'about', header: headerOf({ name: process, tid: pid }) };
  const [, work] = text.includes('Workqueue: ') ? (WORK.exec(text) ?? []) : [];
  if (work !== undefined) return { kind: 'about', header: { work } };
  // A place in the same line is all that it says.
  if (PAST.test(text))
    return (text.includes('+0x') && !SLUB.test(text)) || PLACED_LAST.test(text) ? IGNORED : { kind: 'past' };
  const race = text.includes(' bytes by ') ? KCSAN.exec(text) : null;
  return race === null ? undefined : { kind: 'label', header: { ...headerOf({ tid: race[1] }), onCpu: true } };
}

/** The kernel pads names to so many characters; until 2.6.32, to the second number. */
const LONGEST_FIELD = 15;
const FIELDS = [LONGEST_FIELD, 13];
/** The end of a prefix. */
const ONE_WORD = /^[A-Za-z][\w./:@+-]{1,14}\s{1,20}$/;
const MARK_LAST = /^.*[^\w\s(]\s{1,4}(?=\S)/s;

/** The name in what stands before the state. A prefix that nobody knows may be part of it. */
function nameIn(before: string): string {
  // Wider than the kernel prints it: whoever pastes it has changed the columns.
  if (ONE_WORD.test(before)) return before.trim();
  const isField = (length: number) =>
    /(?:^|[^\w])$/.test(before.slice(0, -length)) &&
    /^\S/.test(before.slice(-length)) &&
    !MARK_LAST.test(before.slice(-length));
  const isPadded = before.endsWith(' ') && before.length > LONGEST_FIELD;
  const length =
    FIELDS.find((each) => before.length >= each && isField(each)) ?? (isPadded ? LONGEST_FIELD : undefined);
  return (length === undefined ? before.replace(MARK_LAST, '') : before.slice(-length)).trim();
}

function holderOf(text: string): Line | undefined {
  const [, name, tid, access, what, , owner] = HOLDER.exec(text) ?? [];
  if (tid === undefined) return undefined;
  const kind: LockWait['kind'] =
    what === 'rw-semaphore'
      ? access === 'reader'
        ? 'rwsem-read'
        : 'rwsem-write'
      : what === 'mutex'
        ? 'mutex'
        : 'semaphore';
  const lock: LockWait = { kind, ...(owner !== undefined && { owner: Number(owner), inferred: true as const }) };
  const header = headerOf({ name, tid, state: 'D' });
  // Of a semaphore whose owner is not found, the kernel does not say for what it is wanted.
  const isTold = what !== 'rw-semaphore' || access !== undefined || owner !== undefined;
  return { kind: 'waits', waiter: isTold ? { ...header, lock } : header };
}

/** Lines between the header of a task and its stack, or between frames: registers, code, memory. */
export const report: LineParser = (line) =>
  OF_CPU.test(line)
    ? { kind: 'registers' }
    : REPORT.test(line)
      ? IN_PROGRAM.test(line)
        ? { kind: 'program' }
        : IGNORED
      : undefined;

/** Whether this is the beginning of a header whose rest may be in the next line. */
export function isBroken(line: string): boolean {
  if (line.includes('task') || line.includes('PID')) return BROKEN.test(line.trimEnd());
  return OLD_TASK_SIGN.test(`${line} `) && BROKEN_OLD.test(line);
}

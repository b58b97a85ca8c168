import { type Header, headerOf, IGNORED, type LineParser, stateOf } from '../line.ts';
import { CRASH_STATES } from './crash.ts';
import { dmesg, report } from './dmesg.ts';

/** Prompts of shells, crash, drgn, kdb, gdb and sdb, with what was typed. */
const PROMPT = new RegExp(
  `^\\s{0,12}(?:${[
    String.raw`\[[\w.-]{1,64}@(?<inner>[\w.-]{1,255})[^\]]{0,200}\]\s?[#$%]`,
    String.raw`[\w.-]{1,64}@(?<outer>[\w.-]{1,255})[: ][^#$%>]{0,200}[#$%>](?=\s)`,
    String.raw`[\w.-]{1,64}[:@]~?[\w./-]{0,200} ?[#$](?=\s)`,
    String.raw`(?:sh|bash|ash|zsh|dash)-[\d.]{1,8}[#$%]`,
    '(?:%?crash(?:64)?|drgn|sdb|pykdump|gdb)>',
    String.raw`(?:\[\d{1,4}\])?(?:more)?k[gd]b>`,
    String.raw`\(gdb\)`,
    '>>>',
    '[#$%]',
  ].join('|')})(?:\\s{1,8}(?<command>\\S.{0,400})?)?$`,
);
const PROC =
  /(?:^|[\s/])proc\/(?:(\d{1,10})\/task\/(\d{1,10})|(\d{1,10}))(?:\/|[\])#$ ]{1,4}(?:sudo )?(?:cat|head|less|more|tail) )/;
/** The prompt shows the folder of a task: `root@host:/proc/7# cat stack` */
const HERE = /\b(?:cat|head|less|more|tail) (?:\.\/)?stack\s{0,4}$/;
/** In a sentence or a heading: `cat /proc/7/stack` */
const STACK_FILE = /(?:^|[\s`'"*(])\/proc\/(\d{1,10})(?:\/task\/(\d{1,10}))?\/stack(?=$|[\s`'"*):,.])/;
/** A title as a comment: `# /proc/7/task/8: kworker/0:1+events :` */
const COMMENT =
  /^(?:[#:]\s{0,4})?\/proc\/(\d{1,10})(?:\/task\/(\d{1,10}))?\/?\s?[:=-]{1,2} {1,4}(\S.{0,62}?)\s{0,4}:?$/;
const BACKTRACE = /^%?(?:btp?|stack)\s(?:-\w{1,4}\s){0,4}(\d{1,10})\b/;
/** crash: `foreach UN bt` */
const FOREACH = /^foreach (?:.{0,40} )?(RU|IN|UN|ID|ZO|ST|TR|DE|PA)\b.{0,40}\bbt\b/;
const DRGN = /\bstack_trace\(\s{0,4}(?:prog,\s{0,4})?(\d{1,10})\s{0,4}\)|\bfind_task\((?:prog,\s{0,4})?(\d{1,10})\)/;

/** drgn: one frame of a trace follows. */
const ONE_FRAME = /^\s{0,12}(?:\w{0,16}trace|st|stack|frames|bt)\[\d{1,3}\]\s{0,4}$/;
const LONGEST = 400;

/** Prompts, and what was typed there: it may tell whose stack follows. */
export const prompts: LineParser = (line) => {
  if (line.length > LONGEST) return undefined;
  const prompt = PROMPT.exec(line);
  if (prompt === null) {
    if (ONE_FRAME.test(line)) return IGNORED;
    // drgn's own prompt is lost where a mail has taken it for quote marks.
    const header = line.includes('stack_trace(') ? taskIn(line) : {};
    if (header.tid !== undefined) return { kind: 'label', isTitle: true, header };
    const [, pid, tid] = line.includes('/stack') ? (STACK_FILE.exec(line) ?? []) : [];
    return pid === undefined
      ? undefined
      : { kind: 'label', isTitle: true, header: headerOf({ tid: tid ?? pid, pid: tid && pid }) };
  }
  const { command = '', inner, outer } = prompt.groups ?? {};
  // A comment may hold a log.
  const logged = /^\s{0,12}[#$%]\s/.test(line) ? (dmesg(command) ?? report(command)) : undefined;
  if (logged !== undefined) return logged;
  if (ONE_FRAME.test(command)) return IGNORED;
  const letters = FOREACH.exec(command)?.[1];
  const ofAll = letters === undefined ? undefined : stateOf(CRASH_STATES[letters]);
  const host = inner ?? outer;
  const header = taskIn(HERE.test(command) ? line : command);
  // Terminals that write down a session put the time before each line, as a log has it.
  const isTitle = inner === undefined && (outer === undefined || header.tid === undefined);
  return {
    kind: 'label',
    header,
    ...(isTitle && { isTitle }),
    ...(host !== undefined && { host }),
    ...(ofAll !== undefined && { ofAll }),
  };
};

function taskIn(command: string): Header {
  const [, titlePid, titleTid, name] = COMMENT.exec(command) ?? [];
  if (titlePid !== undefined) return headerOf({ tid: titleTid ?? titlePid, pid: titleTid && titlePid, name });
  const [, pid, tid, only] = PROC.exec(command) ?? [];
  const traced = BACKTRACE.exec(command)?.[1];
  const [, first, second] = DRGN.exec(command) ?? [];
  return headerOf({ tid: tid ?? only ?? traced ?? first ?? second, pid });
}

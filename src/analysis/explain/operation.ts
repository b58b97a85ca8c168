import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { isVague } from '../rules/rule.ts';
import { byName } from './caller.ts';
import { contextOf } from './context.ts';
import { type InnerEnd, isTelling } from './inner-end.ts';
import type { Match } from './match.ts';
import type { Sleep } from './sleeping-primitives.ts';
import { tellsMore } from './wording.ts';

/** Outermost functions of whole stacks: they say nothing of what a task is about. */
const OF_NO_CALLER =
  /^(?:kthread\w*|ret_from_\w+|worker_thread|process_one_work|entry_\w+|do_syscall_\w+|el0\w*|invoke_syscall|ia32_\w+|\w*sys_\w+)$/;

/** Where a sentence names the file or device already. */
const ANY_FILE = / (?:from|to) a file, pipe or device$/;
const WITH_ANY_FILE = /, in order to \w+ (?:from|to) a file, pipe or device$/;
/** Sleeps that reads and writes of files end in. */
const IN_FILES: ReadonlySet<Sleep> = new Set(['lock', 'page', 'buffer', 'bit', 'io']);

/** Contexts that tell more than that a kernel thread or system call is further out. */
const TOLD = /^, in order to |\)$/;
const PURPOSE = /^, in order to /;

/**
 * What the task does there, where the rule does not say so: by the nearest rule further out that tells more than the
 * sentence, or else by the system call or file.
 */
export function operationOf(frames: readonly Frame[], best: Match, others: readonly Match[], inner: InnerEnd): string {
  const { rule, depth } = best;
  if (rule.spins === true) {
    const spinner = others.find((other) => other.depth > depth && other.rule.inOrderTo !== undefined)?.rule;
    return spinner === undefined ? '' : `, in order to ${spinner.inOrderTo}`;
  }
  if (rule.kind !== 'blocked' || rule.complete === true || / (?:in order to|so that) /.test(rule.waitsFor)) return '';
  const context = contextOf(frames, inner.depth);
  if (rule.fallback === true) return context === '' ? callerOfAll(frames, inner) : context;
  const from = Number.isInteger(depth) ? depth : inner.depth;
  const isLock = rule.sleeps?.includes('lock') === true;
  const isNews = (purpose: string) => isLock || rule.serves === true || tellsMore(purpose, rule.waitsFor);
  for (const { rule: outer, depth: at } of others) {
    const { inOrderTo, kind } = outer;
    // At the same function, a rule about any sleep knows the operation that a rule about the lock there leaves out.
    const isHere = at === from && (outer.purpose === true || (isLock && outer.sleeps === undefined));
    if ((at <= from && !isHere) || kind === 'running' || isVague(outer)) continue;
    if (inOrderTo === undefined || inOrderTo === rule.inOrderTo) continue;
    if (!(rule.serves === true && outer.serves === true) && isNews(inOrderTo)) return `, in order to ${inOrderTo}`;
  }
  const isOpen = rule.waitsFor.includes('{caller}') || isLock;
  if (!(isOpen ? TOLD : PURPOSE).test(context) || !isNews(context)) return '';
  // "in order to write" tells something of a page or a lock, and nothing of a device that takes what is written.
  const sleeps = rule.sleeps ?? [inner.primitive?.sleep ?? 'schedule'];
  const isOfFile = isOpen || sleeps.some((sleep) => IN_FILES.has(sleep));
  return isOfFile ? context.replace(ANY_FILE, '') : context.replace(WITH_ANY_FILE, '');
}

/** The outermost function of a stack that is cut off, if it is another than the one that waits. */
function callerOfAll(frames: readonly Frame[], { depth }: InnerEnd): string {
  const outermost = frames.findLast(({ symbol }, at) => at > depth && isTelling(functionName(symbol)));
  if (outermost === undefined) return '';
  const name = functionName(outermost.symbol);
  return OF_NO_CALLER.test(name) ? '' : `, called by ${name}${byName(outermost)}`;
}

import type { Finding } from '../model/finding.ts';
import type { Frame, Stack } from '../model/stack.ts';
import type { State } from '../model/task.ts';
import { functionName } from './function-name.ts';
import { type Match, Matcher, tellingFrame } from './match.ts';
import { RULES } from './rules/index.ts';

const matcher = new Matcher(RULES);
const findings = new WeakMap<Stack, Finding>();

/** Explains a stack. Each stack object is matched only once. The state is used if the stack is empty. */
export function explain(stack: Stack, state?: State): Finding {
  if (stack.frames.length === 0) return explainEmpty(state);
  let finding = findings.get(stack);
  if (finding === undefined) {
    finding = explainFrames(stack.frames);
    findings.set(stack, finding);
  }
  return finding;
}

/** The end mark in the stacks of kernels before 5.x. It is not a function. */
const END_MARK = /^0xf+$/;

function explainFrames(all: readonly Frame[]): Finding {
  const frames = all.filter(({ symbol }) => !END_MARK.test(symbol));
  const innermost = tellingFrame(frames) ?? frames[0];
  const [best, ...others] = matcher.matches(frames);
  return best === undefined ? unexplained(innermost) : explained(frames, best, others, innermost);
}

/** The kernel marks frames with `?` that may be left over from an earlier call. */
function isGuess({ raw }: Frame): boolean {
  return /(?:^|\s)\? /.test(raw);
}

function explained(
  all: readonly Frame[],
  { rule, frame }: Match,
  others: readonly Match[],
  innermost: Frame | undefined,
): Finding {
  const { id, kind, causes, next, source, kernels } = rule;
  const waitsFor = all.every(isGuess)
    ? `${rule.waitsFor} (likely: the kernel was not sure of any frame)`
    : rule.waitsFor;
  const caller = innermost === undefined ? 'its caller' : functionName(innermost.symbol);
  return {
    rule: id,
    kind,
    waitsFor: waitsFor.replaceAll('{caller}', () => caller),
    causes,
    next,
    source,
    kernels,
    frame,
    innermost,
    others: others.map((other) => ({ rule: other.rule.id, frame: other.frame })),
  };
}

const NOTHING_KNOWN = { rule: undefined, causes: '', next: [], source: undefined, kernels: undefined, others: [] };

function unexplained(innermost: Frame | undefined): Finding {
  const waitsFor =
    innermost === undefined
      ? 'unknown: the stack has no function'
      : `unknown: no rule knows ${functionName(innermost.symbol)}`;
  return { ...NOTHING_KNOWN, kind: 'unexplained', waitsFor, frame: innermost, innermost };
}

function explainEmpty(state: State | undefined): Finding {
  const base = { ...NOTHING_KNOWN, frame: undefined, innermost: undefined };
  if (state === 'R') return { ...base, kind: 'running', waitsFor: 'nothing: it runs in user space, or is ready to' };
  if (state === 'Z' || state === 'X')
    return {
      ...base,
      kind: 'idle',
      waitsFor: 'its parent to collect its exit status: it has ended',
      causes: 'A parent that does not call wait(2), is stopped, or is itself stuck.',
      next: ['grep PPid /proc/PID/status', 'kstack -p PPID'],
    };
  return { ...base, kind: 'unexplained', waitsFor: 'unknown: the stack is empty' };
}

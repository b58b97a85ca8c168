// What stands before the lines of kstack's own formats, where no format that is known puts anything.

import { foldedName } from '../own/folded.ts';
import { type Form, isLogged, matchOf, patternOf, TIME } from './unknown-prefix.ts';

const LONGEST = 120;
/** `2 tasks (100.0 %)  blocked` begins a paragraph of `-f long`. */
const GROUP = /\d{1,9} tasks? \((?:\d{1,3}\.\d %|not selected)\) {1,4}(?:blocked|idle|running|unexplained)\b/;
/** A document of `-f json`, also if another program has laid it out anew. */
const SAMPLE = /(?:\{\s{0,20})?"format": ?"kstack-sample"/;
const [ZERO, NINE] = [48, 57];

/** LongOutput takes these off. */
const QUOTES = /^\s{0,8}(?:[>|│] ?){1,8}\s{0,40}$/;
/** Marks of mails, tables, lists and comments. No task is called so. */
const MARKS = /^(?:\s{0,8}(?:[>|│]|[-*•+#]\s|\/\/\s)){1,8}\s{0,2}/;
const NUMBER = /^\s{0,12}\d{1,8}(?:[:.)]\s{0,2}|-(?=\D)|\t|\s{1,2}[|│]\s?)/;
/** A host or a container. */
const TITLE = /^[^;:|>\]\t]{1,80}(?:[:|>]\s|\]:?\s|\t)\s{0,40}/;
/** The name of a file, as grep(1) puts it there, perhaps with the number of the line. */
const FILE = /^(?!kworker\/)(?:[\w+@~.-]*[./][\w+@~./-]*):(?=\D)|^[\w+@~./-]{1,100}([:-])\d{1,8}\1/;
/** A name has so many bytes (TASK_COMM_LEN), but for those of workers. */
const LONGEST_NAME = 15;
const WORKER = /kworker\//;
/** So many tasks with different names do not all begin with the same word. */
const LEAST_NAMES = 3;

interface OwnForm extends Form {
  readonly isOwn: true;
  /** If what stands there may be a part of the task's name. */
  readonly isTitle: boolean;
}

/** Whether a line may be one of these formats, by what is nearly free to see. */
export function mayBeOwn(line: string): boolean {
  const last = line.charCodeAt(line.length - 1);
  if (last >= ZERO && last <= NINE && line.includes(';')) return true;
  return line.includes(' task') ? line.includes('tasks (') || line.includes('task (') : line.includes('kstack-sample');
}

/** The forms that what stands before a line of these formats may have, the likeliest first. */
export function formsBeforeOwn(line: string): readonly OwnForm[] {
  const group = GROUP.exec(line);
  const told = group ?? SAMPLE.exec(line);
  if (told === null) return foldedForms(foldedName(line) ?? '');
  const before = line.slice(0, told.index);
  const trimmed = before.trimEnd();
  if (trimmed === '' || before.length > LONGEST || (group !== null && QUOTES.test(before))) return [];
  return [formOf(before, false), ...(trimmed === before ? [] : [formOf(trimmed, false)])];
}

function formOf(text: string, isTitle: boolean): OwnForm {
  return { text, pattern: patternOf(text, false), isOwn: true, isTitle };
}

/** In a line, the name of the task follows. */
function foldedForms(name: string): readonly OwnForm[] {
  let at = 0;
  for (const each of [TIME, MARKS, NUMBER]) at += each.exec(name.slice(at))?.[0].length ?? 0;
  const title = TITLE.exec(name.slice(at))?.[0] ?? FILE.exec(name.slice(at))?.[0] ?? '';
  const to = at + title.length;
  const whole = to + (NUMBER.exec(name.slice(to))?.[0].length ?? 0);
  return [
    ...(title === '' ? [] : [formOf(name.slice(0, whole), true)]),
    ...(at === 0 ? [] : [formOf(name.slice(0, at), false)]),
  ];
}

/**
 * The form of what stands before the last of these lines, and before all of the same text; undefined if that is not
 * clear, as lines that follow may tell. `isLast`: none does.
 */
export function surest(forms: readonly OwnForm[], lines: readonly string[], isLast: boolean): OwnForm | undefined {
  const sure = forms.flatMap((form) => {
    const found = linesBehind(form, lines);
    return found !== undefined && isSure(form, found) ? [{ form, found }] : [];
  });
  const [likeliest] = sure.toSorted((one, other) => other.found.length - one.found.length);
  if (likeliest === undefined) return undefined;
  const { form, found } = likeliest;
  const isOpen = forms.some((each) => each.isTitle) && !form.isTitle && found.length < LEAST_NAMES;
  return isOpen && !isLast ? undefined : { ...form, ...countingIn(form, found) };
}

interface Found {
  readonly before: string;
  readonly numbers: readonly number[];
  readonly rest: string;
  /** Of the task, in a folded stack. */
  readonly name: string | undefined;
}

/** The last lines with this before them; undefined if it is a part of names, since stacks among them lack it. */
function linesBehind(form: OwnForm, lines: readonly string[]): readonly Found[] | undefined {
  const found: Found[] = [];
  for (const line of lines.toReversed()) {
    const match = matchOf(line, form);
    if (match !== undefined) {
      const { rest, numbers } = match;
      const before = line.slice(0, line.length - rest.length);
      if (rest.trim() !== '') found.unshift({ before, numbers, rest, name: foldedName(rest) });
    } else if (line.trim() !== '') {
      return foldedName(line) === undefined ? found : undefined;
    }
  }
  return found;
}

function isSure(form: OwnForm, found: readonly Found[]): boolean {
  const named = found.flatMap(({ before, name }) => (name === undefined ? [] : [{ before, name }]));
  if (named.length === 0) return found.length > 1;
  if (named.some(({ name }) => !/^[^\s\d]/.test(name))) return false;
  if (!form.isTitle) return true;
  const different = new Set(named.map(({ name }) => name)).size;
  const isLonger = named.some(({ before, name }) => (before + name).length > LONGEST_NAME && !WORKER.test(name));
  return different >= LEAST_NAMES || ((different > 1 || FILE.test(form.text) || TIME.test(form.text)) && isLonger);
}

/** The number of a line is the last one. */
const COUNTED = /(?:^|[\s:|]|-(?=\d{1,8}-$))\d{1,8}\W*$/;

function countingIn({ text }: OwnForm, found: readonly Found[]): Pick<Form, 'counting'> {
  const at = (found[0]?.numbers.length ?? 0) - 1;
  const isCounted = found.every(
    ({ numbers }, line) => line === 0 || (numbers[at] ?? 0) > (found[line - 1]?.numbers[at] ?? 0),
  );
  return at >= 0 && isCounted && COUNTED.test(text) ? { counting: at } : {};
}

/** Whether a line with another prefix of this form is of the same text: only the times of a log differ. */
export function mayBeOther(line: string): boolean {
  return !isLogged(line);
}

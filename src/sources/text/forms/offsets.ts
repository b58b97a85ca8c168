import type { Frame } from '../../../model/stack.ts';
import { IGNORED, type Line, type LineParser } from '../line.ts';
import { bodyOf } from '../wrapping/prefix.ts';
import { frameOf, MODULE } from './patterns.ts';

/** Behind a function: its offset, mostly with its size, and its module. */
const OFFSET = new RegExp(String.raw`\+0x([0-9a-f]{1,16})(?: ?\/ ?0x([0-9a-f]{1,16}))?(?:\s{0,4}${MODULE})?`, 'y');

/** What stands between a prefix and a function and belongs to the frame. */
const FURNITURE = [
  String.raw`[\s?(*\x60'"]`,
  '=>',
  // Python's bytes; a diff
  "b(?=')",
  String.raw`[+-](?=[\s([])`,
  // Addresses, also hashed ones, and what a tracker left of them when it took them for markup
  String.raw`\[?<[0-9a-f]{0,16}>\]?`,
  String.raw`\[\]`,
  String.raw`\[?<?\(_{0,4}ptrval_{0,4}\)>?\]?`,
  String.raw`\[[0-9a-f]{8,16}\]`,
  String.raw`(?:0x)?[0-9a-f]{8,16}(?=[\s:])`,
  // SystemTap; the module before the function (RHEL 5); SPARC; a number
  String.raw`(?<=[\s]):(?=\s)`,
  String.raw`:[\w-]{1,64}:(?=[\w.$]{0,512}$)`,
  String.raw`Caller\[[0-9a-f]{8,16}\]:`,
  String.raw`stack:(?=\s)`,
  String.raw`#\d{1,4}(?=[\s:])`,
  String.raw`\d{1,3}[):](?=\s)`,
  // Line ends and list items of JSON, YAML and Python, between frames of one line
  String.raw`(?:\\r)?\\n`,
  String.raw`['"]?,\s{0,4}['"]?(?=[\s[\w(])`,
].join('|');
const ONLY_FURNITURE = new RegExp(`^(?:${FURNITURE})*$`);
const BEHIND_PREFIX = new RegExp(`(?:${FURNITURE})*$`);
const OLD_MODULE = /:([\w-]{1,64}):$/;
/** What stands before a function is within this many characters. */
const LONGEST_BEFORE = 200;

/** Labels of the place where a CPU was, by architecture. */
const INSTRUCTION = new RegExp(
  `(?:^|[\\s\\]|>:])(?:${[
    'R?E?IP:?(?: is at)?(?: [0-9a-f]{4}:?)?',
    String.raw`RIP: \w{4}:?(?:0x[0-9a-f]{1,16})?`,
    String.raw`(?:pc|PC|epc|ERA|TPC|NIP)\s{0,8}(?:is at|:)?(?:\s[0-9a-f]{16})?`,
    String.raw`Krnl PSW(?:\s?:.{0,80})?`,
    String.raw`IAOQ\[0\]:`,
  ].join('|')})\\s{0,4}[(<:]{0,2}$`,
);
/** What a line says of a function that is no frame: words, and places other than that of the CPU. */
const PROSE = new RegExp(
  `(?:(?:^|[\\s(,])(?:${[
    'at',
    'in',
    'from',
    'by',
    'to',
    'of',
    'for',
    'on',
    'is',
    'and',
    'or',
    'with',
    'the',
    'function',
    'initcall',
    'calling',
    'called',
    'near',
    'after',
    'before',
    'inside',
    'via',
    'handler',
    'callback',
    'symbol',
    'addr(?:ess)?',
    '[Ii]nterrupt',
    'lr(?: is at)?',
    'LR(?: is at)?',
    'ra',
    'RA',
    'RPC',
    'I7',
    'IP',
    // PA-RISC
    String.raw`IAOQ\[1\]`,
    String.raw`RP\(r2\)`,
    '=',
  ].join('|')})\\s{0,4}[:=]?\\s{0,4}[<(]?|\\.[chS]:\\d{1,6}:?\\s?|@\\s?|[/\\\\]` +
    // GFS2 names who asked for a lock
    '|\\bs:\\w{2} f:\\w{0,20} e:-?\\d{1,4} p:\\d{1,10} .*|\\[drm:|last {1,2}(?:en|dis)abled at .*|WARNING: .*' +
    // Arguments of a command
    '|\\bf?addr2line\\b.*|\\bvmlinu[xz]\\S{0,80} {1,4}|\\.k?o(?:\\.\\w{1,8})? {1,4}|\\*\\(?)$',
);
/** Words and nothing else before a function: it stands in a sentence. */
const SENTENCE = /^\s{0,8}(?:[-*•] )?(?:[A-Za-z][a-z']{0,24}[,.:;]?\s{1,2}){2,40}["'\x60(]?$/;
/** Words behind a function. Remarks have a mark before them. */
const REST_OF_SENTENCE =
  /^\s{0,4}[)"'\x60]?[,;]?\s{1,4}(?!at |May )[A-Za-z][a-z']{0,24}(?:[.,;:!?]\s{0,4}$|,? {1,2}[a-z']{1,24}(?=[\s.,;:!?]|$))/;
/** gdb and scripts/faddr2line print a function so, with the lines of the source that it has there. */
const TITLE = /^\s{0,8}(?:[-*•] |\d{1,3}[.)] )?["'\x60]?$/;
/** A function in a list of a sentence. */
const LISTED = /^\s{0,8}[-*•] ["'\x60]$/;
const REST_OF_LISTED = /["'\x60]\s{0,4}$/;
const REST_OF_TITLE = /^["'\x60]?\s?:(?:\s|$)/;
/** Lines of a report that may have anything in them. */
const REPORT = /^\s{0,40}(?:Hardware name|Workqueue|Comm|(?:Kernel )?[Cc]ommand line|Modules linked in|Code):/;
/** Behind a frame without a size: nothing else may be there, or it is a program's, or a column of a table. */
const REST_WITHOUT_SIZE = /^'?\s{0,8}(?:$|\((?:0x|unreliable|\[)|<[0-9a-f]|at (?:0x)?[0-9a-f]{4}|\/\*|\[\[)/;
/** What follows right behind a frame. */
const END = /^(?:[\s)\]<>|,;:'"\x60}\\*$]|$)/;
const MODULE_IS_ADDRESS = /^(?:0x)?[0-9a-f]{8,16}$/;

const PLAIN = new RegExp(
  String.raw`^ {0,8}(?:\[<[0-9a-f]{1,16}>\] )?(\? )?([a-zA-Z_][\w.$]{0,511})` +
    String.raw`\+0x([0-9a-f]{1,16})\/0x([0-9a-f]{1,16})(?: \[([\w-]{1,64})\])?$`,
);

/** Most frames of a log, without anything else in the line. */
export function plainFrame(line: string): Line | undefined {
  const parts = PLAIN.exec(line);
  if (parts === null) return undefined;
  const [, guess, symbol = '', offset = '', size = '', module] = parts;
  const places = { offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), module };
  return { kind: guess === undefined ? 'frame' : 'guess', frame: frameOf(symbol, line.trim(), places) };
}

/**
 * Frames with a hexadecimal offset: `symbol+0x1/0x2 [module]`, whatever stands before. The kernel prints them so in its
 * log and in /proc/PID/stack (lib/vsprintf.c, %pS and %pB), and most tools do.
 */
export const offsets: LineParser = (line) => {
  let plus = line.indexOf('+0x');
  if (plus === -1) return undefined;
  const lines: Line[] = [];
  let floor = 0;
  for (; plus !== -1; plus = line.indexOf('+0x', plus + 3)) {
    // Some trackers put a blank there.
    const symbolEnd = line.charCodeAt(plus - 1) === BLANK ? plus - 1 : plus;
    const from = startOfSymbol(line, symbolEnd, floor);
    if (from === symbolEnd || (symbolEnd !== plus && WORD.test(line.slice(from, symbolEnd)))) continue;
    OFFSET.lastIndex = plus;
    const [whole = '', offset = '', size, module] = OFFSET.exec(line) ?? [];
    if (whole === '') continue;
    const end = plus + whole.length;
    const before = line.slice(floor, from);
    const found: Found = {
      before,
      symbol: line.slice(from, symbolEnd),
      offset,
      size,
      module: module !== undefined && MODULE_IS_ADDRESS.test(module) ? undefined : module,
      rest: line.slice(end),
      line,
    };
    const known = floor === 0 ? firstOf(found) : furtherOf(found);
    if (known === undefined) break;
    lines.push(known);
    floor = end;
  }
  return lines.length > 1 ? { kind: 'lines', lines } : lines[0];
};

const BLANK = 32;
/** Before an offset alone: no function. */
const WORD = /^(?:at|in|is|by|from|offset|to)$/;

function startOfSymbol(line: string, plus: number, floor: number): number {
  let at = plus;
  while (at > floor && plus - at < 512 && isOfSymbol(line.charCodeAt(at - 1))) at--;
  return at;
}

function isOfSymbol(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    code === 95 ||
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    code === 46 ||
    code === 36
  );
}

interface Found {
  readonly before: string;
  readonly symbol: string;
  readonly offset: string;
  readonly size: string | undefined;
  readonly module: string | undefined;
  readonly rest: string;
  readonly line: string;
}

function firstOf(found: Found): Line | undefined {
  const { before, size, rest } = found;
  if (size === undefined) {
    if (!ONLY_FURNITURE.test(before) || !REST_WITHOUT_SIZE.test(rest)) return undefined;
    return isOfProgram(found) ? IGNORED : lineOf(found, before);
  }
  if (!END.test(rest)) return undefined;
  if (REPORT.test(before)) return IGNORED;
  if (SENTENCE.test(before) || REST_OF_SENTENCE.test(rest)) return undefined;
  if (LISTED.test(before) && REST_OF_LISTED.test(rest)) return undefined;
  if (REST_OF_TITLE.test(rest) && TITLE.test(before)) return undefined;
  if (before.length <= LONGEST_BEFORE && ONLY_FURNITURE.test(before)) return lineOf(found, before);
  const near = before.slice(-LONGEST_BEFORE);
  const at = BEHIND_PREFIX.exec(near)?.index ?? near.length;
  const prefix = near.slice(0, at);
  const label = `${prefix}${near.slice(at).replace(/[\s?]*(?:\[?<[0-9a-f]*>\]?[\s?]*)*$/, '')}`;
  if (INSTRUCTION.test(label) || INSTRUCTION.test(prefix)) return { kind: 'instruction', frame: instructionOf(found) };
  if (PROSE.test(prefix) || PROSE.test(label)) return undefined;
  return lineOf(found, near.slice(at));
}

const PROGRAM_FUNCTION = /^(?:main|_start|__libc_\w+|start_thread|clone3?|__clone|GI___\w+|__GI_\w+)$/;

function isOfProgram({ symbol, module = '' }: Found): boolean {
  return PROGRAM_FUNCTION.test(symbol) || /\.so\b|\.so$/.test(module);
}

/** A frame behind another one in the same line, perhaps with a prefix of its own. */
function furtherOf(found: Found): Line | undefined {
  const { before, size } = found;
  if (ONLY_FURNITURE.test(before)) return size === undefined ? undefined : lineOf(found, before);
  const { text, logged } = bodyOf(before.trimStart());
  return logged && size !== undefined && ONLY_FURNITURE.test(text) ? lineOf(found, text) : undefined;
}

function instructionOf({ symbol, offset, size, module, line }: Found): Frame {
  const parts = { offset: Number.parseInt(offset, 16), module };
  return frameOf(symbol, line.trim(), size === undefined ? parts : { ...parts, size: Number.parseInt(size, 16) });
}

function lineOf(found: Found, furniture: string): Line {
  const { symbol, offset, size, module, rest, line } = found;
  const start = line.length - rest.length;
  const from = line.lastIndexOf(`${furniture}${symbol}`, start);
  const raw = line.slice(from === -1 ? 0 : from).trim();
  const frame = frameOf(symbol, raw, {
    offset: Number.parseInt(offset, 16),
    ...(size !== undefined && { size: Number.parseInt(size, 16) }),
    module: module ?? OLD_MODULE.exec(furniture)?.[1],
  });
  // SystemTap's `(inexact)` is what the kernel's `?` is.
  if (furniture.includes('?') || rest.includes('(inexact)')) return { kind: 'guess', frame };
  return rest.includes('(unreliable)') ? { kind: 'frame', frame, isUnsure: true } : { kind: 'frame', frame };
}

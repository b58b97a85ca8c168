import { outputColumns, writePieces } from './output.ts';
import { HANGING, withoutColours, wrapped } from './wrapped.ts';

/** `  look at    kstack ...`, `  next:   grep ...`: what a line is about, and where the rest of it begins. */
const LABEL = /^ +([a-z]+(?: (?:at|up))?)(?:: +| {2,})(?=\S)/;
/** Lines without a label of their own belong to the one above. */
const GOES_ON = /^ {6}/;
/** A command or a function is copied as a whole: the terminal breaks its line, which a copy does not show. */
const WHOLE: ReadonlySet<string> = new Set(['look at', 'next', 'undo', 'stack', 'call', 'rule']);

type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Prose in lines of so many columns. What is to be copied stays in one line. */
export async function* inColumns(pieces: Pieces, columns: number): AsyncGenerator<string> {
  let label = '';
  let cut = '';
  const broken = (line: string) => {
    const [begin = '', own] = LABEL.exec(withoutColours(line)) ?? [];
    if (own !== undefined || !GOES_ON.test(line)) label = own ?? '';
    if (WHOLE.has(label)) return line;
    return wrapped(line, columns, own === undefined ? HANGING : hangingBelow(begin, columns)).join('\n');
  };
  for await (const piece of pieces) {
    const text = typeof piece === 'string' ? piece : Buffer.from(piece).toString();
    const lines = `${cut}${text}`.split('\n');
    cut = lines.pop() ?? '';
    if (lines.length > 0) yield `${lines.map(broken).join('\n')}\n`;
  }
  if (cut !== '') yield broken(cut);
}

/** Below what follows the label, if that leaves room. */
function hangingBelow(begin: string, columns: number): number {
  const indent = begin.length - begin.trimStart().length;
  return begin.length * 2 <= columns ? begin.length - indent : HANGING;
}

/** Writes prose to standard output, on a terminal in lines that fit. */
export function writeProse(pieces: Pieces): Promise<void> {
  const columns = outputColumns();
  return writePieces(columns === undefined ? pieces : inColumns(pieces, columns));
}

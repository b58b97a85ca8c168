import type { Line } from '../line.ts';
import { frameOf } from './patterns.ts';

/** A mark for lines that the writer has left out. */
const CUT = /^[\s[<({*~-]{0,12}(?:\.{2,12}|…|snip(?:ped)?|cut|snap|truncated|omitted|trimmed)[\s\])>}*~-]{0,12}$/i;
const LONGEST_CUT = 30;
/** A frame at whose end a narrow terminal, or a preview, has cut off the line. */
const TRUNCATED = /^\s{0,20}(?:\[<[0-9a-f]{8,16}>\] )?(\? )?([A-Za-z_]\w{3,60})(?:…|\.{3})\s{0,4}$/;
const LONGEST_TRUNCATED = 90;

export function isCutMark(text: string): boolean {
  return text.length < LONGEST_CUT && !text.includes('+') && CUT.test(text);
}

/** A frame whose name is cut off, if only one function that is known begins so. */
export function truncatedFrame(text: string, known: ReadonlySet<string>): Line | undefined {
  if (!(text.includes('…') || text.includes('...'))) return undefined;
  const [, guess, beginning] = text.length > LONGEST_TRUNCATED ? [] : (TRUNCATED.exec(text) ?? []);
  if (beginning === undefined) return undefined;
  const names = [...known].filter((name) => name.startsWith(beginning));
  const [name] = names;
  if (name === undefined || names.length > 1) return undefined;
  return { kind: guess === undefined ? 'frame' : 'guess', frame: frameOf(name, text.trim()) };
}

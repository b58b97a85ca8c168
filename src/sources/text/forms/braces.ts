import type { Line, LineParser } from '../line.ts';
import { frameOf } from './patterns.ts';

const FRAME = /<[0-9a-f]{16}>\{(?::([\w-]{1,64}):)?([\w.$]{1,128})\+(\d{1,8})\}/g;

/** x86-64 before 2.6.19: `<ffffffff8010f0d5>{schedule+432}`, several in a line, offsets decimal. */
export const braces: LineParser = (line) => {
  if (!line.includes('>{')) return undefined;
  const lines = [...line.matchAll(FRAME)].map(([raw, module, symbol = '', offset]): Line => {
    return { kind: 'frame', frame: frameOf(symbol, raw, { offset: Number(offset), module }) };
  });
  return lines.length === 0 ? undefined : { kind: 'lines', lines };
};

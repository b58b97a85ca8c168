import { isWellKnown } from '../functions.ts';
import { type Header, headerOf, IGNORED, type LineParser } from '../line.ts';
import { frameOf, MODULE, REMARK, SYMBOL } from './patterns.ts';

const FRAME = new RegExp(
  `^\\s{1,60}(?:(?:0x)?[0-9a-f]{16} )?(?!\\d)(${SYMBOL})\\+(\\d{1,9})(?: ${MODULE})?\\s{0,20}(${REMARK})?$`,
);
const BEGIN = /^\s{0,8}@\w{0,64}\[(.{0,300}?)\s{0,4}$/;
const END = /^\s{0,8}(?:,\s{0,4})?(.{0,300})\]: (?:(\d{1,15})\s{0,4}$|\S)/;
/** Only the name of a map may tell what its values are. */
const UNIT = /^\s{0,8}@\w{0,40}?(ns|us|ms)(?:ecs?)?(?:_\w{1,20})?\[/;
const OTHER_UNIT = /^\s{0,8}@\w{0,40}?(?:bytes|size|lat|time|dur|avg|max|min)\w{0,20}\[/;
const PARTS = /,\s{0,4}/;

/** Maps of bpftrace(8): `@[`, a stack with decimal offsets, and `]: count`. Other keys stand before or behind it. */
export const bpftrace: LineParser = (line) => {
  if (line.includes('+')) {
    const [, symbol, offset, module, remark] = FRAME.exec(line) ?? [];
    if (symbol === undefined) return undefined;
    const frame = frameOf(symbol, line.trim(), { offset: Number(offset), module });
    // A sum in code, with a comment, looks alike.
    return remark === undefined || isWellKnown(symbol)
      ? { kind: 'frame', frame }
      : { kind: 'frame', frame, isInTrace: true };
  }
  const [, behind, value] = line.includes(']: ') ? (END.exec(line) ?? []) : [];
  if (behind !== undefined) {
    const begin = BEGIN.exec(line);
    return begin !== null || behind.includes('[')
      ? undefined
      : {
          kind: 'behind',
          header: { ...headerFrom(behind), ...(value !== undefined && { sum: Number(value) }) },
        };
  }
  if (line.trim() === ',') return IGNORED;
  if (line.startsWith('Attaching ')) return { kind: 'label', header: {} };
  const before = line.includes('@') ? BEGIN.exec(line)?.[1] : undefined;
  return before === undefined ? undefined : { kind: 'label', header: { ...headerFrom(before), ...unitIn(line) } };
};

function unitIn(begin: string): Pick<Header, 'sumUnit'> {
  const unit = UNIT.exec(begin)?.[1];
  if (unit === 'ns' || unit === 'us' || unit === 'ms') return { sumUnit: unit };
  return OTHER_UNIT.test(begin) ? { sumUnit: 'other' } : {};
}

/** The number is that of a thread or, by `pid`, of its process: bpftrace does not say which. */
function headerFrom(keys: string): Header {
  const parts = keys.split(PARTS).filter((part) => part !== '');
  const numbers = parts.filter((part) => /^\d{1,10}$/.test(part));
  const name = parts.findLast((part) => /^[^\d:](?:[^:]{0,15}|.{0,14}:\d{1,4})$/.test(part));
  const [first, second] = numbers;
  return headerOf(second === undefined ? { name, tid: first } : { name, pid: first, tid: second });
}

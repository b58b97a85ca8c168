import { IGNORED, type LineParser } from '../line.ts';
import { frameOf, isProgramAddress, MODULE, SOURCE, SYMBOL } from './patterns.ts';

const START = String.raw`(?:^|[\]:|>]) {0,40}|^\s{0,40}`;
/** Several places, and `(discriminator 4)`. */
const MORE = String.raw`[^)]{0,300}(?:\([^)]{0,100}\)[^)]{0,300})?`;
const FRAME = new RegExp(`(?:${START})(\\? )?(${SYMBOL}) \\(${SOURCE}${MORE}\\)(?: ${MODULE}| ([\\w-]{1,64})$)?`);
/** An inlined function, as syzkaller's symbolizer and decode_stacktrace.sh add it. */
const INLINED = new RegExp(`(?:${START})(\\? )?(?:\\[inline\\] )?(${SYMBOL})(?: at)? ${SOURCE} \\[inline\\]\\s{0,4}$`);
const OLD_INLINED = new RegExp(
  `(?:${START}|\\]\\s)(?:\\[< *inline *>\\]|\\[ *inline *\\])\\s{1,4}(${SYMBOL}) (?:${SOURCE})`,
);
/** Without an offset, syzkaller's older form. gdb puts `at` there, in a line of its own. */
const PLACED = new RegExp(`^\\s{0,40}(\\? )?(?!(?:at|in|from|by|line|file)\\s)(${SYMBOL}) ${SOURCE}\\s{0,4}$`);

/** What a mail program has broken off a frame. */
const PLACE = new RegExp(`^\\s{0,40}${SOURCE}\\s{0,4}$`);

/** addr2line(1) and faddr2line, in place of the offsets of a trace. */
const ADDR2LINE = new RegExp(
  `(?:${START})(\\? )?(?:\\(inlined by\\) )?(?!(?:error|failed|bug|oops|panic|stuck|hang|hung|here|see)\\s)` +
    `([a-z_][\\w.]{2,127}) at ${SOURCE}(?: \\(discriminator \\d{1,5}\\))?\\s{0,4}$`,
);

/** What was inlined where a CPU was: the last such line has the function itself, with an offset. */
const REGISTER = /(?:^|\s)(?:R?E?IP: |NIP |LR |pc : |lr : ).{1,700}\[inline\]\s{0,4}$/;

/** A lock that a task holds, in lockdep's lists: where it was taken is no frame of a stack. */
const HELD_LOCK = /\}(?:-\{\d{1,3}:\d{1,3}\})?, at: /;

/** valgrind(1) checks programs, and says so of their stacks. */
const VALGRIND = /(?:^|\s)(?:at|by) 0x([0-9A-F]{4,16}): \S/;

/** Frames with file and line instead of an offset: scripts/decode_stacktrace.sh, addr2line(1) and syzkaller. */
export const decodedFrames: LineParser = (line) => {
  if (!line.includes('.')) return undefined;
  const address = line.includes(' 0x') ? VALGRIND.exec(line)?.[1] : undefined;
  if (address !== undefined && isProgramAddress(address.toLowerCase())) return IGNORED;
  if (REGISTER.test(line) || (line.includes(', at: ') && HELD_LOCK.test(line))) return IGNORED;
  const parts = FRAME.exec(line) ?? INLINED.exec(line) ?? PLACED.exec(line);
  const [, guess, symbol, module, behind] = parts ?? (line.includes(' at ') ? ADDR2LINE.exec(line) : null) ?? [];
  if (symbol !== undefined) {
    const frame = frameOf(symbol, line.trim(), { module: module ?? behind });
    return { kind: guess === undefined ? 'frame' : 'guess', frame, ...(parts === null && { isInTrace: true }) };
  }
  const inlined = line.includes('inline') ? OLD_INLINED.exec(line)?.[1] : undefined;
  if (inlined !== undefined) return { kind: 'frame', frame: frameOf(inlined, line.trim()) };
  return line.includes('[inline]') || PLACE.test(line) ? IGNORED : undefined;
};

import { headerOf, IGNORED, type LineParser } from '../line.ts';

const THREAD = /^\s{0,8}"(.{1,64}?)" (?:.{0,80} )?(?:prio=\d|sysTid=(\d{1,10}))/;
const NUMBER = /\bsysTid=(\d{1,10})\b/;
const STATE = /^\s{0,8}\|?\s{0,4}state=([RSDTtXZI]) /;
const PROGRAM =
  /^\s{0,8}(?:native: |at [\w$.]{1,300}\(|#\d\d pc |- (?:waiting|locked|sleeping) |\| |\(no managed|kernel: \()/;

/** Application-not-responding traces of Android: the kernel's frames stand among those of the program. */
export const android: LineParser = (line) => {
  const [, name, tid] = line.includes('"') ? (THREAD.exec(line) ?? []) : [];
  if (name !== undefined) return { kind: 'label', header: headerOf({ name, tid }) };
  if (line.includes('sysTid=')) return { kind: 'about', header: headerOf({ tid: NUMBER.exec(line)?.[1] }) };
  const state = line.includes('state=') ? STATE.exec(line)?.[1] : undefined;
  if (state !== undefined) return { kind: 'about', header: headerOf({ state }) };
  return PROGRAM.test(line) ? IGNORED : undefined;
};

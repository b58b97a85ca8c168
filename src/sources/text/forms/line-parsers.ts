import type { LineParser } from '../line.ts';
import { android } from './android.ts';
import { arm } from './arm.ts';
import { bcc } from './bcc.ts';
import { bpftrace } from './bpftrace.ts';
import { braces } from './braces.ts';
import { bracketedFrames } from './bracketed-frames.ts';
import { chains } from './chains.ts';
import { classic } from './classic.ts';
import { crash } from './crash.ts';
import { decodedFrames } from './decoded-frames.ts';
import { dmesg, report } from './dmesg.ts';
import { drgn } from './drgn.ts';
import { ftrace } from './ftrace.ts';
import { kdb } from './kdb.ts';
import { dstate, labels } from './labels.ts';
import { offsets } from './offsets.ts';
import { perf } from './perf.ts';
import { powerpc } from './powerpc.ts';
import { procStack } from './proc-stack.ts';
import { procStatus } from './proc-status.ts';
import { prompts } from './prompts.ts';
import { psLine } from './ps.ts';
import { ramdump } from './ramdump.ts';
import { sdb } from './sdb.ts';

/** The text formats that are known. The first that knows a line decides what it is. */
export const LINE_PARSERS: readonly LineParser[] = [
  classic,
  powerpc,
  crash,
  drgn,
  arm,
  perf,
  chains,
  offsets,
  bracketedFrames,
  ramdump,
  braces,
  dmesg,
  procStack,
  kdb,
  decodedFrames,
  ftrace,
  bpftrace,
  bcc,
  android,
  sdb,
  report,
  dstate,
  prompts,
  procStatus,
  psLine,
  labels,
];

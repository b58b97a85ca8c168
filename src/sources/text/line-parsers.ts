import { arm } from './arm.ts';
import { classic } from './classic.ts';
import { crash } from './crash.ts';
import { dmesg } from './dmesg.ts';
import { drgn } from './drgn.ts';
import type { LineParser } from './line.ts';
import { procStack } from './proc-stack.ts';
import { tracers } from './tracers.ts';

/** The text formats that are known. The first that knows a line decides what it is. */
export const LINE_PARSERS: readonly LineParser[] = [classic, procStack, crash, arm, dmesg, drgn, tracers];

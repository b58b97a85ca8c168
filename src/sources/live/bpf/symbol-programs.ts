import {
  descriptorOf,
  lookUpElement,
  runProgram,
  unloadBpf,
  updateElement,
  updateElements,
} from '../../../native/bpf.ts';
import { loadObject } from '../../../native/bpf-loader.ts';
import { IteratorProgram } from './iterator-program.ts';
import { SYMBOLS_RUN, SYMBOLS_TASKS } from './object.ts';

/** The enum of bpf/symbols.h. */
const LINE_BYTES = 512;
const RUN_BATCH = 32;
const TASK_BATCH = 32;
const TASK_BATCHES = 128;
const ADDRESS_BYTES = 8;

/** Prints addresses (8 bytes each, as latin1 strings) as /proc/PID/stack does (lib/vsprintf.c, %pB), in order. */
export interface PrintSymbols {
  (addresses: readonly string[]): string[];
  /** Unloads its programs. */
  close?(): void;
}

/** Prints by bpf_snprintf, in a program run for 32 addresses at a time (Linux 5.14). @throws Error naming the cause */
export function openRunPrinter(): PrintSymbols {
  const loaded = loadObject(SYMBOLS_RUN);
  const mapFd = descriptorOf(loaded.maps, 'batches');
  const programFd = descriptorOf(loaded.programs, 'symbols_run');
  const first = Buffer.alloc(4);
  const batch = Buffer.alloc(RUN_BATCH * (ADDRESS_BYTES + LINE_BYTES));
  const print: PrintSymbols = (addresses) => {
    const lines: string[] = [];
    for (let from = 0; from < addresses.length; from += RUN_BATCH) {
      const some = addresses.slice(from, from + RUN_BATCH);
      batch.fill(0).write(some.join(''), 'latin1');
      updateElement(mapFd, first, batch);
      runProgram('cannot run the program that prints symbols', programFd);
      lookUpElement(mapFd, first, batch);
      for (const [index] of some.entries()) {
        const at = RUN_BATCH * ADDRESS_BYTES + index * LINE_BYTES;
        lines.push(batch.toString('latin1', at, batch.indexOf(0, at)));
      }
    }
    return lines;
  };
  print.close = () => unloadBpf(loaded);
  return print;
}

/**
 * Prints by an iterator over tasks, 32 addresses per visited task (Linux 5.11).
 * @throws Error as {@link openRunPrinter}
 */
export function openTaskPrinter(): PrintSymbols {
  const program = new IteratorProgram(SYMBOLS_TASKS, 'symbols_tasks');
  const mapFd = program.map('batches');
  const keys = Buffer.alloc(TASK_BATCHES * 4);
  for (let index = 0; index < TASK_BATCHES; index++) keys.writeUInt32LE(index, index * 4);
  const values = Buffer.alloc(TASK_BATCHES * TASK_BATCH * ADDRESS_BYTES);
  const print: PrintSymbols = (addresses) => {
    const lines: string[] = [];
    while (lines.length < addresses.length) {
      values.fill(0).write(addresses.slice(lines.length, lines.length + TASK_BATCHES * TASK_BATCH).join(''), 'latin1');
      updateElements(mapFd, keys, values, TASK_BATCHES);
      const pieces: Buffer[] = [];
      for (const bytes of program.read()) pieces.push(Buffer.from(bytes));
      const printed = Buffer.concat(pieces).toString('latin1').split('\n').slice(0, -1);
      if (printed.length === 0) throw new Error('the iterator over tasks printed nothing');
      // With few tasks, one pass prints only some of the addresses.
      for (const line of printed) lines.push(line);
    }
    return lines;
  };
  print.close = () => program.close();
  return print;
}

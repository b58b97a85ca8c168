import { STATES } from '../../model/sample.ts';
import { type Selection, takesAll } from '../../model/selection.ts';
import type { BpfObject } from '../../native/libbpf.ts';
import { readRecords, type TaskRecord } from './records.ts';
import { Symbols } from './symbols.ts';

/** struct request of bpf/kstack.bpf.c. */
const REQUEST = { all: 0, states: 4, asked: 8, threads: 12, name: 16, nameMask: 32, size: 48 } as const;
const NAME_BYTES = 16;
/** PID_MAX_LIMIT of 64-bit kernels, a bit for each. */
const SEEN_BYTES = (1 << 22) / 8;
/** MOST_PIDS: more are not asked for in the kernel. */
const MOST_PIDS = 65536;

/** What one run of the program found. */
export interface BpfTasks {
  readonly records: readonly TaskRecord[];
  /** The text of each stack, by {@link TaskRecord.addresses}. */
  readonly stacks: ReadonlyMap<string, string>;
  /** Whether the program came by the process, selected or not, when it was last run. */
  sees(pid: number): boolean;
}

/** Reads tasks by the program of bpf/kstack.bpf.c, which decides on numbers, states, threads and simple names in the kernel. */
export class BpfReader {
  readonly #object: BpfObject;
  readonly #symbols: Symbols;
  readonly #iterator: number;
  readonly #maps: { readonly requests: number; readonly pids: number; readonly seen: number };
  /** One for all reads: half a megabyte of garbage a sample would be the most of what a long run holds. */
  readonly #seen = Buffer.alloc(SEEN_BYTES);
  #asked: readonly number[] = [];

  constructor(object: BpfObject, monotonicMs: () => number) {
    this.#object = object;
    this.#iterator = object.attachIterator('tasks');
    this.#symbols = new Symbols(object, monotonicMs);
    this.#maps = { requests: object.mapFd('requests'), pids: object.mapFd('pids'), seen: object.mapFd('seen') };
  }

  /** One look at all tasks, in the order of their numbers. */
  read(selection: Selection): BpfTasks {
    this.#ask(selection);
    rest();
    const records: TaskRecord[] = [];
    const addresses = new Set<string>();
    this.#object.readIterator(this.#iterator, (bytes) => {
      for (const record of readRecords(bytes)) {
        records.push(record);
        if (record.addresses !== '') addresses.add(record.addresses);
      }
    });
    const seen = this.#seen;
    this.#object.lookup(this.#maps.seen, FIRST, seen);
    const sees = (pid: number) => ((seen[pid >> 3] ?? 0) & (1 << (pid & 7))) !== 0;
    return { records, stacks: this.#symbols.resolve(addresses), sees };
  }

  #ask(selection: Selection): void {
    const { pids = [], states = [], threads, command } = selection;
    const request = Buffer.alloc(REQUEST.size);
    const asked = selection.all === true ? [] : [...new Set(pids)];
    request.writeUInt32LE(Number(takesAll(selection) || asked.length > MOST_PIDS), REQUEST.all);
    request.writeUInt32LE(
      states.reduce((bits, state) => bits | (1 << STATES.indexOf(state)), 0),
      REQUEST.states,
    );
    request.writeUInt32LE(Number(asked.length > 0), REQUEST.asked);
    request.writeUInt32LE(Number(threads === true), REQUEST.threads);
    writeName(request, command);
    this.#object.update(this.#maps.requests, FIRST, request);
    this.#object.update(this.#maps.seen, FIRST, NOTHING_SEEN);
    for (const pid of this.#asked) this.#object.remove(this.#maps.pids, numberKey(pid));
    this.#asked = asked.slice(0, MOST_PIDS);
    for (const pid of this.#asked) this.#object.update(this.#maps.pids, numberKey(pid), YES);
  }
}

const FIRST = Buffer.alloc(4);
const YES = Buffer.of(1);
const NOTHING_SEEN = Buffer.alloc(SEEN_BYTES);

function numberKey(number: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(number);
  return key;
}

const idle = new Int32Array(new SharedArrayBuffer(4));

/** Lets go of the CPU for a moment: the program tells the time by when its reader got one. */
function rest(): void {
  Atomics.wait(idle, 0, 0, 0.05);
}

/** `^nginx` and `^nginx$` are compared in the kernel. What else a regular expression may say is decided where the records are read. */
function writeName(request: Buffer, command: RegExp | undefined): void {
  const [, literal, end] = /^\^([\w/:-]+)(\$?)$/.exec(command?.source.replaceAll('\\/', '/') ?? '') ?? [];
  if (literal === undefined) return;
  const bytes = Buffer.from(end === '$' ? `${literal}\0` : literal).subarray(0, NAME_BYTES);
  bytes.copy(request, REQUEST.name);
  request.fill(0xff, REQUEST.nameMask, REQUEST.nameMask + bytes.length);
}

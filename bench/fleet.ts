/**
 * Fills a ClickHouse database (kstack schema clickhouse) with the samples of simulated hosts, made of recordings of
 * real ones, and measures what that takes. Arguments: the database as clickhouse://HOST:PORT/DATABASE, the number of
 * hosts, of minutes, the minute to begin with, the recording that a usual host repeats, and that of one host in fifty.
 *
 * Each host has its own boot, its own place in the recording, some of the blocked tasks, and of the stacks one of two
 * hundred variants: so there are as many waits as in a fleet.
 */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { TableRows } from '../src/analysis/tables/rows.ts';
import type { TableName } from '../src/analysis/tables/tables.ts';
import { samplesOf } from '../src/cli/samples.ts';
import { Connection } from '../src/clickhouse/connection.ts';
import { parseTarget } from '../src/clickhouse/target.ts';
import type { Observation, Sample } from '../src/model/sample.ts';
import { type Frame, parseFrame, type Stack } from '../src/model/stack.ts';
import type { Task } from '../src/model/task.ts';
import { clickHouseLine } from '../src/sinks/clickhouse.ts';
import { InternedStacks } from '../src/sources/text/index.ts';

const [url = '', ...words] = process.argv.slice(2);
const [hosts = 1000, minutes = 60, firstMinute = 0] = words.slice(0, 3).map(Number);
const [usualName = '', sickName = usualName] = words.slice(3);

const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 10, 2);
const KERNELS = ['6.1.0-26-amd64', '6.1.0-28-amd64', '6.12.9-amd64'];
const VARIANTS = 200;
const SICK_EVERY = 50;
/** Of the blocked tasks of a recording, a usual host has one in so many. */
const TAKEN_OF = 3;

const stacks = new InternedStacks();

async function samplesIn(name: string): Promise<Sample[]> {
  const all: Sample[] = [];
  const damaged = (text: string) => {
    throw new Error(text);
  };
  for await (const sample of samplesOf(name, { notes: {}, stacks, known: () => new Set(), damaged })) all.push(sample);
  return all;
}

class SimulatedHost {
  readonly #number: number;
  readonly #samples: readonly Sample[];
  readonly #rows = new TableRows();
  readonly #tasks = new Map<Task, Task>();
  readonly #stacks = new Map<Stack, Stack>();
  readonly #bootId: string;
  readonly #layer: Frame;

  constructor(number: number, samples: readonly Sample[]) {
    this.#number = number;
    this.#samples = samples;
    this.#bootId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const variant = number % VARIANTS;
    this.#layer = parseFrame(`[<0>] layer_${variant}_wait+0x10/0x20 [layer_${variant % 20}]`);
  }

  *rowsAt(round: number) {
    const number = this.#number;
    const sample = this.#samples[(7 * number + round) % this.#samples.length];
    if (sample === undefined) throw new Error('a recording has no samples');
    const { observations, holders } = sample;
    yield* this.#rows.of({
      ...sample,
      timeMs: START_MS + MINUTE_MS * firstMinute + INTERVAL_MS * round + 10 * (number % 1000),
      host: `host-${String(number).padStart(5, '0')}`,
      bootId: { value: this.#bootId },
      kernel: KERNELS[number % KERNELS.length] ?? '',
      intervalMs: INTERVAL_MS,
      observations: observations.flatMap((one, at) => (this.#has(at) ? this.#own(one) : [])),
      holders: holders.map((one) => this.#own(one)),
    });
  }

  #has(at: number): boolean {
    return this.#number % SICK_EVERY === 0 || (at + this.#number) % TAKEN_OF === 0;
  }

  #own(one: Observation): Observation {
    const { task, stack } = one;
    const own = this.#tasks.get(task) ?? { ...task, id: { ...task.id, bootId: this.#bootId } };
    this.#tasks.set(task, own);
    return { ...one, task: own, stack: 'value' in stack ? { ...stack, value: this.#variant(stack.value) } : stack };
  }

  #variant(stack: Stack): Stack {
    if (stack.frames.length === 0) return stack;
    const own = this.#stacks.get(stack) ?? stacks.intern([...stack.frames, this.#layer]);
    this.#stacks.set(stack, own);
    return own;
  }
}

const sent = { rows: 0, bytes: 0, packedBytes: 0, inserts: 0, ms: 0 };

async function insert(table: TableName, lines: readonly string[]): Promise<void> {
  const text = lines.join('');
  const body = gzipSync(text, { level: 1 });
  const start = performance.now();
  await connection.insert(table, Readable.from([body]));
  sent.ms += performance.now() - start;
  sent.rows += lines.length;
  sent.bytes += text.length;
  sent.packedBytes += body.length;
  sent.inserts++;
}

const connection = await Connection.open({
  target: parseTarget(url),
  credentials: { user: 'default', password: process.env['CLICKHOUSE_PASSWORD'] ?? '' },
  deadlineMs: 600_000,
});
const [usual, sick] = [await samplesIn(usualName), await samplesIn(sickName)];
const fleet = Array.from({ length: hosts }, (_, at) => new SimulatedHost(at, at % SICK_EVERY === 0 ? sick : usual));
const started = performance.now();
for (let minute = 0; minute < minutes; minute++) {
  const lines = new Map<TableName, string[]>();
  for (const host of fleet)
    for (let each = 0; each < MINUTE_MS / INTERVAL_MS; each++)
      for (const row of host.rowsAt((MINUTE_MS / INTERVAL_MS) * minute + each)) {
        const list = lines.get(row.table);
        if (list === undefined) lines.set(row.table, [clickHouseLine(row)]);
        else list.push(clickHouseLine(row));
      }
  for (const [table, list] of lines) await insert(table, list);
}
const seconds = (performance.now() - started) / 1000;
const perSecond = Math.round((1000 * sent.rows) / sent.ms);
process.stdout.write(
  `${hosts} hosts, ${minutes} min: ${sent.rows} rows, ${sent.inserts} inserts, ${(sent.bytes / 1e6).toFixed(0)} MB of ` +
    `JSON (${(sent.packedBytes / 1e6).toFixed(0)} MB in gzip) in ${seconds.toFixed(0)} s; while inserting ${perSecond} rows/s\n`,
);
await connection.close();

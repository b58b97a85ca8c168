import type { Event } from '../../../model/event.ts';
import { PRESSURES, type Pressure } from '../../../model/pressure.ts';
import type { Sample } from '../../../model/sample.ts';
import type { Clock } from '../../../model/time.ts';
import type { FileReads } from '../procfs/file-reads.ts';
import { KernelLog } from './kernel-log.ts';
import { parseStall } from './stall.ts';

const FILE_BYTES = 4096;

/** The host that is watched, see Host. */
export interface WatchedHost {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly kmsg: string;
}

/**
 * What happens to the host as a whole from sample to sample: its pressure, and what the kernel says. The files of /proc
 * are read as those of tasks are, with a deadline: /proc/pressure takes a lock.
 */
export class HostWatch {
  readonly #clock: WatchedHost['clock'];
  readonly #reads: FileReads;
  readonly #log: KernelLog;
  #hungTasks: number | undefined;

  constructor({ clock, kmsg }: WatchedHost, reads: FileReads) {
    this.#clock = clock;
    this.#reads = reads;
    this.#log = new KernelLog(kmsg, clock.nowMs());
  }

  async read(): Promise<Pick<Sample, 'events' | 'pressure'>> {
    const [hungTasks, uptime, ...stalls] = await Promise.all([
      this.#text('sys/kernel/hung_task_detect_count'),
      this.#text('uptime'),
      ...PRESSURES.map((name) => this.#text(`pressure/${name}`)),
    ]);
    const nowMs = this.#clock.nowMs();
    const uptimeSeconds = numberIn(uptime);
    // The kernel counts a hung task before it prints the line.
    const said = this.#log.read({ nowMs, uptimeSeconds });
    const counted = said.some(({ kind }) => kind === 'hung-task') ? undefined : this.#counted(hungTasks, nowMs);
    this.#hungTasks = numberIn(hungTasks) ?? this.#hungTasks;
    const events = counted === undefined ? said : [...said, counted];
    const pressure = pressureOf(stalls);
    return { ...(events.length > 0 && { events }), ...(pressure !== undefined && { pressure }) };
  }

  close(): void {
    this.#log.close();
  }

  /** The kernel prints no more than kernel.hung_task_warnings reports, but goes on counting. */
  #counted(text: string | undefined, nowMs: number): Event | undefined {
    const count = numberIn(text);
    const before = this.#hungTasks;
    if (count === undefined || before === undefined || count <= before) return undefined;
    return { timeMs: nowMs, kind: 'hung-task', text: `hung_task_detect_count is ${count}, and was ${before}` };
  }

  async #text(path: string): Promise<string | undefined> {
    const read = await this.#reads.bytes(path, 0n, FILE_BYTES);
    return 'value' in read ? read.value.toString('latin1') : undefined;
  }
}

function pressureOf(texts: readonly (string | undefined)[]): Pressure | undefined {
  const stalls = PRESSURES.flatMap((name, at) => {
    const stall = parseStall(texts[at] ?? '');
    return stall === undefined ? [] : [[name, stall] as const];
  });
  return stalls.length === 0 ? undefined : Object.fromEntries(stalls);
}

/** The number that a text begins with. */
function numberIn(text: string | undefined): number | undefined {
  const [digits] = /^\d{1,15}(?:\.\d{1,9})?(?=\s)/.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

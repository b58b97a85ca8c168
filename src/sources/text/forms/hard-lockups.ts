import type { Line } from '../line.ts';
import { isSameMoment, type Stamp } from '../stamps.ts';

/** Of most architectures (kernel/watchdog_perf.c, kernel/watchdog.c), and of powerpc (arch/powerpc/kernel/watchdog.c). */
const LOCKUP =
  /Watchdog detected hard LOCKUP on cpu (\d{1,5})|CPU (\d{1,5}) (?:self-detected )?[Hh]ard LOCKUP|hard LOCKUP on other CPUs ([\d,-]{1,200})/;
/** How long a CPU of powerpc has not answered. */
const HEARTBEAT = /CPU (\d{1,5}) .{0,40}last heartbeat .{0,40}\((\d{1,10}) ?ms ago\)/;
const CPU = /\bCPU: {0,4}(\d{1,5}) /;
/** Before 3.10, a task had no CPU in its line. */
const NO_CPU = /\b[Pp]id: {0,4}\d{1,10}, comm: /;
/** Bounds memory: no kernel has more (NR_CPUS). */
const MOST_CPUS = 8192;

/** Which tasks run on CPUs that the kernel says handle no interrupts. Their lines follow. */
export class HardLockups {
  readonly #cpus = new Map<number, number | undefined>();
  #stamp: Stamp | undefined;

  /** Takes a line of a log. */
  learn(text: string, now: Stamp): void {
    if (!text.includes('LOCKUP') && !text.includes('heartbeat')) return;
    const [, one, other, several] = LOCKUP.exec(text) ?? [];
    for (const cpu of cpusIn(one ?? other ?? several ?? '')) this.#cpus.set(cpu, undefined);
    const [, silent, ms] = HEARTBEAT.exec(text) ?? [];
    if (silent !== undefined && this.#cpus.has(Number(silent))) this.#cpus.set(Number(silent), Number(ms));
    this.#stamp = now;
  }

  /** The line, with what is known if it names a task on such a CPU. */
  withLockup(line: Line | undefined, text: string, now: Stamp): Line | undefined {
    if (line?.kind !== 'task' || line.header.onCpu !== true || this.#cpus.size === 0) return line;
    if (this.#stamp === undefined || !isSameMoment(this.#stamp, now)) return line;
    const cpu = Number(CPU.exec(text)?.[1] ?? (NO_CPU.test(text) ? [...this.#cpus.keys()][0] : undefined));
    if (!this.#cpus.has(cpu)) return line;
    const ranMs = line.header.ranMs ?? this.#cpus.get(cpu);
    const known = { ...line.header, hardLockup: true, ...(ranMs !== undefined && { ranMs }) } as const;
    return { ...line, header: known };
  }
}

/** `4`, `4-5` or `4,6-7`. */
function cpusIn(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = '', last = first] = part.split('-');
    if (first === '') return [];
    const length = Math.min(Number(last) + 1, MOST_CPUS) - Number(first);
    return Array.from({ length: Math.max(length, 0) }, (_, at) => Number(first) + at);
  });
}

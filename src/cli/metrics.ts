import { type Metric, metricsOf } from '../analysis/metrics.ts';
import { whyNotProc } from '../background/proc-root.ts';
import type { Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { formatMetrics, type MetricsForm } from '../sinks/metrics.ts';
import { describeMissingTasks, whyNoStacks } from '../sources/live/procfs/access.ts';
import { openSampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { log } from '../terminal/log.ts';
import { writeStderr, writeStdout } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { type Look, look } from './look.ts';
import { sendMetrics } from './otlp-metrics.ts';
import type { OtlpTarget } from './otlp-target.ts';
import { ownCpuSeconds } from './own-cpu.ts';
import { writeFile } from './write-file.ts';

export interface MetricsOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly form: MetricsForm;
  readonly file: string | undefined;
  /** Where to send them instead; undefined for nowhere. */
  readonly otlp: OtlpTarget | undefined;
  readonly verbose: boolean;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Monitoring runs as another user, and the metrics have nothing of a task. */
const FILE_MODE = 0o644;

/** Writes the metrics of this host at one moment, or sends them. Returns the exit code. */
export async function metrics({ form, file, otlp, ...options }: MetricsOptions): Promise<number> {
  const { selection, root, source, verbose, typed } = options;
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return FAILED;
  }
  const missing = describeMissingTasks(root, selection);
  if (missing !== undefined) writeStderr(`kstack: ${missing}\n`);
  const clock = systemClock();
  const tell = (text: string) => {
    if (verbose) log(clock, 'DEBUG', text);
  };
  const measured = await measuredMetrics(
    () => look((wanted) => openSampler({ clock, root }, { ...wanted, selection, source, tell })),
    undefined,
  );
  if (otlp !== undefined) return sendMetrics(measured, otlp);
  const text = formatMetrics(measured.metrics, form);
  if (file === undefined) writeStdout(text);
  else await writeFile(file, [text], FILE_MODE);
  return 0;
}

/** Metrics, and the sample that they are of. */
export interface Measured {
  readonly metrics: readonly Metric[];
  readonly sample: Sample;
}

/** The kernel counts CPU time in hundredths of a second. */
function roundedToTicks(seconds: number): number {
  return Math.round(100 * seconds) / 100;
}

/**
 * The metrics of a look at the host, with what it cost.
 * @param samples how many were taken before by a program that stays
 */
export async function measuredMetrics(taken: () => Promise<Look>, samples: number | undefined): Promise<Measured> {
  const clock = systemClock();
  const [beganMs, beganCpu] = [clock.monotonicMs(), ownCpuSeconds()];
  const { verdict } = await taken();
  const endCpu = ownCpuSeconds();
  const cost = {
    seconds: (clock.monotonicMs() - beganMs) / 1000,
    cpuSeconds:
      beganCpu === undefined || endCpu === undefined ? undefined : Math.max(0, roundedToTicks(endCpu - beganCpu)),
    memoryBytes: process.memoryUsage.rss(),
    samples: samples === undefined ? undefined : samples + 1,
  };
  return { metrics: metricsOf(verdict, cost), sample: verdict.sample };
}

import { setTimeout as pause } from 'node:timers/promises';
import { metricsRequest, otlpResource } from '../sinks/otlp.ts';
import { writeStderr } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import type { Measured } from './metrics.ts';
import { post } from './otlp-post.ts';
import { type OtlpTarget, signalUrl } from './otlp-target.ts';
import { VERSION } from './version.ts';

/** The next measurement will come: an older one need not get through. */
const PATIENCE_MS = 20_000;
const ONE_REQUEST_MS = 10_000;

const TRIED = `; kstack tried for ${PATIENCE_MS / 1000} s: does a receiver listen there?`;

function lateText(afterMs: number): string {
  return `; it asks to be tried again only in ${Math.ceil(afterMs / 1000)} s`;
}

/** Sends metrics, again if the receiver wants that. Returns the exit code. */
export async function sendMetrics({ metrics, sample }: Measured, target: OtlpTarget): Promise<number> {
  const { timeMs = Date.now() } = sample;
  const resource = otlpResource(sample, VERSION);
  const url = signalUrl(target, 'metrics');
  const body = metricsRequest(metrics, resource, { timeMs, sinceMs: timeMs });
  const endMs = performance.now() + PATIENCE_MS;
  for (let tries = 1; ; tries++) {
    const posted = await post(target, { url, body, deadlineMs: ONE_REQUEST_MS });
    if (posted.isTaken) {
      if (posted.rejected === undefined) return 0;
      const { count, why } = posted.rejected;
      writeStderr(`kstack: ${url.href}: ${count} metrics were rejected: ${why || 'no reason given'}\n`);
      return count > 0 ? FAILED : 0;
    }
    const { why, afterMs } = posted;
    if (afterMs === undefined || performance.now() + afterMs > endMs) {
      const again = afterMs === undefined ? '' : afterMs > PATIENCE_MS ? lateText(afterMs) : TRIED;
      writeStderr(`kstack: ${url.href}: no metrics were delivered: ${why}${again}\n`);
      return FAILED;
    }
    if (tries === 1) writeStderr(`kstack: ${url.href}: ${why}; trying again for ${PATIENCE_MS / 1000} s\n`);
    await pause(afterMs);
  }
}

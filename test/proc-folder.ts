import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../src/model/time.ts';
import { openSampler, type Sampler, type SamplerOptions } from '../src/sources/live/sampler.ts';

const clock: Clock = {
  nowMs: () => 1_700_000_000_123,
  monotonicMs: () => performance.now(),
  sleep: async () => undefined,
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
};

/** The text of /proc/PID/stat. */
export const stat = (comm: string, state = 'S') =>
  `1 (${comm}) ${state} 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 4200 0 0 0${' 0'.repeat(13)} 5 0\n`;

export type ProcFiles = Readonly<Record<string, string>>;

/**
 * A folder like /proc, of files as they stand there, by the process they are of: what has gone between two reads is not
 * in it. It goes with the test.
 */
export function procFolder(processes: Readonly<Record<string, ProcFiles>>, host: ProcFiles = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'kstack-procfs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const ofHost = { stat: 'cpu 1\nbtime 1600000000\n', ...host };
  const files = [['', ofHost] as const, ...Object.entries(processes)];
  for (const [folder, contents] of files)
    for (const [name, content] of Object.entries(contents)) {
      const path = join(root, folder, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, content);
    }
  return root;
}

/** A sampler by procfs alone, which is closed with the test. */
export async function samplerOf(root: string, options: Partial<SamplerOptions> = {}): Promise<Sampler> {
  const base = { selection: { all: true }, source: 'procfs', fields: [], facts: false, steady: false } as const;
  const sampler = await openSampler({ clock, root }, { ...base, ...options });
  onTestFinished(() => sampler.close());
  return sampler;
}

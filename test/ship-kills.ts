import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Sample } from '../src/model/sample.ts';
import type { ClickHouse } from './clickhouse-server.ts';
import { ended, KSTACK, kstack, temporaryFolder } from './harness.ts';
import { filesOfRun, putRun, samplesOfHost, serverWithTables } from './shipping.ts';

const SHAPE = { segment: 2, file: 3 };
/** Longer than it takes to start, and to send a file at this rate. */
const [MOST_MS, RATE] = [900, '20K'];

/**
 * Ships a directory that grows, and kills the shipper or the server at random moments, as many times; then ships what is
 * left. Moments are those of a seed, as far as the machine is equally fast.
 */
export async function killLoop(kills: number, seed: number): Promise<{ server: ClickHouse; samples: Sample[] }> {
  const server = await serverWithTables();
  const directory = join(temporaryFolder(), 'recordings');
  const samples = samplesOfHost('db1', 6 * kills);
  const files = await filesOfRun(samples, SHAPE);
  const random = randomOf(seed);
  const args = ['ship', directory, '--to', server.url];
  let killed = 0;
  for (let round = 0; killed < kills; round++) {
    putRun(directory, 'db1', files.slice(0, Math.min(files.length, 1 + Math.max(killed, round % 4))));
    const child = spawn(KSTACK, [...args, '--follow', '--max-rate', RATE], { stdio: 'ignore' });
    const end = ended(child);
    await pause(random() * MOST_MS);
    if (random() < 0.5) {
      await server.kill();
      killed++;
      await pause(random() * MOST_MS);
      await server.start();
      await pause(random() * MOST_MS);
    }
    child.kill('SIGKILL');
    await end;
    killed++;
  }
  putRun(directory, 'db1', files);
  const rest = await kstack(args);
  expect([rest.code, rest.stderr]).toEqual([0, expect.stringMatching(/^kstack: sent \d+ samples/)]);
  expect((await kstack(args)).stderr).toMatch(/^kstack: sent 0 samples/);
  return { server, samples };
}

/** Numbers from 0 to 1 (Numerical Recipes, a linear congruential generator). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

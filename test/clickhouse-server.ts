import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { ended, freePort, isOverdue, temporaryFolder, testRequires } from './harness.ts';

const START_MS = 10_000;

/** Each insert makes a file for each column: on a disk, that takes most of the time of these tests. */
const IN_MEMORY = '/dev/shm';

/** A server of the test's own on 127.0.0.1. */
export interface ClickHouse {
  readonly url: string;
  /** What a statement answers; rejects with the server's message if it fails. */
  ask(statement: string, body?: string): Promise<string>;
  /** Kills it. What it said was written is there when it is started again. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts Debian's clickhouse-server in a temporary folder. It ends with the test. */
export async function clickHouse(password = ''): Promise<ClickHouse> {
  testRequires('clickhouse-server');
  const folder = temporaryFolder(existsSync(IN_MEMORY) ? IN_MEMORY : undefined);
  const [http, tcp] = [await freePort(), await freePort()];
  for (const name of ['data', 'tmp']) mkdirSync(join(folder, name));
  writeFileSync(
    join(folder, 'config.xml'),
    `<yandex>
  <logger><level>warning</level><log>${folder}/log</log><errorlog>${folder}/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host><http_port>${http}</http_port><tcp_port>${tcp}</tcp_port>
  <path>${folder}/data/</path><tmp_path>${folder}/tmp/</tmp_path><users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>33554432</mark_cache_size>
</yandex>`,
  );
  writeFileSync(
    join(folder, 'users.xml'),
    `<yandex>
  <profiles><default><max_memory_usage>1000000000</max_memory_usage></default></profiles>
  <users><default><password>${password}</password><networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota></default></users>
  <quotas><default></default></quotas>
</yandex>`,
  );
  const url = `http://127.0.0.1:${http}`;
  const headers = password === '' ? {} : { 'x-clickhouse-user': 'default', 'x-clickhouse-key': password };
  let kill: () => Promise<void> = () => Promise.resolve();
  const start = async () => {
    const child = spawn('clickhouse-server', [`--config-file=${folder}/config.xml`], { cwd: folder, stdio: 'ignore' });
    const end = ended(child);
    kill = async () => {
      child.kill('SIGKILL');
      await end;
    };
    const startedMs = performance.now();
    while (!(await isUp(url))) {
      if (isOverdue(performance.now() - startedMs, START_MS) || child.exitCode !== null)
        throw new Error(`clickhouse-server does not answer:\n${readFileSync(join(folder, 'errors'), 'utf8')}`);
      await pause(50);
    }
  };
  onTestFinished(() => kill());
  await start();
  const ask = async (statement: string, body = '') => {
    const answer = await fetch(`${url}/?query=${encodeURIComponent(statement)}`, { method: 'POST', body, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text.trimEnd();
  };
  return { url, ask, kill: () => kill(), start };
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`)).ok;
  } catch {
    return false;
  }
}
